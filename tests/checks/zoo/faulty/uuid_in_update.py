"""A concert: the tickets that were sold for it, each with a number of its own."""

from collections.abc import Iterator
from typing import Annotated, Literal
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, Field

from pachyderm_cli import Event, Message, Rejected

SEATS = 12

Count = Annotated[int, Field(ge=1, le=4)]


class Buy(Message):
    block: Literal["A", "B"]
    count: Count = 1


class Close(Message):
    pass


class Bought(Event):
    block: Literal["A", "B"]
    count: Count


class Closed(Event):
    pass


class Ticket(BaseModel):
    model_config = ConfigDict(frozen=True)

    number: UUID
    block: str


class Concert(BaseModel):
    model_config = ConfigDict(frozen=True)

    tickets: tuple[Ticket, ...] = ()
    closed: bool = False


def init() -> Concert:
    """Return the concert before the sale."""
    return Concert()


def handle(message: Buy | Close, state: Concert) -> Iterator[Bought | Closed]:
    """Sell while there are seats."""
    if state.closed:
        raise Rejected("the sale is closed")
    match message:
        case Buy(block=block, count=count):
            if len(state.tickets) + count > SEATS:
                raise Rejected("sold out")
            yield Bought(block=block, count=count)
        case Close():
            yield Closed()


def update(event: Bought | Closed, state: Concert) -> Concert:
    """Return the concert after `event`."""
    match event:
        case Bought(block=block, count=count):
            # FAULT: every replay gives the tickets other numbers.
            sold = tuple(Ticket(number=uuid4(), block=block) for _ in range(count))
            return state.model_copy(update={"tickets": state.tickets + sold})
        case Closed():
            return state.model_copy(update={"closed": True})
