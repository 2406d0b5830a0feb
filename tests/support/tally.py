"""An entity for tests: it counts, keeps any value, refuses, fails, and leaves a trace of every effect that ran."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from pachyderm_cli import Context, Effect, Event, Message, Rejected


class Add(Message):
    """Count further, and tell so."""

    amount: int = 1


class AddAll(Message):
    """Count each amount, as an event of its own."""

    amounts: tuple[int, ...]


class Keep(Message):
    """Keep any value, whether JSON would or not."""

    value: Any


class Ask(Message):
    """Lead to nothing."""


class Refuse(Message):
    """Be rejected."""

    reason: str = "no"


class Spoil(Message):
    """Lead to an event that `update` accepts and to one that it fails on."""


class Tell(Message):
    """Run an effect for each text; the one called `fail` fails."""

    texts: tuple[str, ...]


class Note(Message):
    """Keep what the context says."""


class Added(Event):
    amount: int


class Kept(Event):
    value: Any


class Spoilt(Event):
    pass


class Told(Effect):
    text: str

    def dispatch(self, config: Mapping[str, Any]) -> None:
        """Add the text to the list that the sender gave."""
        if self.text == "fail":
            raise RuntimeError("told to fail")
        config.get("told", []).append(self.text)


class State(BaseModel):
    model_config = ConfigDict(frozen=True)

    count: int = 0
    kept: tuple[Any, ...] = ()


def init() -> State:
    """Return the state of a tally that nothing was sent to."""
    return State()


def handle(
    message: Add | AddAll | Keep | Ask | Refuse | Spoil | Tell | Note, state: State, context: Context
) -> Iterator[Added | Kept | Spoilt | Told]:
    """Do what the message's own description says."""
    match message:
        case Add(amount=amount):
            yield Added(amount=amount)
            yield Told(text=f"{state.count} + {amount}")
        case AddAll(amounts=amounts):
            yield from (Added(amount=amount) for amount in amounts)
        case Keep(value=value):
            yield Kept(value=value)
        case Refuse(reason=reason):
            yield Added(amount=1)
            raise Rejected(reason)
        case Spoil():
            yield Added(amount=1)
            yield Spoilt()
        case Tell(texts=texts):
            yield Added(amount=0)
            yield from (Told(text=text) for text in texts)
        case Note():
            yield Kept(value=[str(context.now), str(context.message_id), str(context.reference), context.version])
        case Ask():
            return


def update(event: Added | Kept | Spoilt, state: State) -> State:
    """Return the state after `event`."""
    match event:
        case Added(amount=amount):
            return State(count=state.count + amount, kept=state.kept)
        case Kept(value=value):
            return State(count=state.count, kept=(*state.kept, value))
        case Spoilt():
            raise ValueError("this cannot be folded")
