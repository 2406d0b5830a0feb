"""A till for the tests of `pachyderm_cli.testing`: it takes money, rings, says when, and refuses."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pachyderm_cli import Context, Effect, Event, Message, Rejected


class Pay(Message):
    amount: Decimal = Field(ge=0, le=100, decimal_places=2)


class Look(Message):
    pass


class Paid(Event):
    amount: Decimal
    at: datetime


class Counted(Event):
    payments: int


class Ring(Effect):
    times: int = 1

    def dispatch(self, config: Mapping[str, Any]) -> None:
        """Ring nowhere."""


class Till(BaseModel):
    model_config = ConfigDict(frozen=True)

    sum: Decimal = Decimal(0)
    payments: int = 0


def init() -> Till:
    """Return the empty till."""
    return Till()


def handle(message: Pay | Look, state: Till, context: Context) -> Iterator[Paid | Counted | Ring]:
    """Take what is something; count every second payment."""
    if isinstance(message, Look):
        return
    if not message.amount:
        raise Rejected("that is nothing")
    yield Paid(amount=message.amount, at=context.now)
    if state.payments % 2:
        yield Ring(times=2)
        yield Counted(payments=state.payments + 1)


def update(event: Paid | Counted, state: Till) -> Till:
    """Return the till after `event`."""
    if isinstance(event, Counted):
        return state
    return Till(sum=state.sum + event.amount, payments=state.payments + 1)
