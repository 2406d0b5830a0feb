"""An electricity meter: the consumption of day and night, which have tariffs of their own."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from pachyderm_cli import Event, Message, Rejected

EARLIEST, LATEST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)

Moment = Annotated[AwareDatetime, Field(ge=EARLIEST, lt=LATEST)]
Units = Annotated[int, Field(ge=1, le=20)]


class Measure(Message):
    at: Moment
    units: Units


class Bill(Message):
    pass


class Measured(Event):
    at: Moment
    units: Units


class Billed(Event):
    pass


class Meter(BaseModel):
    model_config = ConfigDict(frozen=True)

    by_hour: dict[int, int] = {}


def init() -> Meter:
    """Return the meter that has measured nothing."""
    return Meter()


def handle(message: Measure | Bill, state: Meter) -> Iterator[Measured | Billed]:
    """Note every measurement, bill what was measured."""
    match message:
        case Measure(at=at, units=units):
            yield Measured(at=at, units=units)
        case Bill():
            if not state.by_hour:
                raise Rejected("nothing was measured")
            yield Billed()


def update(event: Measured | Billed, state: Meter) -> Meter:
    """Return the meter after `event`."""
    match event:
        case Measured(at=at, units=units):
            # FAULT: the hour is that of the computer's timezone, so that another one folds to other hours.
            hour = at.astimezone().hour
            return Meter(by_hour={**state.by_hour, hour: state.by_hour.get(hour, 0) + units})
        case Billed():
            return Meter()
