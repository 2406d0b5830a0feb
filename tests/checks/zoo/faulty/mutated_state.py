"""A minibar: what a hotel guest took out of it, and what is owed for it."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from pachyderm_cli import Event, Message, Rejected

PRICES = {"water": 3, "beer": 5, "nuts": 4}

Item = Literal["water", "beer", "nuts"]
Count = Annotated[int, Field(ge=1, le=5)]


class Take(Message):
    item: Item
    count: Count = 1


class Settle(Message):
    pass


class Taken(Event):
    item: Item
    count: Count


class Settled(Event):
    pass


class Minibar(BaseModel):
    owed: int = 0
    taken: dict[str, int] = {}


def init() -> Minibar:
    """Return a full minibar."""
    return Minibar()


def handle(message: Take | Settle, state: Minibar) -> Iterator[Taken | Settled]:
    """Book what is taken; settle only what is owed."""
    match message:
        case Take(item=item, count=count):
            yield Taken(item=item, count=count)
        case Settle():
            if not state.owed:
                raise Rejected("nothing is owed")
            yield Settled()


def update(event: Taken | Settled, state: Minibar) -> Minibar:
    """Return the minibar after `event`."""
    match event:
        case Taken(item=item, count=count):
            # FAULT: the state that was given is changed in place, and returned.
            state.taken[item] = state.taken.get(item, 0) + count
            state.owed += PRICES[item] * count
            return state
        case Settled():
            return Minibar()
