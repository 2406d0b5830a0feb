"""Results as JSON-ready dictionaries. The keys are stable: scripts rely on them; keys may be added."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from pachyderm_cli.cli.json_text import Stored
from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.domain.timestamps import to_text
from pachyderm_cli.engine.results import (
    CausedMessage,
    EffectResult,
    Inspection,
    QueuedEffect,
    Sent,
    StateAt,
    Step,
    Worked,
)
from pachyderm_cli.store.records import Head, Origin, RecordedEvent, StoredEffect, StoredSnapshot


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
        "to": _entity_or_none(result.to),
    }


def open_effect(stored: StoredEffect) -> dict[str, Any]:
    """Return an effect of an entity's, as far as what becomes of it is concerned."""
    return {
        "id": str(stored.id),
        "type": stored.type,
        "status": str(stored.status),
        "error": stored.error,
        "to": _entity_or_none(stored.to),
        "attempts": stored.attempts,
        "next_attempt_at": _time_or_none(stored.next_attempt_at),
    }


def queued(result: QueuedEffect) -> dict[str, Any]:
    """Return all that is known of an effect in the outbox."""
    stored = result.stored
    return {
        "id": str(stored.id),
        "type": stored.type,
        "status": str(stored.status),
        "entity": entity(stored.entity),
        "version": stored.version,
        "message_id": str(stored.message_id),
        "to": _entity_or_none(stored.to),
        "to_network": stored.to_network,
        "message": stored.message,
        "data": Stored(stored.data),
        "on_rejected": None if stored.on_rejected is None else Stored(stored.on_rejected),
        "timer": stored.timer or None,
        "attempts": stored.attempts,
        "due_at": to_text(stored.due_at),
        "next_attempt_at": _time_or_none(stored.next_attempt_at),
        "error": stored.error,
        "created_at": to_text(stored.created_at),
        "ended_at": _time_or_none(stored.ended_at),
        "unreadable": result.unreadable,
    }


def timer(stored: StoredEffect) -> dict[str, Any]:
    """Return a timer, or a message with a time, and whose it is."""
    return {**_timer(stored), "entity": entity(stored.entity)}


def _timer(stored: StoredEffect) -> dict[str, Any]:
    return {
        "id": str(stored.id),
        "name": stored.timer or None,
        "message": stored.message,
        "to": _entity_or_none(stored.to),
        "due_at": to_text(stored.due_at),
        "status": str(stored.status),
        "error": stored.error,
    }


def worked(result: Worked) -> dict[str, Any]:
    """Return an attempt that a worker made."""
    return {
        "id": str(result.result.id),
        "type": result.result.type,
        "entity": entity(result.entity),
        "version": result.version,
        "to": _entity_or_none(result.result.to),
        "attempt": result.attempt,
        "status": str(result.result.status),
        "error": result.result.error,
        "seconds": None if result.seconds is None else round(result.seconds, 6),
    }


def caused(result: CausedMessage) -> dict[str, Any]:
    """Return a message of a tree of causes."""
    return {
        "depth": result.depth,
        "message_id": str(result.message_id),
        "caused_by": None if result.caused_by is None else str(result.caused_by),
        "entity": _entity_or_none(result.entity),
        "message": result.message,
        "status": None if result.status is None else str(result.status),
        "error": result.error,
        "events": [event(each) for each in result.events],
        "effects": [open_effect(each) for each in result.effects],
        "copied_from": None if result.copied_from is None else origin(result.copied_from),
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
        "type_version": recorded.type_version,
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
        "effects": [open_effect(each) for each in result.effects],
        "timers": [_timer(each) for each in result.timers],
        "forked_from": None if result.origin is None else origin(result.origin),
    }


def origin(found: Origin) -> dict[str, Any]:
    """Return where a history was copied from."""
    return {"entity": entity(found.entity), "version": found.version, "forked_at": to_text(found.forked_at)}


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


def protocol(entity_type: EntityType, *, lookup: bool) -> dict[str, Any]:
    """Return an entity type's protocol as JSON Schema."""
    from pachyderm_cli.domain.description import describe  # noqa: PLC0415 - only `describe` needs it

    return asdict(describe(entity_type, lookup=lookup))


def _entity_or_none(reference: Reference | None) -> dict[str, Any] | None:
    return None if reference is None else entity(reference)


def _time_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else to_text(moment)
