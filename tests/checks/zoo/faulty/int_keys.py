"""A restaurant: how many guests sit at which table."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from pachyderm_cli import Event, Message, Rejected

Table = Annotated[int, Field(ge=1, le=4)]
Guests = Annotated[int, Field(ge=1, le=8)]


class Seat(Message):
    table: Table
    guests: Guests


class Clear(Message):
    table: Table


class Seated(Event):
    table: Table
    guests: Guests


class Cleared(Event):
    table: Table


# FAULT: the keys are integers, and an untyped dict has strings for them after JSON; dict[int, int] would keep them.
def init() -> dict:
    """Return the empty restaurant."""
    return {}


def handle(message: Seat | Clear, state: dict) -> Iterator[Seated | Cleared]:
    """Seat guests at a free table, clear one that is taken."""
    match message:
        case Seat(table=table, guests=guests):
            if table in state:
                raise Rejected(f"table {table} is taken")
            yield Seated(table=table, guests=guests)
        case Clear(table=table):
            if table not in state:
                raise Rejected(f"table {table} is free")
            yield Cleared(table=table)


def update(event: Seated | Cleared, state: dict) -> dict:
    """Return the tables after `event`."""
    match event:
        case Seated(table=table, guests=guests):
            return {**state, table: guests}
        case Cleared(table=cleared):
            return {table: guests for table, guests in state.items() if table != cleared}
