"""A counter: the smallest entity that has a message, an event, an effect and a state."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, PositiveInt

from pachyderm_cli import Effect, Event, Message

THRESHOLD = 10


class Increment(Message):
    """Count `amount` further."""

    amount: PositiveInt = 1


class Increased(Event):
    """The count went up by `amount`."""

    amount: PositiveInt


class AlertAdmin(Effect):
    """Tell the administrator, once, that the count has come to `threshold`."""

    threshold: int

    def dispatch(self, config: Mapping[str, Any]) -> None:
        """Print the alert to standard error: standard output is kept for results."""
        admin = config.get("admin", "admin")
        print(f"alert for {admin}: the counter reached {self.threshold}", file=sys.stderr)


class State(BaseModel):
    """How far the counter has come."""

    model_config = ConfigDict(frozen=True)

    count: int = 0


def init() -> State:
    """Return the counter that nothing was sent to: it stands at 0."""
    return State()


def handle(message: Increment, state: State) -> Iterator[Increased | AlertAdmin]:
    """Accept every increment; the one that takes the count to the threshold or past it alerts as well."""
    yield Increased(amount=message.amount)
    if state.count < THRESHOLD <= state.count + message.amount:
        yield AlertAdmin(threshold=THRESHOLD)


def update(event: Increased, state: State) -> State:
    """Return the count after `event`."""
    return State(count=state.count + event.amount)
