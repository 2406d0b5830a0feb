"""What has to hold of a row, each beside the head of its entity: yields what does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from pachyderm_cli.domain.identifiers import back_id
from pachyderm_cli.store.findings import Finding, Place
from pachyderm_cli.store.records import EffectStatus
from pachyderm_cli.store.schema import ERASED

_ENDED = (EffectStatus.DONE, EffectStatus.REJECTED, EffectStatus.DISCARDED)
_KNOWN = (EffectStatus.PENDING, EffectStatus.PARKED, *_ENDED)

Row = tuple[Any, ...]


def head(network: str, row: Row) -> Iterator[Finding]:
    """Check the head of an entity, and whether it has events."""
    identifier, type_name, version, created_at, updated_at, has_events = row
    place = Place(network, (type_name, identifier), version)
    if not has_events:
        yield place.finding("head", f"the entity is said to be at version {version}, and has no events")
    yield from place.times(created_at=created_at, updated_at=updated_at)


def message(network: str, row: Row) -> Iterator[Finding]:
    """Tell of an event whose message led to an event of another entity too."""
    type_name, identifier, version, message_id, other = row
    place = Place(network, (type_name, identifier), version)
    yield place.finding("message", f"the message {message_id} led to this event, and to one of another entity, {other}")


def snapshot(network: str, row: Row) -> Iterator[Finding]:
    """Check a snapshot beside its entity."""
    type_name, identifier, version, state, taken_at, head_type, head_version = row
    place = Place(network, (type_name, identifier), version)
    yield from _kept(place, "snapshot", head_type, head_version)
    yield from place.json("the state of the snapshot", state)
    yield from place.times(taken_at=taken_at)


def lookup(network: str, row: Row) -> Iterator[Finding]:
    """Check a state that is kept for lookup beside its entity."""
    type_name, identifier, version, state, head_type, head_version = row
    place = Place(network, (type_name, identifier), version)
    yield from _kept(place, "lookup", head_type, head_version)
    yield from place.json("the state kept for lookup", state)


def _kept(place: Place, check: str, head_type: str | None, head_version: int | None) -> Iterator[Finding]:
    """Hold a row that belongs to an entity at a version against the entity's head."""
    if head_version is None:
        yield place.finding(check, "there is no such entity")
    elif head_type == ERASED:
        yield place.finding("erased", f"the entity was erased, and this is left of it: {check} at {place.version}")
    elif place.version is None or not 1 <= place.version <= head_version:
        yield place.finding(check, f"it is of version {place.version}, and the entity is at {head_version}")


def effect(network: str, row: Row) -> Iterator[Finding]:
    """Check an effect in the outbox beside the entity that emitted it."""
    identifier, type_name, entity_id, version, message_id, name, data, on_rejected, status, lease, *rest = row
    due_at, next_attempt_at, created_at, ended_at, led_to_events, head_type, head_version = rest
    place = Place(network, (type_name, entity_id), version)
    what = f"the effect {identifier} ({name})"
    for finding in _kept(place, "outbox", head_type, head_version):
        yield finding._replace(problem=f"{what}: {finding.problem}")
    if head_type not in (None, ERASED) and not led_to_events and not _comes_back(identifier, message_id):
        yield place.finding("outbox", f"{what} is of the message {message_id}, which led to no event of the entity")
    if status not in _KNOWN:
        yield place.finding("outbox", f"{what} has the status {status!r}, which is none")
    elif (ended_at is not None) != (status in _ENDED):
        told = "never" if ended_at is None else f"at {ended_at}"
        yield place.finding("outbox", f"{what} is {status}, and ended {told}")
    if lease is not None and status != EffectStatus.PENDING:
        yield place.finding("outbox", f"{what} is {status}, and somebody has claimed it")
    yield from place.json(f"the data of {what}", data)
    if on_rejected is not None:
        yield from place.json(f"what {what} sends when it is rejected", on_rejected)
    yield from place.times(due_at=due_at, next_attempt_at=next_attempt_at, created_at=created_at, ended_at=ended_at)


def _comes_back(identifier: str, message_id: str) -> bool:
    """Tell whether an effect is what comes back of a rejected message, which led to no event of anybody's."""
    return UUID(identifier) == back_id(UUID(message_id))


def fork(network: str, row: Row) -> Iterator[Finding]:
    """Check what is noted of a copy beside the entity."""
    identifier, from_version, forked_at, head_type, head_version = row
    place = Place(network, None if head_type is None else (head_type, identifier))
    if head_version is None:
        yield place.finding("fork", f"the entity {identifier} is said to be a copy, and is not there")
    elif not 1 <= from_version <= head_version:
        problem = f"{from_version} versions are said to be copied, and the entity is at {head_version}"
        yield place.finding("fork", problem)
    yield from place.times(forked_at=forked_at)


def cursor(network: str, row: Row) -> Iterator[Finding]:
    """Check a cursor beside the end of the log."""
    name, position, lease_until, created_at, updated_at, last = row
    place = Place(network)
    if not 0 <= position <= last:
        yield place.finding("cursor", f"the cursor {name!r} is at position {position}, and the log ends at {last}")
    yield from place.times(lease_until=lease_until, created_at=created_at, updated_at=updated_at)
