"""The cursors of the log as JSON-ready dictionaries."""

from __future__ import annotations

from typing import Any

from pachyderm_cli.domain.timestamps import to_text
from pachyderm_cli.store.cursors import StoredCursor


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
