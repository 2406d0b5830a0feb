"""What a check finds: the properties, what breaks them, and the whole report of one entity type."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Property(StrEnum):
    """What is checked, by the names that reports use."""

    TOTAL = "total"
    PURE_UPDATE = "pure_update"
    PURE_HANDLE = "pure_handle"
    FAITHFUL = "faithful"
    ATOMIC = "atomic"
    INVARIANT = "invariant"
    REACHABLE = "reachable"


TITLES = {
    Property.TOTAL: "handle and update answer in every reachable state",
    Property.PURE_UPDATE: "update gives the same again, and changes nothing that it is given",
    Property.PURE_HANDLE: "handle decides the same again, and changes nothing that it is given",
    Property.FAITHFUL: "messages, events, effects and states survive JSON",
    Property.ATOMIC: "a rejection leaves nothing, effects come with events",
    Property.INVARIANT: "invariants hold in every reachable state",
    Property.REACHABLE: "no part of the module stands in the way of another",
}
"""The properties in words."""


def sentence(wanted: Property) -> str:
    """Return a property as a sentence."""
    title = TITLES[wanted]
    return f"{title[0].upper()}{title[1:]}."


class Step(NamedTuple):
    """One message of a sequence, as JSON text; `wait` seconds after the one before; `dice` makes its id."""

    message: str
    data: str
    wait: int = 0
    dice: int = 0


@dataclass(frozen=True)
class Fault:
    """How a property was broken: what happened, where, and what differs at which paths.

    As JSON text: the state `before` the step, what came `after` it, and what came `otherwise`, when it was done again.
    The paths are where the last two of those differ that there are.
    """

    property: Property
    problem: str
    file: str
    line: int
    before: str | None = None
    after: str | None = None
    otherwise: str | None = None
    paths: tuple[str, ...] = ()


class Broken(Exception):
    """A fault came up."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.problem)
        self.fault = fault


@dataclass(frozen=True)
class Counterexample:
    """The smallest sequence of messages that was found to break a property, and how."""

    fault: Fault
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Remark:
    """What the source says without being run. A `certain` one breaks its property, a hint may be right all the same."""

    property: Property
    problem: str
    file: str
    line: int
    certain: bool


@dataclass
class Report:
    """All that was found about one entity type."""

    entity_type: str
    file: str
    seed: int
    examples: dict[Property, int] = field(default_factory=dict)
    counterexamples: list[Counterexample] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    invariants: tuple[str, ...] = ()

    def failed(self) -> set[Property]:
        """Return the properties that do not hold."""
        certain = {remark.property for remark in self.remarks if remark.certain}
        return certain | {each.fault.property for each in self.counterexamples}

    @property
    def is_sound(self) -> bool:
        """Whether every property holds, as far as was looked."""
        return not self.failed()
