"""A bank account: it is opened once, never overdrawn, and closed when it is empty."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from entities._money import ZERO, PositiveMoney
from pachyderm_cli import Event, Message, Rejected

Owner = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Open(Message):
    """Open the account in the name of `owner`."""

    owner: Owner


class Deposit(Message):
    """Pay `amount` in."""

    amount: PositiveMoney


class Withdraw(Message):
    """Take `amount` out."""

    amount: PositiveMoney


class Close(Message):
    """Close the account for good."""


class Opened(Event):
    """The account was opened; it is empty."""

    owner: str


class Deposited(Event):
    """`amount` came in."""

    amount: PositiveMoney


class Withdrawn(Event):
    """`amount` went out."""

    amount: PositiveMoney


class Closed(Event):
    """The account was closed; it was empty."""


class State(BaseModel):
    """Whose account it is, whether it can be used, and what is in it."""

    model_config = ConfigDict(frozen=True)

    status: Literal["unopened", "open", "closed"] = "unopened"
    owner: str = ""
    balance: Decimal = ZERO


def init() -> State:
    """Return the account before it is opened."""
    return State()


def handle(
    message: Open | Deposit | Withdraw | Close, state: State
) -> Iterator[Opened | Deposited | Withdrawn | Closed]:
    """Decide on one message.

    Rejected: opening twice, using an account that is not open, an overdraft, closing one that holds money.
    """
    if isinstance(message, Open):
        if state.status != "unopened":
            raise Rejected(f"cannot open the account again: it was opened for {state.owner}")
    elif state.status == "unopened":
        raise Rejected("the account has not been opened yet")
    elif state.status == "closed":
        raise Rejected("the account is closed")
    match message:
        case Open(owner=owner):
            yield Opened(owner=owner)
        case Deposit(amount=amount):
            yield Deposited(amount=amount)
        case Withdraw(amount=amount):
            if amount > state.balance:
                raise Rejected(f"cannot withdraw {amount}: the balance is {state.balance}")
            yield Withdrawn(amount=amount)
        case Close():
            if state.balance:
                raise Rejected(f"cannot close the account: it still holds {state.balance}")
            yield Closed()


def update(event: Opened | Deposited | Withdrawn | Closed, state: State) -> State:
    """Return the account after `event`."""
    match event:
        case Opened(owner=owner):
            return state.model_copy(update={"status": "open", "owner": owner})
        case Deposited(amount=amount):
            return state.model_copy(update={"balance": state.balance + amount})
        case Withdrawn(amount=amount):
            return state.model_copy(update={"balance": state.balance - amount})
        case Closed():
            return state.model_copy(update={"status": "closed"})
