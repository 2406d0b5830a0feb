"""The entity whose effects are measured: its messages differ in what they set off beside the same one event."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, PositiveInt

from pachyderm_cli import Effect, Event, Message, Send


class Note(Message):
    """Note `amount`, and set nothing off."""

    amount: PositiveInt = 1


class NoteAndNotify(Message):
    """Note `amount`, and set off a durable effect."""

    amount: PositiveInt = 1


class NoteAndForward(Message):
    """Note `amount`, and let another entity note it too."""

    to: str
    amount: PositiveInt = 1


class Noted(Event):
    """The sum went up by `amount`."""

    amount: PositiveInt


class Notify(Effect):
    """A durable effect that does nothing: what is measured is what surrounds it."""

    delivery = "at_least_once"
    amount: PositiveInt

    def dispatch(self, config: Mapping[str, Any]) -> None:
        """Do nothing."""


class State(BaseModel):
    """The sum of what was noted."""

    model_config = ConfigDict(frozen=True)

    sum: int = 0


def init() -> State:
    """Return the sum of nothing."""
    return State()


def handle(message: Note | NoteAndNotify | NoteAndForward, state: State) -> Iterator[Noted | Notify | Send]:  # noqa: ARG001 - it takes every message
    """Accept every message."""
    yield Noted(amount=message.amount)
    match message:
        case NoteAndNotify(amount=amount):
            yield Notify(amount=amount)
        case NoteAndForward(to=to, amount=amount):
            yield Send(to=to, message=Note(amount=amount))


def update(event: Noted, state: State) -> State:
    """Return the sum after `event`."""
    return State(sum=state.sum + event.amount)
