"""What has to hold among the rows of one entity: its events, its head, and what belongs to a version of it.

The one place that says so: for verifying, which reads entity by entity, and for importing, which reads as they come.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from pachyderm_cli.store.records import ERASED
from pachyderm_cli.store.sound_rows import Fault
from pachyderm_cli.store.sound_values import is_time


class Step(Protocol):
    """What of an event counts for those after it."""

    @property
    def version(self) -> int: ...  # noqa: D102 - as the column of that name, here and below
    @property
    def position(self) -> int: ...  # noqa: D102
    @property
    def entity_type(self) -> str: ...  # noqa: D102
    @property
    def type(self) -> str: ...  # noqa: D102
    @property
    def message_id(self) -> str: ...  # noqa: D102
    @property
    def ordinal(self) -> int: ...  # noqa: D102
    @property
    def recorded_at(self) -> str: ...  # noqa: D102


class StoredHead(NamedTuple):
    """A head as it is stored."""

    type: str
    version: int
    position: int
    created_at: str
    updated_at: str


class First(NamedTuple):
    """What of an entity's first event counts for its head."""

    version: int
    recorded_at: str
    message_id: str
    caused_by: str | None


class Copied(NamedTuple):
    """What is noted of a copy: so many versions were copied, and when."""

    version: int
    at: str


def faults_of_next(before: Step | None, event: Step) -> Iterator[Fault]:
    """Yield what is wrong with an entity's next event, beside the one before it; `before` is None for the first."""
    if event.type == ERASED or (before is not None and before.type == ERASED):
        if before is not None:
            yield Fault("erased", "the entity was erased, and that is not the only row of its history")
    else:
        yield from _faults_of_order(before, event)
    if before is not None and event.position <= before.position:
        yield Fault("position", f"its position {event.position} does not come after {before.position}")


def _faults_of_order(before: Step | None, event: Step) -> Iterator[Fault]:
    expected = 1 if before is None else before.version + 1
    if event.version != expected:
        yield Fault("version", f"version {expected} is missing: the next one is {event.version}")
        return  # what is missing may be of the same message
    of_the_same = before is not None and before.message_id == event.message_id
    ordinal = before.ordinal + 1 if before is not None and of_the_same else 0
    if event.ordinal != ordinal:
        told = f"it is number {event.ordinal} of the message {event.message_id}, where number {ordinal} is due"
        yield Fault("ordinal", told)


def faults_of_head(head: StoredHead | None, first: First, last: Step, copied: Copied | None) -> Iterator[Fault]:
    """Yield what is wrong with an entity's head, None for one that is not there, beside its first and last events.

    Its position is at most that of the last event: it is that of the first one of the last message, or what Postgres
    was about to draw then, or, after an import, that of an event before.
    """
    if head is None:
        yield Fault("head", f"there are events up to version {last.version}, and no such entity")
        return
    if head.version != last.version:
        told = f"the entity is said to be at version {head.version}, and its events end at version {last.version}"
        yield Fault("head", told)
        return
    if (head.type == ERASED) != (last.type == ERASED):
        told = "its head says that the entity was erased, and its events are there"
        yield Fault("erased", told if head.type == ERASED else "the events were erased, its head says not so")
        return
    if last.type != ERASED and head.type != last.entity_type:
        yield Fault("head", f"the entity is said to be a {head.type}, and {last.entity_type} handled it last")
    if head.position > last.position:
        yield Fault("head", f"the head's position {head.position} is beyond the last event's, {last.position}")
    yield from _faults_of_times(head, first, last, None if last.type == ERASED else copied)


def _faults_of_times(head: StoredHead, first: First, last: Step, copied: Copied | None) -> Iterator[Fault]:
    """Yield which of a head's times is not that of its first or last event, or for a copy that at which it was made.

    An event with a cause may be a copy of which nothing is noted any more: of an import that was given up.
    """
    may_be_copied = first.caused_by is not None and copied is None
    times = {}
    if not may_be_copied and first.version in {1, last.version}:  # else what is missing was told
        times["created"] = (head.created_at, first.recorded_at if copied is None else copied.at)
    if not may_be_copied or last.message_id != first.message_id:
        is_as_copied = copied is not None and last.version <= copied.version
        times["last written"] = (head.updated_at, copied.at if copied and is_as_copied else last.recorded_at)
    for name, (said, moment) in times.items():
        if said != moment and is_time(said) and is_time(moment):  # what is none was told by itself
            yield Fault("head", f"the entity is said to be {name} at {said}, and that was at {moment}")


def faults_of_belonging(check: str, version: int, head_type: str | None, head_version: int | None) -> Iterator[Fault]:
    """Yield what is wrong with a row that belongs to an entity at a version, beside the entity's head."""
    if head_version is None:
        yield Fault(check, "there is no such entity")
    elif head_type == ERASED:
        yield Fault("erased", f"the entity was erased, and this is left of it: {check} at {version}")
    elif not 1 <= version <= head_version:
        yield Fault(check, f"it is of version {version}, and the entity is at {head_version}")


def faults_of_copy(version: int, opening: int) -> Iterator[Fault]:
    """Yield what is wrong with what is noted of a copy: all that is copied is one message, of `opening` events."""
    if version != opening:
        yield Fault("fork", f"{version} versions are said to be copied, and {opening} were")
