"""A customer's record: the address, the number of moves, and whether mail is wanted."""

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel

from pachyderm_cli import Event, Message, Rejected

Town = Literal["Rome", "Oslo", "Bern"]


class Move(Message):
    town: Town


class AllowMail(Message):
    allowed: bool = True


class Moved(Event):
    town: str


class MailAllowed(Event):
    allowed: bool


class Address(BaseModel):
    town: str = "Rome"
    moves: int = 0


class Customer(BaseModel):
    address: Address
    mail: bool = False


def init() -> Customer:
    """Return the new customer."""
    return Customer(address=Address())


def handle(message: Move | AllowMail, state: Customer) -> Iterator[Moved | MailAllowed]:
    """Note whatever changes."""
    match message:
        case Move(town=town):
            if town == state.address.town:
                raise Rejected(f"the customer lives in {town}")
            yield Moved(town=town)
        case AllowMail(allowed=allowed):
            if allowed != state.mail:
                yield MailAllowed(allowed=allowed)


def update(event: Moved | MailAllowed, state: Customer) -> Customer:
    """Return the customer after `event`."""
    customer = state.model_copy()
    match event:
        case Moved(town=town):
            # FAULT: model_copy is shallow: the address is the old state's too, and changes there as well.
            customer.address.town = town
            customer.address.moves += 1
        case MailAllowed(allowed=allowed):
            customer.mail = allowed
    return customer
