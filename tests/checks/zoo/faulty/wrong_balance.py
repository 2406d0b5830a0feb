"""A savings account: a cheque counts only once it has cleared, and no more than what has cleared can be withdrawn."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from pachyderm_cli import Event, Message, Rejected, invariant

Amount = Annotated[int, Field(ge=1, le=50)]


class DepositCheque(Message):
    amount: Amount


class Clear(Message):
    """Know that all cheques have cleared."""


class Withdraw(Message):
    amount: Amount


class ChequeDeposited(Event):
    amount: Amount


class Cleared(Event):
    pass


class Withdrawn(Event):
    amount: Amount


@dataclass(frozen=True)
class Account:
    cleared: int = 0
    pending: int = 0


@invariant
def is_never_overdrawn(state: Account) -> bool:
    """Whether nothing was withdrawn that has not cleared."""
    return state.cleared >= 0 and state.pending >= 0


def init() -> Account:
    """Return the empty account."""
    return Account()


def handle(
    message: DepositCheque | Clear | Withdraw, state: Account
) -> Iterator[ChequeDeposited | Cleared | Withdrawn]:
    """Pay out what is there."""
    match message:
        case DepositCheque(amount=amount):
            yield ChequeDeposited(amount=amount)
        case Clear():
            if state.pending:
                yield Cleared()
        case Withdraw(amount=amount):
            if amount > state.cleared + state.pending:  # FAULT: what is pending does not count yet.
                raise Rejected(f"only {state.cleared} can be withdrawn")
            yield Withdrawn(amount=amount)


def update(event: ChequeDeposited | Cleared | Withdrawn, state: Account) -> Account:
    """Return the account after `event`."""
    match event:
        case ChequeDeposited(amount=amount):
            return Account(state.cleared, state.pending + amount)
        case Cleared():
            return Account(state.cleared + state.pending)
        case Withdrawn(amount=amount):
            return Account(state.cleared - amount, state.pending)
