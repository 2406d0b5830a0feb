"""A price list: what the articles of a shop cost."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pachyderm_cli import Event, Message, Rejected

Article = Literal["pen", "ink", "paper"]
Price = Annotated[Decimal, Field(gt=0, max_digits=6, decimal_places=2)]


class SetPrice(Message):
    article: Article
    price: Price


class Discontinue(Message):
    article: Article


class PriceSet(Event):
    article: Article
    price: Price


class Discontinued(Event):
    article: Article


class PriceList(BaseModel):
    model_config = ConfigDict(frozen=True)

    # FAULT: a Decimal in an untyped field is a string when it comes back from JSON; dict[str, Decimal] would keep it.
    prices: dict[str, Any] = {}


def init() -> PriceList:
    """Return the empty list."""
    return PriceList()


def handle(message: SetPrice | Discontinue, state: PriceList) -> Iterator[PriceSet | Discontinued]:
    """Set whatever changes."""
    match message:
        case SetPrice(article=article, price=price):
            if state.prices.get(article) != price:
                yield PriceSet(article=article, price=price)
        case Discontinue(article=article):
            if article not in state.prices:
                raise Rejected(f"there is no {article}")
            yield Discontinued(article=article)


def update(event: PriceSet | Discontinued, state: PriceList) -> PriceList:
    """Return the list after `event`."""
    match event:
        case PriceSet(article=article, price=price):
            return PriceList(prices={**state.prices, article: price})
        case Discontinued(article=gone):
            return PriceList(prices={article: price for article, price in state.prices.items() if article != gone})
