"""Cursors and erasures as JSON-ready dictionaries."""

from __future__ import annotations

from typing import Any

from pachyderm_cli.cli.serialize import entity
from pachyderm_cli.domain.timestamps import to_text
from pachyderm_cli.engine.networks import ListedNetwork
from pachyderm_cli.store.cursors import StoredCursor
from pachyderm_cli.store.erasing import Erasure


def cursor(found: StoredCursor) -> dict[str, Any]:
    """Return a cursor: where it stands, how many events come after that, until when a follower has it."""
    until = found.lease_until if found.is_held else None
    return {
        "name": found.name,
        "position": found.position,
        "behind": found.behind,
        "held": found.is_held,
        "lease_until": None if until is None else to_text(until),
        "created_at": to_text(found.created_at),
        "updated_at": to_text(found.updated_at),
    }


def network(found: ListedNetwork) -> dict[str, Any]:
    """Return a network; `entities` and `events` are null where its store cannot be read."""
    is_known = found.problem is None
    return {
        "network": found.name,
        "store": found.store,
        "entities": found.entities if is_known else None,
        "events": found.events if is_known else None,
        "named": found.is_named,
        "current": found.is_current,
    }


def erased(result: Erasure, network: str, is_scrubbed: bool | None) -> dict[str, Any]:  # noqa: FBT001 - a key's value
    """Return what was erased; `scrubbed`: whether its bytes are gone from a SQLite file, null if nobody asked."""
    return {
        "entity": entity(result.entity),
        "network": network,
        "last_version": result.last_version,
        "position": result.position,
        "erased_at": to_text(result.erased_at),
        "why": result.why,
        "events": result.events,
        "effects": result.effects,
        "copies": [entity(copy) for copy in result.copies],
        "scrubbed": is_scrubbed,
    }
