"""A bank account: it is opened once, never overdrawn, and closed when it is empty.

A transfer takes money from one account and gives it to another, or back if the other does not want it. So an account
that a transfer has taken money from stays open until the transfer has settled.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

from entities._money import ZERO, PositiveMoney
from pachyderm_cli import Event, Message, Question, Reference, Rejected, Send

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


class Take(Message):
    """Take `amount` out for a transfer, and tell it `Taken`."""

    amount: PositiveMoney
    transfer: UUID


class Give(Message):
    """Pay `amount` in from a transfer, and tell it `Given`."""

    amount: PositiveMoney
    transfer: UUID


class Settle(Message):
    """Know that what a transfer has taken will not come back."""

    transfer: UUID


class Taken(Message):
    """Tell a transfer that it has the money."""


class Given(Message):
    """Tell a transfer that the account has the money."""


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


class TransferredOut(Event):
    """A transfer took `amount`; it may come back."""

    amount: PositiveMoney
    transfer: UUID


class TransferredIn(Event):
    """A transfer gave `amount`, or gave it back."""

    amount: PositiveMoney
    transfer: UUID


class TransferSettled(Event):
    """What a transfer took will not come back."""

    transfer: UUID


class State(BaseModel):
    """Whose account it is, whether it can be used, what is in it, and the transfers that may give money back."""

    model_config = ConfigDict(frozen=True)

    status: Literal["unopened", "open", "closed"] = "unopened"
    owner: str = ""
    balance: Decimal = ZERO
    unsettled: tuple[UUID, ...] = ()


AccountMessage = Open | Deposit | Withdraw | Close | Take | Give | Settle
AccountEvent = Opened | Deposited | Withdrawn | Closed | TransferredOut | TransferredIn | TransferSettled


class CanPay(Question):
    """Whether the account could pay `amount` out."""

    amount: PositiveMoney


lookup = True  # accounts are found by their state: pachyderm list --type account --where 'balance>100'


def init() -> State:
    """Return the account before it is opened."""
    return State()


def handle(message: AccountMessage, state: State) -> Iterator[AccountEvent | Send]:
    """Decide on one message.

    Rejected: opening twice, using an account that is not open, an overdraft, closing one that holds money or that
    money may come back to.
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
            _require(amount, state)
            yield Withdrawn(amount=amount)
        case Close():
            if state.balance:
                raise Rejected(f"cannot close the account: it still holds {state.balance}")
            if state.unsettled:
                raise Rejected(f"cannot close the account: transfer {state.unsettled[0]} has not settled")
            yield Closed()
        case _:
            yield from _for_transfer(message, state)


def _for_transfer(
    message: Take | Give | Settle, state: State
) -> Iterator[TransferredOut | TransferredIn | TransferSettled | Send]:
    match message:
        case Take(amount=amount, transfer=transfer):
            if transfer in state.unsettled:
                raise Rejected(f"transfer {transfer} has its money already")
            _require(amount, state)
            yield TransferredOut(amount=amount, transfer=transfer)
            # A transfer that does not wait for it rejects it; then the money is put back.
            back = Give(amount=amount, transfer=transfer)
            yield Send(to=Reference("transfer", transfer), message=Taken(), on_rejected=back)
        case Give(amount=amount, transfer=transfer):
            yield TransferredIn(amount=amount, transfer=transfer)
            yield Send(to=Reference("transfer", transfer), message=Given())
        case Settle(transfer=transfer):
            if transfer in state.unsettled:
                yield TransferSettled(transfer=transfer)


def _require(amount: Decimal, state: State) -> None:
    if amount > state.balance:
        raise Rejected(f"cannot withdraw {amount}: the balance is {state.balance}")


def update(event: AccountEvent, state: State) -> State:
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
        case TransferredOut(amount=amount, transfer=transfer):
            unsettled = (*state.unsettled, transfer)
            return state.model_copy(update={"balance": state.balance - amount, "unsettled": unsettled})
        case TransferredIn(amount=amount, transfer=transfer):
            unsettled = _without(transfer, state.unsettled)
            return state.model_copy(update={"balance": state.balance + amount, "unsettled": unsettled})
        case TransferSettled(transfer=transfer):
            return state.model_copy(update={"unsettled": _without(transfer, state.unsettled)})


def _without(transfer: UUID, unsettled: tuple[UUID, ...]) -> tuple[UUID, ...]:
    return tuple(each for each in unsettled if each != transfer)


def query(question: CanPay, state: State) -> bool:
    """Tell whether the account is open and holds enough."""
    return state.status == "open" and state.balance >= question.amount
