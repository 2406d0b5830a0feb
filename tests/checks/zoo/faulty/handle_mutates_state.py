"""An emergency ward: patients wait with an urgency, and the most urgent is treated next."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Annotated

from pydantic import Field

from pachyderm_cli import Event, Message, Rejected

Urgency = Annotated[int, Field(ge=1, le=5)]


class Admit(Message):
    urgency: Urgency


class TreatNext(Message):
    pass


class Admitted(Event):
    number: int
    urgency: Urgency


class Treated(Event):
    number: int


@dataclass
class Patient:
    number: int
    urgency: int


@dataclass
class Ward:
    waiting: list[Patient] = field(default_factory=list)
    admitted: int = 0


def init() -> Ward:
    """Return the empty ward."""
    return Ward()


def handle(message: Admit | TreatNext, state: Ward) -> Iterator[Admitted | Treated]:
    """Admit everybody, treat the most urgent."""
    match message:
        case Admit(urgency=urgency):
            yield Admitted(number=state.admitted + 1, urgency=urgency)
        case TreatNext():
            if not state.waiting:
                raise Rejected("nobody is waiting")
            state.waiting.sort(key=lambda patient: (patient.urgency, patient.number))
            # FAULT: the state that handle was given is changed: it loses the patient.
            patient = state.waiting.pop(0)
            yield Treated(number=patient.number)


def update(event: Admitted | Treated, state: Ward) -> Ward:
    """Return the ward after `event`."""
    match event:
        case Admitted(number=number, urgency=urgency):
            return Ward(waiting=[*state.waiting, Patient(number, urgency)], admitted=number)
        case Treated(number=number):
            return replace(state, waiting=[each for each in state.waiting if each.number != number])
