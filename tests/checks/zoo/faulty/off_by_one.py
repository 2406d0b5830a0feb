"""A lift that carries three people, and knows the floor it is on."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from pachyderm_cli import Event, Message, Rejected

CAPACITY = 3

Floor = Annotated[int, Field(ge=0, le=6)]


class Enter(Message):
    pass


class Leave(Message):
    pass


class Ride(Message):
    floor: Floor


class Entered(Event):
    pass


class Left(Event):
    pass


class Ridden(Event):
    floor: Floor


class Lift(BaseModel):
    model_config = ConfigDict(frozen=True)

    people: int = 0
    floor: int = 0


def init() -> Lift:
    """Return the empty lift on the ground floor."""
    return Lift()


def invariant(state: Lift) -> bool:
    """Whether the lift carries no more than it may."""
    return 0 <= state.people <= CAPACITY


def handle(message: Enter | Leave | Ride, state: Lift) -> Iterator[Entered | Left | Ridden]:
    """Let people in while there is room."""
    match message:
        case Enter():
            if state.people > CAPACITY:  # FAULT: a full lift lets one more in; `>=` is meant.
                raise Rejected("the lift is full")
            yield Entered()
        case Leave():
            if not state.people:
                raise Rejected("the lift is empty")
            yield Left()
        case Ride(floor=floor):
            if floor != state.floor:
                yield Ridden(floor=floor)


def update(event: Entered | Left | Ridden, state: Lift) -> Lift:
    """Return the lift after `event`."""
    match event:
        case Entered():
            return state.model_copy(update={"people": state.people + 1})
        case Left():
            return state.model_copy(update={"people": state.people - 1})
        case Ridden(floor=floor):
            return state.model_copy(update={"floor": floor})
