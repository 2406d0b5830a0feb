"""A kanban board: cards wait in the backlog, and are finished one after the other."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from pachyderm_cli import Event, Message, Rejected

Title = Literal["design", "build", "test", "ship"]

EMPTY_BACKLOG: list[str] = []


class AddCard(Message):
    title: Title


class FinishCard(Message):
    pass


class CardAdded(Event):
    title: str


class CardFinished(Event):
    title: str


@dataclass
class Board:
    backlog: list[str]
    finished: int = 0


def init() -> Board:
    """Return the empty board."""
    return Board(backlog=EMPTY_BACKLOG)


def handle(message: AddCard | FinishCard, state: Board) -> Iterator[CardAdded | CardFinished]:
    """Add a card, or finish the oldest one."""
    match message:
        case AddCard(title=title):
            yield CardAdded(title=title)
        case FinishCard():
            if not state.backlog:
                raise Rejected("the backlog is empty")
            yield CardFinished(title=state.backlog[0])


def update(event: CardAdded | CardFinished, state: Board) -> Board:
    """Return the board after `event`."""
    match event:
        case CardAdded(title=title):
            backlog = state.backlog
            # FAULT: `+=` extends the very list that the old state holds, which is at first the module's own.
            backlog += [title]
            return replace(state, backlog=backlog)
        case CardFinished():
            return replace(state, backlog=state.backlog[1:], finished=state.finished + 1)
