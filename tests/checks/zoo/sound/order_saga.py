"""An order: a saga that asks a warehouse for goods and waits for the answer, with sends, a timer, and its removal."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from pachyderm_cli import CancelTimer, Context, Event, Message, Reference, Rejected, Send, Timer

PATIENCE = "patience"

Count = Annotated[int, Field(ge=1, le=100)]


class Place(Message):
    warehouse: UUID
    count: Count
    patience: Annotated[timedelta, Field(ge=timedelta(seconds=1), le=timedelta(days=7))] = timedelta(hours=1)


class Confirm(Message):
    pass


class Deny(Message):
    reason: str = Field(default="sold out", max_length=50)


class GiveUp(Message):
    pass


class Reserve(Message):
    """What the warehouse is sent."""

    order: UUID
    count: Count


class Free(Message):
    """What the warehouse is sent for an order that was given up."""

    order: UUID


class Placed(Event):
    warehouse: UUID
    count: Count


class Confirmed(Event):
    pass


class Denied(Event):
    reason: str


class GivenUp(Event):
    pass


class Order(BaseModel):
    model_config = ConfigDict(frozen=True)

    status: Literal["new", "waiting", "confirmed", "denied", "given up"] = "new"
    warehouse: UUID | None = None
    count: int = 0


def init() -> Order:
    """Return the order before it is placed."""
    return Order()


def handle(
    message: Place | Confirm | Deny | GiveUp, state: Order, context: Context
) -> Iterator[Placed | Confirmed | Denied | GivenUp | Send | Timer | CancelTimer]:
    """Take the next step."""
    me = context.reference.id
    match message, state.status:
        case Place(warehouse=warehouse, count=count, patience=patience), "new":
            yield Placed(warehouse=warehouse, count=count)
            yield Send(to=Reference("warehouse", warehouse), message=Reserve(order=me, count=count), on_rejected=Deny())
            yield Timer(PATIENCE, after=patience, message=GiveUp())
        case Confirm(), "waiting":
            yield Confirmed()
            yield CancelTimer(PATIENCE)
        case Deny(reason=reason), "waiting":
            yield Denied(reason=reason)
            yield CancelTimer(PATIENCE)
        case GiveUp(), "waiting" if state.warehouse is not None:
            yield GivenUp()
            yield Send(to=f"warehouse:{state.warehouse}", message=Free(order=me))
            yield Send(to="statistics:@orders", message=GiveUp(), at=context.now)
        case Confirm(), "given up":
            return
        case _:
            raise Rejected(f"an order that is {state.status} takes no {type(message).__name__}")


def update(event: Placed | Confirmed | Denied | GivenUp, state: Order) -> Order:
    """Return the order after `event`."""
    match event:
        case Placed(warehouse=warehouse, count=count):
            return Order(status="waiting", warehouse=warehouse, count=count)
        case Confirmed():
            return state.model_copy(update={"status": "confirmed"})
        case Denied():
            return state.model_copy(update={"status": "denied"})
        case GivenUp():
            return state.model_copy(update={"status": "given up"})
