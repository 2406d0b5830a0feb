"""A waiting room: patients are called in the order in which they came."""

from collections.abc import Iterator
from typing import Literal

from pachyderm_cli import Event, Message, Rejected

Patient = Literal["ada", "ben", "cleo", "dan"]


class Arrive(Message):
    patient: Patient


class CallNext(Message):
    pass


class Arrived(Event):
    patient: str


class Called(Event):
    patient: str


def init() -> list[str]:
    """Return the empty room."""
    return []


def handle(message: Arrive | CallNext, state: list[str]) -> Iterator[Arrived | Called]:
    """Let everybody wait once, and call the first."""
    match message:
        case Arrive(patient=patient):
            if patient in state:
                raise Rejected(f"{patient} is waiting")
            yield Arrived(patient=patient)
        case CallNext():
            # FAULT: there may be nobody: an IndexError, where a rejection is meant.
            yield Called(patient=state[0])


def update(event: Arrived | Called, state: list[str]) -> list[str]:
    """Return the room after `event`."""
    match event:
        case Arrived(patient=patient):
            return [*state, patient]
        case Called(patient=called):
            return [patient for patient in state if patient != called]
