"""A cinema: seats of one row are reserved together, by their numbers."""

from collections.abc import Iterable, Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from pachyderm_cli import Event, Message, Rejected

SEATS = 10

Seat = Annotated[int, Field(ge=1, le=SEATS)]


class Reserve(Message):
    first: Seat
    count: Annotated[int, Field(ge=1, le=4)] = 1


class Reopen(Message):
    """Give all seats back."""


class Reserved(Event):
    # FAULT: for an Iterable pydantic keeps an iterator, which is empty once somebody has read it.
    seats: Iterable[int]


class Reopened(Event):
    pass


class Row(BaseModel):
    model_config = ConfigDict(frozen=True)

    taken: tuple[int, ...] = ()


def init() -> Row:
    """Return the free row."""
    return Row()


def handle(message: Reserve | Reopen, state: Row) -> Iterator[Reserved | Reopened]:
    """Reserve what is free."""
    match message:
        case Reserve(first=first, count=count):
            seats = range(first, first + count)
            if first + count - 1 > SEATS or any(seat in state.taken for seat in seats):
                raise Rejected("these seats are not free")
            yield Reserved(seats=(seat for seat in seats))
        case Reopen():
            if state.taken:
                yield Reopened()


def update(event: Reserved | Reopened, state: Row) -> Row:
    """Return the row after `event`."""
    match event:
        case Reserved(seats=seats):
            return Row(taken=(*state.taken, *seats))
        case Reopened():
            return Row()
