"""A parcel service's customer: the fees of the parcels that were sent."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from pachyderm_cli import Event, Message, Rejected

Zone = Literal["home", "abroad"]
Kilos = Annotated[int, Field(ge=1, le=20)]

_fees: dict[str, int] = {}


class Ship(Message):
    zone: Zone
    kilos: Kilos


class Pay(Message):
    pass


class Shipped(Event):
    zone: Zone
    kilos: Kilos


class Paid(Event):
    pass


class Customer(BaseModel):
    model_config = ConfigDict(frozen=True)

    fees: int = 0


def init() -> Customer:
    """Return the new customer."""
    return Customer()


def handle(message: Ship | Pay, state: Customer) -> Iterator[Shipped | Paid]:
    """Ship anything, pay what is due."""
    match message:
        case Ship(zone=zone, kilos=kilos):
            yield Shipped(zone=zone, kilos=kilos)
        case Pay():
            if not state.fees:
                raise Rejected("nothing is due")
            yield Paid()


def update(event: Shipped | Paid, state: Customer) -> Customer:
    """Return the customer after `event`."""
    match event:
        case Shipped(zone=zone, kilos=kilos):
            return Customer(fees=state.fees + _fee(zone, kilos))
        case Paid():
            return Customer()


def _fee(zone: str, kilos: int) -> int:
    # FAULT: the key lacks the weight, so the first parcel that this process has seen sets the fee of its zone.
    if zone not in _fees:
        _fees[zone] = {"home": 4, "abroad": 9}[zone] + kilos
    return _fees[zone]
