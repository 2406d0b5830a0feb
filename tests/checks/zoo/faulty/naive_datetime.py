"""A dentist's calendar: what is booked in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pachyderm_cli import Context, Event, Message, Rejected


class Book(Message):
    patient: UUID
    at: datetime


class CancelAll(Message):
    patient: UUID


class Booked(Event):
    patient: UUID
    at: datetime


class AllCancelled(Event):
    patient: UUID


@dataclass(frozen=True)
class Appointment:
    patient: UUID
    at: datetime


@dataclass(frozen=True)
class Calendar:
    booked: tuple[Appointment, ...] = ()


def init() -> Calendar:
    """Return the empty calendar."""
    return Calendar()


def handle(message: Book | CancelAll, state: Calendar, context: Context) -> Iterator[Booked | AllCancelled]:
    """Book what lies ahead."""
    match message:
        case Book(patient=patient, at=at):
            # FAULT: `at` may have no timezone, and such a time cannot be compared with one that has: a TypeError.
            if at < context.now:
                raise Rejected("that is in the past")
            yield Booked(patient=patient, at=at)
        case CancelAll(patient=patient):
            if all(each.patient != patient for each in state.booked):
                raise Rejected("nothing is booked")
            yield AllCancelled(patient=patient)


def update(event: Booked | AllCancelled, state: Calendar) -> Calendar:
    """Return the calendar after `event`."""
    match event:
        case Booked(patient=patient, at=at):
            return Calendar(booked=(*state.booked, Appointment(patient, at)))
        case AllCancelled(patient=patient):
            return Calendar(booked=tuple(each for each in state.booked if each.patient != patient))
