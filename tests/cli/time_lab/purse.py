"""A purse: an entity that was changed since its first days, that answers questions, and is found by its state."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict

from pachyderm_cli import Effect, Event, Message, Question, Rejected, Send, Timer

lookup = True


class Owner(BaseModel):
    """Whose it is."""

    model_config = ConfigDict(frozen=True)

    name: str = ""
    city: str | None = None


class Put(Message):
    """Put money in, or take it out."""

    amount: Decimal


class Own(Message):
    """Belong to somebody."""

    name: str
    city: str | None = None


class Remember(Message):
    """Have this entity given as much tomorrow, and tell of it."""

    to: str


class Moved(Event):
    """Money came or went."""

    aliases = ("Filled", "Emptied")
    version = 2
    amount: Decimal

    @staticmethod
    def upcast(data: dict[str, Any], version: int) -> dict[str, Any]:  # noqa: ARG004 - there was one version alone
        """Read the cents of old."""
        return {"amount": str(Decimal(data["cents"]) / 100)}


class Owned(Event):
    """It is somebody's."""

    name: str
    city: str | None


class Remembered(Event):
    """Something was kept in mind."""


class HowMuch(Question):
    """How much is in it, so many times."""

    times: int = 1


class CanPay(Question):
    """Whether it has that much."""

    amount: Decimal


class Tell(Effect):
    """Tell somebody; here, fail if it is ever done."""

    whom: str

    def dispatch(self, config: Mapping[str, Any]) -> None:  # noqa: ARG002 - the protocol gives it
        """Fail."""
        raise OSError("it was dispatched")


class State(BaseModel):
    """What is in the purse, and whose it is."""

    model_config = ConfigDict(frozen=True)

    balance: Decimal = Decimal(0)
    owner: Owner = Owner()
    moves: tuple[str, ...] = ()


def init() -> State:
    """Return the empty purse."""
    return State()


def handle(message: Put | Own | Remember, state: State) -> Iterator[Moved | Owned | Remembered | Tell | Send | Timer]:
    """Do as told; never owe anything to thirteen."""
    match message:
        case Put(amount=amount):
            if amount == 13:
                raise Rejected("thirteen is unlucky")
            yield Moved(amount=amount)
        case Own(name=name, city=city):
            yield Owned(name=name, city=city)
        case Remember(to=to):
            yield Remembered()
            yield Tell(whom=to)
            yield Send(to=to, message=Put(amount=state.balance))
            yield Timer("tomorrow", after=timedelta(days=1), message=Put(amount=Decimal(1)))


def update(event: Moved | Owned | Remembered, state: State) -> State:
    """Return the purse after `event`."""
    match event:
        case Moved(amount=amount):
            moves = (*state.moves, str(amount))[-3:]
            return state.model_copy(update={"balance": state.balance + amount, "moves": moves})
        case Owned(name=name, city=city):
            return state.model_copy(update={"owner": Owner(name=name, city=city)})
        case Remembered():
            return state


def query(question: HowMuch | CanPay, state: State) -> Decimal | bool:
    """Answer."""
    match question:
        case HowMuch(times=times):
            return state.balance * times
        case CanPay(amount=amount):
            if amount < 0:
                raise Rejected("nobody pays less than nothing")
            return amount <= state.balance
