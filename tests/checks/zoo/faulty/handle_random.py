"""A raffle: people buy tickets, and one of their numbers is drawn."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import Field

from pachyderm_cli import Event, Message, Rejected


class BuyTickets(Message):
    buyer: Literal["ann", "bob", "eve"]
    count: Annotated[int, Field(ge=1, le=20)]


class Draw(Message):
    pass


class TicketsBought(Event):
    buyer: str
    count: int


class Drawn(Event):
    number: int


@dataclass(frozen=True)
class Raffle:
    tickets: tuple[str, ...] = ()
    winner: str | None = None


def init() -> Raffle:
    """Return the raffle before the first ticket."""
    return Raffle()


def handle(message: BuyTickets | Draw, state: Raffle) -> Iterator[TicketsBought | Drawn]:
    """Sell tickets, draw one of them."""
    if state.winner is not None:
        raise Rejected("the raffle is over")
    match message:
        case BuyTickets(buyer=buyer, count=count):
            yield TicketsBought(buyer=buyer, count=count)
        case Draw():
            if not state.tickets:
                raise Rejected("there are no tickets")
            # FAULT: the dice of the process: the same decision comes out otherwise; context.random is meant for it.
            yield Drawn(number=random.randrange(len(state.tickets)))  # noqa: S311


def update(event: TicketsBought | Drawn, state: Raffle) -> Raffle:
    """Return the raffle after `event`."""
    match event:
        case TicketsBought(buyer=buyer, count=count):
            return replace(state, tickets=state.tickets + (buyer,) * count)
        case Drawn(number=number):
            return replace(state, winner=state.tickets[number])
