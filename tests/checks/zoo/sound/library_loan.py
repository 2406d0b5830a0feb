"""A library's book: lent to one reader at a time, with a due date and a waiting list; a frozen dataclass."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Annotated

from pydantic import Field, StringConstraints

from pachyderm_cli import Event, Message, Rejected, invariant

Reader = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2099, 12, 31))]

PERIOD = timedelta(days=28)


class Lend(Message):
    reader: Reader
    on: Day


class Renew(Message):
    pass


class GiveBack(Message):
    pass


class Queue(Message):
    reader: Reader


class Lent(Event):
    reader: str
    due: date


class Renewed(Event):
    due: date


class GivenBack(Event):
    pass


class Queued(Event):
    reader: str


@dataclass(frozen=True)
class Book:
    reader: str | None = None
    due: date | None = None
    renewals: int = 0
    waiting: tuple[str, ...] = ()


@invariant
def a_lent_book_is_due(state: Book) -> bool:
    """Whether there is a due date exactly while somebody has the book."""
    return (state.reader is None) == (state.due is None)


@invariant
def nobody_waits_twice(state: Book) -> bool:
    """Whether every reader waits once at most."""
    return len(set(state.waiting)) == len(state.waiting)


def init() -> Book:
    """Return the book on the shelf."""
    return Book()


def handle(message: Lend | Renew | GiveBack | Queue, state: Book) -> Iterator[Lent | Renewed | GivenBack | Queued]:
    """Lend to whoever is first in the queue; renew twice at most, and never while others wait."""
    match message:
        case Lend(reader=reader, on=on):
            if state.reader is not None:
                raise Rejected(f"{state.reader} has the book")
            if state.waiting and state.waiting[0] != reader:
                raise Rejected(f"{state.waiting[0]} comes first")
            yield Lent(reader=reader, due=on + PERIOD)
        case Renew():
            if state.due is None or state.waiting or state.renewals == 2:
                raise Rejected("the book cannot be renewed")
            yield Renewed(due=state.due + PERIOD)
        case GiveBack():
            if state.reader is None:
                raise Rejected("the book is on its shelf")
            yield GivenBack()
        case Queue(reader=reader):
            if reader not in (state.reader, *state.waiting):
                yield Queued(reader=reader)


def update(event: Lent | Renewed | GivenBack | Queued, state: Book) -> Book:
    """Return the book after `event`."""
    match event:
        case Lent(reader=reader, due=due):
            waiting = tuple(each for each in state.waiting if each != reader)
            return Book(reader=reader, due=due, waiting=waiting)
        case Renewed(due=due):
            return replace(state, due=due, renewals=state.renewals + 1)
        case GivenBack():
            return replace(state, reader=None, due=None, renewals=0)
        case Queued(reader=reader):
            return replace(state, waiting=(*state.waiting, reader))
