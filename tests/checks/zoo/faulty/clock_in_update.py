"""A rental bicycle: where it stands or since when it is out, and how many trips it has made."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from pachyderm_cli import Event, Message, Rejected

Station = Literal["north", "south", "harbour"]


class Rent(Message):
    pass


class Return(Message):
    station: Station


class Rented(Event):
    pass


class Returned(Event):
    station: Station


@dataclass(frozen=True)
class Bicycle:
    station: str | None = "north"
    since: datetime | None = None
    trips: int = 0


def init() -> Bicycle:
    """Return the new bicycle."""
    return Bicycle()


def handle(message: Rent | Return, state: Bicycle) -> Iterator[Rented | Returned]:
    """Rent it where it stands, return it anywhere."""
    match message:
        case Rent():
            if state.station is None:
                raise Rejected("it is out")
            yield Rented()
        case Return(station=station):
            if state.station is not None:
                raise Rejected("it is in")
            yield Returned(station=station)


def update(event: Rented | Returned, state: Bicycle) -> Bicycle:
    """Return the bicycle after `event`."""
    match event:
        case Rented():
            # FAULT: the time of the replay, not that of the rental: the event should carry it.
            return replace(state, station=None, since=datetime.now(UTC))
        case Returned(station=station):
            return replace(state, station=station, since=None, trips=state.trips + 1)
