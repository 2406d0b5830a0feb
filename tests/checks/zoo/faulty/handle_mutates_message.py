"""A kitchen: the dishes that were ordered, in the order in which they are to be cooked."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from pachyderm_cli import Event, Message, Rejected

Dish = Literal["soup", "steak", "cake"]


class Order(Message):
    dishes: Annotated[list[Dish], Field(min_length=1, max_length=4)]


class Serve(Message):
    dish: Dish


class Ordered(Event):
    dish: str


class Served(Event):
    dish: str


def init() -> tuple[str, ...]:
    """Return the kitchen in the morning."""
    return ()


def handle(message: Order | Serve, state: tuple[str, ...]) -> Iterator[Ordered | Served]:
    """Cook everything that is ordered, the dessert last."""
    match message:
        case Order(dishes=dishes):
            desserts = dishes.count("cake")
            # FAULT: the model is frozen, its list is not: this takes the dishes out of the message.
            while dishes:
                dish = dishes.pop(0)
                if dish != "cake":
                    yield Ordered(dish=dish)
            for _ in range(desserts):
                yield Ordered(dish="cake")
        case Serve(dish=dish):
            if dish not in state:
                raise Rejected(f"nobody has ordered {dish}")
            yield Served(dish=dish)


def update(event: Ordered | Served, state: tuple[str, ...]) -> tuple[str, ...]:
    """Return the dishes after `event`."""
    match event:
        case Ordered(dish=dish):
            return (*state, dish)
        case Served(dish=dish):
            at = state.index(dish)
            return state[:at] + state[at + 1 :]
