"""A shopping basket: how many of which article are in it."""

from typing import Annotated, Literal

from pydantic import Field

from pachyderm_cli import Event, Message, Rejected

Article = Literal["apple", "bread", "cheese"]
Count = Annotated[int, Field(ge=1, le=9)]


class Put(Message):
    article: Article
    count: Count = 1


class Remove(Message):
    article: Article


class PutIn(Event):
    article: Article
    count: Count


class Removed(Event):
    article: Article


def init() -> dict[str, int]:
    """Return the empty basket."""
    return {}


def handle(message: Put | Remove, state: dict[str, int]) -> list[PutIn | Removed]:
    """Put anything in, remove what is there."""
    match message:
        case Put(article=article, count=count):
            return [PutIn(article=article, count=count)]
        case Remove(article=article):
            if not state:
                raise Rejected("the basket is empty")
            # FAULT: the basket is not empty, but this article need not be in it: update fails with a KeyError.
            return [Removed(article=article)]


def update(event: PutIn | Removed, state: dict[str, int]) -> dict[str, int]:
    """Return the basket after `event`."""
    basket = dict(state)
    match event:
        case PutIn(article=article, count=count):
            basket[article] = basket.get(article, 0) + count
        case Removed(article=article):
            del basket[article]
    return basket
