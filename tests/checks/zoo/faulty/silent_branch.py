"""A store room: how many pieces there are in all, and on which shelf how many."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from pachyderm_cli import Event, Message, Rejected

Shelf = Literal["left", "right"]
Pieces = Annotated[int, Field(ge=1, le=5)]


class Store(Message):
    shelf: Shelf
    pieces: Pieces


class Scrap(Message):
    shelf: Shelf


class Stored(Event):
    shelf: Shelf
    pieces: Pieces


class Scrapped(Event):
    shelf: Shelf
    pieces: PositiveInt


class Room(BaseModel):
    model_config = ConfigDict(frozen=True)

    total: int = 0
    shelves: dict[str, int] = {}


def init() -> Room:
    """Return the empty room."""
    return Room()


def invariant(state: Room) -> bool:
    """Whether the shelves hold what there is in all."""
    return sum(state.shelves.values()) == state.total


def handle(message: Store | Scrap, state: Room) -> Iterator[Stored | Scrapped]:
    """Store anything, scrap a whole shelf."""
    match message:
        case Store(shelf=shelf, pieces=pieces):
            yield Stored(shelf=shelf, pieces=pieces)
        case Scrap(shelf=shelf):
            if not state.shelves.get(shelf):
                raise Rejected("nothing is there")
            yield Scrapped(shelf=shelf, pieces=state.shelves[shelf])


def update(event: Stored | Scrapped, state: Room) -> Room:
    """Return the room after `event`."""
    change = event.pieces if isinstance(event, Stored) else -event.pieces
    return Room(total=state.total + change, shelves=_shelves(event, state.shelves))


def _shelves(event: Stored | Scrapped, shelves: dict[str, int]) -> dict[str, int]:
    match event:
        case Stored(shelf=shelf, pieces=pieces):
            return {**shelves, shelf: shelves.get(shelf, 0) + pieces}
        case _:  # FAULT: Scrapped was forgotten, and this hides it: the pieces stay on the shelf.
            return shelves
