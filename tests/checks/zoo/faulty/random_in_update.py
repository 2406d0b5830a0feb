"""A pet in a game: it is fed, and grows by something between one and a hundred grams."""

import random
from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel

from pachyderm_cli import Event, Message, Rejected


class Name(Message):
    name: Literal["rex", "mia"]


class Feed(Message):
    food: Literal["hay", "corn"] = "hay"


class Named(Event):
    name: str


class Fed(Event):
    food: str


class Pet(BaseModel):
    name: str | None = None
    grams: int = 500


def init() -> Pet:
    """Return the newborn pet."""
    return Pet()


def handle(message: Name | Feed, state: Pet) -> Iterator[Named | Fed]:
    """Name it once, feed it while it is not too heavy."""
    if isinstance(message, Name):
        if state.name is not None:
            raise Rejected(f"its name is {state.name}")
        yield Named(name=message.name)
    elif state.grams > 2000:
        raise Rejected("it is full")
    else:
        yield Fed(food=message.food)


def update(event: Named | Fed, state: Pet) -> Pet:
    """Return the pet after `event`."""
    if isinstance(event, Named):
        return state.model_copy(update={"name": event.name})
    # FAULT: the dice are cast again at every replay; handle should cast them, and the event carry the number.
    return state.model_copy(update={"grams": state.grams + random.randint(1, 100)})  # noqa: S311
