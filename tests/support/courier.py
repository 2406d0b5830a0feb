"""An entity for tests of the outbox: it keeps the note of every errand, and does what the errand orders."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pachyderm_cli import CancelTimer, Effect, EffectContext, Event, Message, Rejected, Send, Timer


class _Order(BaseModel):
    """Something to emit."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Tell(_Order):
    """Tell the world, at most once."""

    kind: Literal["tell"] = "tell"
    text: str


class Post(_Order):
    """Tell the world, at least once."""

    kind: Literal["post"] = "post"
    text: str


class Pass(_Order):
    """Send an errand to another entity; `refused` comes back if that rejects it."""

    kind: Literal["pass"] = "pass"
    to: str
    errand: "Do"
    refused: "Do | None" = None
    after: float | None = None


class Remind(_Order):
    """Set a timer that brings an errand, in so many seconds or at a time."""

    kind: Literal["remind"] = "remind"
    name: str
    errand: "Do"
    after: float | None = None
    at: datetime | None = None


class Forget(_Order):
    """Cancel a timer."""

    kind: Literal["forget"] = "forget"
    name: str


Order = Annotated[Tell | Post | Pass | Remind | Forget, Field(discriminator="kind")]


class Do(Message):
    """Keep the note and follow the orders; be rejected where `unless` was noted before, or `given` was not."""

    note: str
    orders: tuple[Order, ...] = ()
    unless: str | None = None
    given: str | None = None
    answer: Literal["note", "nothing", "refuse", "fail"] = "note"


class Noted(Event):
    note: str


class Told(Effect):
    text: str

    def dispatch(self, config: Mapping[str, Any], context: EffectContext) -> None:
        """Let the world hear of it."""
        config["world"].hear(self.text, context)


class Posted(Effect):
    delivery = "at_least_once"
    max_attempts = 3
    text: str

    def dispatch(self, config: Mapping[str, Any], context: EffectContext) -> None:
        """Let the world hear of it."""
        config["world"].hear(self.text, context)


class State(BaseModel, frozen=True):
    log: tuple[str, ...] = ()


def init() -> State:
    """Return the state in which nothing was noted."""
    return State()


def handle(message: Do, state: State) -> Iterator[Noted | Effect]:
    """Do what the message's own description says."""
    return answers(message, state.log)


def update(event: Noted, state: State) -> State:
    """Return the state with one more note."""
    return State(log=(*state.log, event.note))


def answers(message: Do, log: tuple[str, ...]) -> Iterator[Noted | Effect]:
    """Yield what a courier with that log answers."""
    if message.unless in log:
        raise Rejected(f"{message.unless} was noted")
    if message.given is not None and message.given not in log:
        raise Rejected(f"{message.given} was not noted")
    match message.answer:
        case "refuse":
            raise Rejected(message.note)
        case "fail":
            raise RuntimeError(message.note)
        case "note":
            yield Noted(note=message.note)
            for order in message.orders:
                yield _effect(order)
        case "nothing":
            return


def _effect(order: Order) -> Effect:
    match order:
        case Tell(text=text):
            return Told(text=text)
        case Post(text=text):
            return Posted(text=text)
        case Pass(to=to, errand=errand, refused=refused, after=after):
            return Send(to=to, message=errand, on_rejected=refused, after=_span(after))
        case Remind(name=name, errand=errand, after=after, at=at):
            return Timer(name, message=errand, after=_span(after), at=at)
        case Forget(name=name):
            return CancelTimer(name)


def _span(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
