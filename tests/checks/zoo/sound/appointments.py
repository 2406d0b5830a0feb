"""A surgery's calendar: aware times, UUIDs, enums, and fields that are optional or have defaults."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import Enum, IntEnum
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from pachyderm_cli import Context, Event, Message, Rejected, Timer, invariant

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


Moment = Annotated[AwareDatetime, Field(ge=EARLIEST, lt=LATEST), AfterValidator(_utc)]
Minutes = Annotated[int, Field(ge=5, le=240)]


class Room(Enum):
    NORTH = "n"
    SOUTH = "s"


class Urgency(IntEnum):
    LOW = 1
    HIGH = 2


class Book(Message):
    patient: UUID
    at: Moment
    minutes: Minutes = 30
    room: Room = Room.NORTH
    urgency: Urgency | None = None
    note: str | None = Field(default=None, max_length=100)


class Cancel(Message):
    patient: UUID | None = None


class Booked(Event):
    number: int
    patient: UUID
    begins: AwareDatetime
    ends: AwareDatetime
    room: Room
    urgency: Urgency | None = None
    note: str | None = None


class Cancelled(Event):
    numbers: tuple[int, ...]


class Appointment(BaseModel):
    model_config = ConfigDict(frozen=True)

    number: int
    patient: UUID
    begins: datetime
    ends: datetime
    room: Room
    urgency: Urgency | None


class Calendar(BaseModel):
    model_config = ConfigDict(frozen=True)

    appointments: tuple[Appointment, ...] = ()
    booked: int = 0


@invariant
def nothing_overlaps(state: Calendar) -> bool:
    """Whether no room is booked twice at a time."""
    return all(
        one.ends <= other.begins
        for room in Room
        for one, other in zip(_of(room, state), _of(room, state)[1:], strict=False)
    )


@invariant
def numbers_are_given_once(state: Calendar) -> bool:
    """Whether every appointment has a number of its own."""
    return len({each.number for each in state.appointments}) == len(state.appointments)


def init() -> Calendar:
    """Return the empty calendar."""
    return Calendar()


def handle(message: Book | Cancel, state: Calendar, context: Context) -> Iterator[Booked | Cancelled | Timer]:
    """Book a room that is free, cancel one patient's appointments or all."""
    match message:
        case Book(patient=patient, at=at, minutes=minutes, room=room, urgency=urgency, note=note):
            ends = at + timedelta(minutes=minutes)
            if any(each.begins < ends and at < each.ends for each in _of(room, state)):
                raise Rejected(f"room {room.value} is taken at {at}")
            number = state.booked + 1
            yield Booked(number=number, patient=patient, begins=at, ends=ends, room=room, urgency=urgency, note=note)
            if at > context.now:
                yield Timer(f"reminder {number}", at=at - timedelta(hours=1), message=Cancel(patient=patient))
        case Cancel(patient=patient):
            numbers = tuple(each.number for each in state.appointments if patient in (None, each.patient))
            if not numbers:
                raise Rejected("nothing is booked")
            yield Cancelled(numbers=numbers)


def _of(room: Room, state: Calendar) -> list[Appointment]:
    return [each for each in state.appointments if each.room is room]


def update(event: Booked | Cancelled, state: Calendar) -> Calendar:
    """Return the calendar after `event`, in the order of time."""
    match event:
        case Booked(number=number):
            added = Appointment(**event.model_dump(exclude={"note"}))
            appointments = sorted((*state.appointments, added), key=lambda each: (each.begins, each.number))
            return Calendar(appointments=tuple(appointments), booked=number)
        case Cancelled(numbers=gone):
            kept = tuple(each for each in state.appointments if each.number not in gone)
            return state.model_copy(update={"appointments": kept})
