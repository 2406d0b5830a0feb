"""Results as JSON-ready dictionaries. The keys are stable: scripts rely on them; keys may be added."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pachyderm_cli.cli.json_text import Stored
from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.domain.timestamps import to_text
from pachyderm_cli.engine.results import EffectResult, Inspection, Sent, StateAt, Step
from pachyderm_cli.store.records import Head, RecordedEvent, StoredSnapshot


def entity(reference: Reference) -> dict[str, Any]:
    """Return an entity's type and id."""
    return {"type": reference.type, "id": str(reference.id)}


def state(result: StateAt) -> dict[str, Any]:
    """Return an entity's state at a version."""
    return {
        "entity": entity(result.entity),
        "network": result.network,
        "version": result.version,
        "state": Stored(result.state_json),
    }


def sent(result: Sent) -> dict[str, Any]:
    """Return what a send led to."""
    return {
        **state(result),
        "message_id": str(result.message_id),
        "duplicate": result.duplicate,
        "events": [
            {"version": event.version, "type": event.type, "data": Stored(event.data)} for event in result.events
        ],
        "effects": [effect(each) for each in result.effects],
    }


def effect(result: EffectResult) -> dict[str, Any]:
    """Return what became of an effect."""
    return {
        "id": str(result.id),
        "type": result.type,
        "status": str(result.status),
        "error": result.error,
    }


def event(recorded: RecordedEvent) -> dict[str, Any]:
    """Return an event of the log."""
    return {
        "version": recorded.version,
        "position": recorded.position,
        "type": recorded.type,
        "data": Stored(recorded.data),
        "entity": entity(recorded.entity),
        "message": recorded.message,
        "message_id": str(recorded.message_id),
        "caused_by": None if recorded.caused_by is None else str(recorded.caused_by),
        "recorded_at": to_text(recorded.recorded_at),
    }


def step(result: Step) -> dict[str, Any]:
    """Return one step of a replay."""
    return {
        "version": result.version,
        "event": event(result.event),
        "state": Stored(result.state_json),
        "changes": result.changes,
    }


def inspection(result: Inspection) -> dict[str, Any]:
    """Return all that is known of an entity."""
    return {
        **state(result),
        "events": result.version,
        "created_at": to_text(result.created_at),
        "updated_at": to_text(result.updated_at),
        "snapshots": [
            {"version": each.version, "fingerprint": each.fingerprint, "taken_at": to_text(each.taken_at)}
            for each in result.snapshots
        ],
        "effects": [effect(each) for each in result.effects],
        "timers": list(result.timers),
    }


def snapshot(taken: StoredSnapshot) -> dict[str, Any]:
    """Return a snapshot, without its state."""
    return {
        "entity": entity(taken.entity),
        "version": taken.version,
        "fingerprint": taken.fingerprint,
        "taken_at": to_text(taken.taken_at),
    }


def head(found: Head) -> dict[str, Any]:
    """Return an entity of a listing."""
    return {
        "entity": entity(found.entity),
        "version": found.version,
        "created_at": to_text(found.created_at),
        "updated_at": to_text(found.updated_at),
    }


def protocol(entity_type: EntityType) -> dict[str, Any]:
    """Return an entity type's protocol as JSON Schema."""
    from pachyderm_cli.domain.description import describe  # noqa: PLC0415 - only `describe` needs it

    return asdict(describe(entity_type))
