"""A prepaid card: a shop holds an amount, and captures or releases the oldest hold later; it starts with ten euros."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from pachyderm_cli import Event, Message, Rejected

Amount = Annotated[int, Field(ge=1, le=10)]


class Hold(Message):
    amount: Amount


class Capture(Message):
    pass


class Release(Message):
    pass


class Held(Event):
    amount: Amount


class Captured(Event):
    pass


class Released(Event):
    pass


class Card(BaseModel):
    model_config = ConfigDict(frozen=True)

    balance: int = 10
    holds: tuple[int, ...] = ()


def init() -> Card:
    """Return the new card."""
    return Card()


def invariant(state: Card) -> bool:
    """Whether the card is not overdrawn."""
    return state.balance >= 0


def handle(message: Hold | Capture | Release, state: Card) -> Iterator[Held | Captured | Released]:
    """Hold what is there, capture or release what is held."""
    match message:
        case Hold(amount=amount):
            # FAULT: what others hold already is not taken off the balance, so two holds can exceed it together.
            if amount > state.balance:
                raise Rejected(f"the balance is {state.balance}")
            yield Held(amount=amount)
        case Capture() | Release() if not state.holds:
            raise Rejected("nothing is held")
        case Capture():
            yield Captured()
        case Release():
            yield Released()


def update(event: Held | Captured | Released, state: Card) -> Card:
    """Return the card after `event`."""
    match event:
        case Held(amount=amount):
            return Card(balance=state.balance, holds=(*state.holds, amount))
        case Captured():
            return Card(balance=state.balance - state.holds[0], holds=state.holds[1:])
        case Released():
            return Card(balance=state.balance, holds=state.holds[1:])
