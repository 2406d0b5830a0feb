"""A delivery round: the stops it was planned with, and those that were added on the way."""

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from pachyderm_cli import Event, Message, Rejected

Street = Literal["Elm", "Oak", "Ash"]


class Plan(Message):
    stops: Annotated[list[Street], Field(min_length=1, max_length=4)]


class AddStop(Message):
    stop: Street


class Planned(Event):
    stops: list[Street]


class StopAdded(Event):
    stop: Street


@dataclass
class Round:
    stops: list[Street] = field(default_factory=list)


def init() -> Round:
    """Return the round before it is planned."""
    return Round()


def handle(message: Plan | AddStop, state: Round) -> Iterator[Planned | StopAdded]:
    """Plan once, then add."""
    match message:
        case Plan(stops=stops):
            if state.stops:
                raise Rejected("the round is planned")
            yield Planned(stops=stops)
        case AddStop(stop=stop):
            if not state.stops:
                raise Rejected("the round is not planned")
            yield StopAdded(stop=stop)


def update(event: Planned | StopAdded, state: Round) -> Round:
    """Return the round after `event`."""
    match event:
        case Planned(stops=stops):
            return Round(stops=stops)
        case StopAdded(stop=stop):
            longer = copy(state)
            # FAULT: the copy is shallow: this is the list of the old state, and of the event Planned as well.
            longer.stops.append(stop)
            return longer
