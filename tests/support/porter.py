"""A second entity type on a courier's history, whose state can be changed in place, and is."""

from collections.abc import Iterator

from pachyderm_cli import Effect
from tests.support.courier import Do, Noted, Posted, Told, answers

__all__ = ["Posted", "Told"]  # the effects that it may emit


def init() -> list[str]:
    """Return the state in which nothing was noted."""
    return []


def handle(message: Do, state: list[str]) -> Iterator[Noted | Effect]:
    """Answer as a courier does, and spoil the state that the decision was given."""
    log = tuple(state)
    state.append("spoilt")
    return answers(message, log)


def update(event: Noted, state: list[str]) -> list[str]:
    """Return the same state, with one more note in it."""
    state.append(event.note)
    return state
