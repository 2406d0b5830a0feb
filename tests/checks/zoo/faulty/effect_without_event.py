"""A library card: what is lent on it, and the reminders that go out."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from pachyderm_cli import Effect, Event, Message, Rejected

Book = Literal["Emma", "Ulysses", "Faust"]


class Lend(Message):
    book: Book


class GiveBack(Message):
    book: Book


class Remind(Message):
    pass


class Lent(Event):
    book: str


class GivenBack(Event):
    book: str


class SendReminder(Effect):
    books: tuple[str, ...]

    def dispatch(self, config: Mapping[str, Any]) -> None:
        """Write to the reader."""


class Card(BaseModel):
    model_config = ConfigDict(frozen=True)

    books: tuple[str, ...] = ()


def init() -> Card:
    """Return the new card."""
    return Card()


def handle(message: Lend | GiveBack | Remind, state: Card) -> Iterator[Lent | GivenBack | SendReminder]:
    """Lend what is not lent, and remind of what is."""
    match message:
        case Lend(book=book) if book not in state.books:
            yield Lent(book=book)
        case GiveBack(book=book) if book in state.books:
            yield GivenBack(book=book)
        case Remind() if state.books:
            # FAULT: nothing is recorded with the effect: an effect goes out with an event only.
            yield SendReminder(books=state.books)
        case _:
            raise Rejected("there is nothing to do")


def update(event: Lent | GivenBack, state: Card) -> Card:
    """Return the card after `event`."""
    match event:
        case Lent(book=book):
            return Card(books=(*state.books, book))
        case GivenBack(book=back):
            return Card(books=tuple(book for book in state.books if book != back))
