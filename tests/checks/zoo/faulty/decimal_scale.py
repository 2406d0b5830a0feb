"""A collection box: what was given for a good cause, to the cent."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer

from pachyderm_cli import Event, Message, Rejected

CENT = Decimal("0.01")


def _in_cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT)


Amount = Annotated[Decimal, Field(gt=0, max_digits=6, decimal_places=2), AfterValidator(_in_cents)]
# FAULT: a number in JSON keeps no trailing zeros: 1.50 comes back as 1.5.
Total = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]


class Give(Message):
    amount: Amount


class Empty(Message):
    pass


class Given(Event):
    amount: Amount


class Emptied(Event):
    pass


class Box(BaseModel):
    model_config = ConfigDict(frozen=True)

    total: Total = Decimal("0.00")
    gifts: int = 0


def init() -> Box:
    """Return the empty box."""
    return Box()


def handle(message: Give | Empty, state: Box) -> Iterator[Given | Emptied]:
    """Take every gift; empty a box that holds some."""
    match message:
        case Give(amount=amount):
            yield Given(amount=amount)
        case Empty():
            if not state.gifts:
                raise Rejected("the box is empty")
            yield Emptied()


def update(event: Given | Emptied, state: Box) -> Box:
    """Return the box after `event`."""
    match event:
        case Given(amount=amount):
            return Box(total=state.total + amount, gifts=state.gifts + 1)
        case Emptied():
            return Box()
