"""The entity that is measured: one message, one event, a number for its state, and no effect."""

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, PositiveInt

from pachyderm_cli import Event, Message


class Increment(Message):
    """Count `amount` further."""

    amount: PositiveInt = 1


class Increased(Event):
    """The count went up by `amount`."""

    amount: PositiveInt


class State(BaseModel):
    """How far the counter has come."""

    model_config = ConfigDict(frozen=True)

    count: int = 0


def init() -> State:
    """Return the counter at 0."""
    return State()


def handle(message: Increment, state: State) -> Iterator[Increased]:  # noqa: ARG001 - it takes every increment
    """Accept every increment."""
    yield Increased(amount=message.amount)


def update(event: Increased, state: State) -> State:
    """Return the count after `event`."""
    return State(count=state.count + event.amount)
