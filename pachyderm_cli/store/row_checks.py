"""What `store verify` holds each row against: what has to hold of it, and beside the head of its entity."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Table

from pachyderm_cli.store.findings import Finding, Place
from pachyderm_cli.store.records import ERASED
from pachyderm_cli.store.schema import cursors, entities, forks, lookups, outbox, snapshots
from pachyderm_cli.store.sound_histories import faults_of_belonging, faults_of_copy
from pachyderm_cli.store.sound_rows import comes_back, effect_name, faults_of
from pachyderm_cli.store.sound_values import RULES

Row = tuple[Any, ...]


def columns_of(table: Table, row: Row) -> tuple[dict[str, Any], Row]:
    """Return a row's own columns by name, and what was read beside them."""
    names = _NAMES[table.name]
    return dict(zip(names, row, strict=False)), row[len(names) :]


_NAMES = {name: [rule.column for rule in rules] for name, rules in RULES.items()}


def head(network: str, row: Row) -> Iterator[Finding]:
    """Check the head of an entity, and whether it has events."""
    own, (has_events,) = columns_of(entities, row)
    place = Place(network, (own["type"], own["id"]), own["version"])
    if not has_events:
        yield place.finding("head", f"the entity is said to be at version {own['version']}, and has no events")
    yield from place.findings(faults_of(entities, own))


def message(network: str, row: Row) -> Iterator[Finding]:
    """Tell of an event whose message led to an event of another entity too."""
    type_name, identifier, version, message_id, other = row
    place = Place(network, (type_name, identifier), version)
    yield place.finding("message", f"the message {message_id} led to this event, and to one of another entity, {other}")


def snapshot(network: str, row: Row) -> Iterator[Finding]:
    """Check a snapshot beside its entity."""
    yield from _kept(network, snapshots, "snapshot", row)


def lookup(network: str, row: Row) -> Iterator[Finding]:
    """Check a state that is kept for lookup beside its entity."""
    yield from _kept(network, lookups, "lookup", row)


def _kept(network: str, table: Table, check: str, row: Row) -> Iterator[Finding]:
    own, (head_type, head_version) = columns_of(table, row)
    place = Place(network, (own["entity_type"], own["entity_id"]), own["version"])
    yield from place.findings(faults_of(table, own))
    yield from place.findings(faults_of_belonging(check, own["version"], head_type, head_version))


def effect(network: str, row: Row) -> Iterator[Finding]:
    """Check an effect in the outbox beside the entity that emitted it, and the message that led to it."""
    own, (led_to, head_type, head_version) = columns_of(outbox, row)
    version, message_id = own["version"], own["message_id"]
    place, what = Place(network, (own["entity_type"], own["entity_id"]), version), effect_name(own)
    yield from place.findings(faults_of(outbox, own))
    for check, problem in faults_of_belonging("outbox", version, head_type, head_version):
        yield place.finding(check, f"{what}: {problem}")
    if head_type in (None, ERASED):
        return
    if led_to is None and not comes_back(own["id"], message_id):
        yield place.finding("outbox", f"{what} is of the message {message_id}, which led to no event of the entity")
    elif led_to is not None and led_to != version:
        yield place.finding("outbox", f"{what} is of version {version}, and its message led to version {led_to}")


def fork(network: str, row: Row) -> Iterator[Finding]:
    """Check what is noted of a copy beside the entity, and how many of its first events are of one message."""
    own, (last_ordinal, head_type, head_version) = columns_of(forks, row)
    place = Place(network, None if head_type is None else (head_type, own["entity_id"]))
    yield from place.findings(faults_of(forks, own))
    if head_version is None:
        yield place.finding("fork", f"the entity {own['entity_id']} is said to be a copy, and is not there")
    elif head_type != ERASED and last_ordinal is not None:  # of an erased one it stays noted, for copies of it
        yield from place.findings(faults_of_copy(own["from_version"], last_ordinal + 1))


def cursor(network: str, row: Row) -> Iterator[Finding]:
    """Check a cursor beside the end of the log."""
    own, (last,) = columns_of(cursors, row)
    place = Place(network)
    yield from place.findings(faults_of(cursors, own))
    if not 0 <= own["position"] <= last:
        told = f"the cursor {own['name']!r} is at position {own['position']}, and the log ends at {last}"
        yield place.finding("cursor", told)
