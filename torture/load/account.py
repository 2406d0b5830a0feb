"""An entity whose every event says what its decision saw, so that a lost update or a stale decision can be seen."""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any

from pydantic import BaseModel, NonNegativeInt, PositiveInt

from pachyderm_cli import Context, Effect, EffectContext, Event, Message, Rejected, Send

# By an `import` the code's fingerprint would reach the package and so all of the torture: a second in each process.
note: Callable[[str, Mapping[str, Any]], None] = import_module("torture.load.notes").note


class Put(Message):
    """Add an amount, in so many parts; 0 is rejected. The rest says what else is to come of it: nothing, if `quiet`."""

    network: str
    amount: NonNegativeInt
    parts: PositiveInt = 1
    quiet: bool = False
    ring: bool = False
    whisper: bool = False
    give_to: str | None = None


class Take(Message):
    """Add what another account gave, with the message that it came of."""

    network: str
    amount: int
    origin: str


class Added(Event):
    """An amount was added, by a decision that saw that many events and that sum before."""

    network: str
    amount: int
    before: int
    count: int


class Taken(Added):
    """The same of what another gave."""

    origin: str


class _Told(Effect):
    """What an effect says of itself: the message that asked for it, and the network which that came from."""

    message_id: str
    asked_in: str

    def _tell(self, kind: str, config: Mapping[str, Any], context: EffectContext) -> None:
        told = {"kind": kind, "network": context.network, "entity": str(context.entity.id)}
        asked = {"message_id": self.message_id, "asked_in": self.asked_in}
        note(config["traces"], {**told, **asked, "version": context.version, "effect_id": str(context.id)})


class Ring(_Told):
    """Leave a trace, at least once."""

    delivery = "at_least_once"

    def dispatch(self, config: Mapping[str, Any], context: EffectContext) -> None:
        """Leave it."""
        self._tell("ring", config, context)


class Whisper(_Told):
    """Leave a trace, at most once."""

    def dispatch(self, config: Mapping[str, Any], context: EffectContext) -> None:
        """Leave it."""
        self._tell("whisper", config, context)


class Account(BaseModel):
    """The sum of all amounts, and how many events there were."""

    sum: int = 0
    count: int = 0


def init() -> Account:
    """Begin with nothing."""
    return Account()


def handle(message: Put | Take, state: Account, context: Context) -> Iterator[Added | Taken | Ring | Whisper | Send]:
    """Say in each event what was seen, and in a rejection too."""
    seen: dict[str, Any] = {
        "network": message.network,
        "amount": message.amount,
        "before": state.sum,
        "count": state.count,
    }
    match message:
        case Take():
            yield Taken(**seen, origin=message.origin)
        case Put(amount=0):
            raise Rejected("nothing is no amount", count=state.count, sum=state.sum)
        case Put(quiet=True):
            return
        case Put():
            asked = {"message_id": str(context.message_id), "asked_in": message.network}
            for _ in range(message.parts):
                yield Added(**seen)
            if message.ring:
                yield Ring(**asked)
            if message.whisper:
                yield Whisper(**asked)
            if message.give_to is not None:
                given = Take(network=message.network, amount=message.amount, origin=str(context.message_id))
                yield Send(to=f"account:{message.give_to}", message=given)


def update(event: Added | Taken, state: Account) -> Account:
    """Add it up."""
    return Account(sum=state.sum + event.amount, count=state.count + 1)
