"""A transfer of money between two accounts: a saga, which is work in several steps that may each fail.

It takes the money from the source, and then gives it to the target. If the target does not want it, or the source took
so long that the transfer was given up meanwhile, the money goes back:

    unstarted -> taking -> giving -> completed
                           giving -> refunding -> refunded      the target rejected it
                 taking -> giving up -> refunding -> refunded   the source gave it too late
                 taking, giving up -> refused                   the source rejected it

Once the money is taken it is too late to give up: the target may have it already, and will answer. The source cannot
be closed before the transfer has settled, so whatever goes back to it finds it open.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from entities._money import ZERO, PositiveMoney
from entities.account import Give, Given, Settle, Take, Taken
from pachyderm_cli import CancelTimer, Context, Event, Message, Rejected, Send, Timer

PATIENCE = "patience"  # the timer's name

_ACCOUNT = re.compile(r"account:(@.+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})")


def _account(reference: str) -> str:
    """Return `reference` if it names an account as a whole: a message is sent to no prefix of an id."""
    if not _ACCOUNT.fullmatch(reference) or not reference.isprintable():
        raise ValueError("write account:@NAME, or account:ID with the whole id")
    return reference


def strategies() -> dict[str, Any]:
    """Return what `pachyderm check` cannot guess: values of the fields that are text of a form of their own."""
    from hypothesis import strategies as st  # noqa: PLC0415 - only the checks need it

    accounts = st.sampled_from(["account:@ada", "account:@eve"])
    return {"Start.source": accounts, "Start.target": accounts}


Account = Annotated[str, AfterValidator(_account)]
Patience = Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(days=365))]


class Start(Message):
    """Move `amount` from `source` to `target`; give up if the source takes longer than `patience` to answer."""

    source: Account
    target: Account
    amount: PositiveMoney
    patience: Patience = timedelta(minutes=1)


class GiveUp(Message):
    """Wait no longer for the source; if it gives the money after all, it gets it back."""


class NotTaken(Message):
    """Know that the source does not give the money."""


class NotGiven(Message):
    """Know that the target does not take the money."""


class Started(Event):
    """The source was asked for the money."""

    source: str
    target: str
    amount: PositiveMoney


class GivenUp(Event):
    """The source did not answer in time."""


class MoneyTaken(Event):
    """The money left the source; it is in the hands of the transfer."""


class SourceRefused(Event):
    """The source did not give the money: nothing has moved."""


class TargetRefused(Event):
    """The target did not want the money."""


class Completed(Event):
    """The money is at the target."""


class Refunded(Event):
    """The money is back at the source."""


Status = Literal["unstarted", "taking", "giving up", "giving", "refunding", "completed", "refused", "refunded"]


class State(BaseModel):
    """What is to be moved from where to where, and how far that is."""

    model_config = ConfigDict(frozen=True)

    status: Status = "unstarted"
    source: str = ""
    target: str = ""
    amount: Decimal = ZERO


TransferMessage = Start | GiveUp | Taken | NotTaken | Given | NotGiven
TransferEvent = Started | GivenUp | MoneyTaken | SourceRefused | TargetRefused | Completed | Refunded


def init() -> State:
    """Return the transfer before it is started."""
    return State()


def handle(
    message: TransferMessage, state: State, context: Context
) -> Iterator[TransferEvent | Send | Timer | CancelTimer]:
    """Take the next step.

    Rejected: whatever the transfer is not waiting for, such as starting again, or giving up when it is too late.
    """
    me = context.reference.id
    match message, state.status:
        case Start(source=source, target=target, amount=amount, patience=patience), "unstarted":
            if source == target:
                raise Rejected("the source and the target are one account")
            yield Started(source=source, target=target, amount=amount)
            yield Send(to=source, message=Take(amount=amount, transfer=me), on_rejected=NotTaken())
            yield Timer(PATIENCE, after=patience, message=GiveUp())
        case GiveUp(), "taking":
            yield GivenUp()
            yield CancelTimer(PATIENCE)  # for it may be somebody else who gives up
        case NotTaken(), "taking":
            yield SourceRefused()
            yield CancelTimer(PATIENCE)
        case NotTaken(), "giving up":
            yield SourceRefused()
        case Taken(), "taking":
            yield MoneyTaken()
            yield CancelTimer(PATIENCE)
            yield Send(to=state.target, message=Give(amount=state.amount, transfer=me), on_rejected=NotGiven())
        case Taken(), "giving up":
            yield MoneyTaken()
            yield Send(to=state.source, message=Give(amount=state.amount, transfer=me))
        case NotGiven(), "giving":
            yield TargetRefused()
            yield Send(to=state.source, message=Give(amount=state.amount, transfer=me))
        case Given(), "giving":
            yield Completed()
            yield Send(to=state.source, message=Settle(transfer=me))
        case Given(), "refunding":
            yield Refunded()
        case _:
            raise Rejected(f"a transfer that is {state.status} takes no {type(message).__name__}")


def update(event: TransferEvent, state: State) -> State:
    """Return the transfer after `event`."""
    match event:
        case Started(source=source, target=target, amount=amount):
            return State(status="taking", source=source, target=target, amount=amount)
        case GivenUp():
            return _with(state, "giving up")
        case MoneyTaken():
            return _with(state, "refunding" if state.status == "giving up" else "giving")
        case SourceRefused():
            return _with(state, "refused")
        case TargetRefused():
            return _with(state, "refunding")
        case Completed():
            return _with(state, "completed")
        case Refunded():
            return _with(state, "refunded")


def _with(state: State, status: Status) -> State:
    """Return `state` with another status."""
    return state.model_copy(update={"status": status})
