"""A customer's invoices: each has a number, and is paid or not."""

import itertools
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from pachyderm_cli import Event, Message, Rejected

Amount = Annotated[int, Field(ge=1, le=100)]

_numbers = itertools.count(1)


class Issue(Message):
    amount: Amount


class PayOldest(Message):
    pass


class Issued(Event):
    amount: Amount


class OldestPaid(Event):
    pass


def init() -> dict[int, int]:
    """Return the customer without invoices: what is owed, by number."""
    return {}


def handle(message: Issue | PayOldest, state: dict[int, int]) -> Iterator[Issued | OldestPaid]:
    """Issue an invoice, or pay the oldest."""
    match message:
        case Issue(amount=amount):
            yield Issued(amount=amount)
        case PayOldest():
            if not state:
                raise Rejected("nothing is owed")
            yield OldestPaid()


def update(event: Issued | OldestPaid, state: dict[int, int]) -> dict[int, int]:
    """Return the invoices after `event`."""
    match event:
        case Issued(amount=amount):
            # FAULT: the number depends on how often this process has called update, for whatever entity.
            return {**state, next(_numbers): amount}
        case OldestPaid():
            oldest = min(state)
            return {number: amount for number, amount in state.items() if number != oldest}
