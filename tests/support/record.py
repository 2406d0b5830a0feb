"""An entity for tests of lookup: its state is whatever it was told last."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from pydantic import AwareDatetime, BaseModel

from pachyderm_cli import Event, Message, Rejected, Send

lookup = True


class Owner(BaseModel, frozen=True):
    name: str = ""
    age: int | None = None


class State(BaseModel, frozen=True):
    count: int = 0
    ratio: float = 0.0
    amount: Decimal = Decimal(0)
    text: str = ""
    at: AwareDatetime | None = None
    ready: bool | None = None
    owner: Owner | None = None
    marks: dict[str, int | str | None] = {}


class Become(Message):
    """Take on a state."""

    state: State
    forward: str | None = None


class Refuse(Message):
    """Be rejected."""


class Became(Event):
    state: State


def init() -> State:
    """Return the state of a record that nothing was sent to."""
    return State()


def handle(message: Become | Refuse, state: State) -> Iterator[Became | Send]:
    """Do what the message's own description says."""
    match message:
        case Become(state=new, forward=to):
            yield Became(state=new)
            if to is not None:
                yield Send(to=to, message=Become(state=new))
        case Refuse():
            raise Rejected("no")


def update(event: Became, state: State) -> State:
    """Return the state that was taken on."""
    return event.state


def moment(text: str) -> datetime:
    """Return the time that a text is."""
    return datetime.fromisoformat(text)
