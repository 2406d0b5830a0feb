"""A shopping list: its lines, each with a key by which an app finds it."""

from collections.abc import Iterator
from typing import Literal
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, Field

from pachyderm_cli import Event, Message, Rejected

Thing = Literal["milk", "eggs", "salt"]


class Add(Message):
    thing: Thing


class Strike(Message):
    thing: Thing


class Added(Event):
    thing: str


class Struck(Event):
    thing: str


class Line(BaseModel):
    model_config = ConfigDict(frozen=True)

    thing: str
    # FAULT: update makes the lines, so every replay gives them other keys.
    key: UUID = Field(default_factory=uuid4)


class ShoppingList(BaseModel):
    model_config = ConfigDict(frozen=True)

    lines: list[Line] = []


def init() -> ShoppingList:
    """Return the empty list."""
    return ShoppingList()


def handle(message: Add | Strike, state: ShoppingList) -> Iterator[Added | Struck]:
    """Add what is not on the list, strike what is."""
    listed = any(line.thing == message.thing for line in state.lines)
    match message:
        case Add(thing=thing):
            if listed:
                raise Rejected(f"{thing} is on the list")
            yield Added(thing=thing)
        case Strike(thing=thing):
            if not listed:
                raise Rejected(f"{thing} is not on the list")
            yield Struck(thing=thing)


def update(event: Added | Struck, state: ShoppingList) -> ShoppingList:
    """Return the list after `event`."""
    match event:
        case Added(thing=thing):
            return ShoppingList(lines=[*state.lines, Line(thing=thing)])
        case Struck(thing=thing):
            return ShoppingList(lines=[line for line in state.lines if line.thing != thing])
