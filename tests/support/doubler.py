"""A second entity type on a tally's history: it reads the additions alone, and its state is a plain number."""

from pachyderm_cli import Message
from tests.support.tally import Added


class Double(Message):
    """Add as much as there is."""


def init() -> int:
    """Start at 0."""
    return 0


def handle(message: Double, state: int) -> list[Added]:
    """Add what there is once more."""
    return [Added(amount=state)]


def update(event: Added, state: int) -> int:
    """Return the sum after `event`."""
    return state + event.amount
