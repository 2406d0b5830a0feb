"""Times as they are stored and shown: RFC 3339, UTC, always six digits of a second, so that text sorts as time."""

from __future__ import annotations

from datetime import UTC, datetime


def to_text(moment: datetime) -> str:
    """Return an aware `moment` as in `2026-11-23T10:00:00.123456Z`."""
    in_utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return in_utc.isoformat(timespec="microseconds")[:-6] + "Z"


def from_text(text: str) -> datetime:
    """Return the moment that `to_text` wrote."""
    return datetime.fromisoformat(text)


def now() -> datetime:
    """Return the current time, in UTC."""
    return datetime.now(UTC)
