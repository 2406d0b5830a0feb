"""Times as they are stored and shown: RFC 3339, UTC, always six digits of a second, so that text sorts as time."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache


def to_text(moment: datetime) -> str:
    """Return an aware `moment` as in `2026-11-23T10:00:00.123456Z`."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return f"{_second(utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second)}.{utc.microsecond:06d}Z"


@lru_cache(maxsize=64)
def _second(year: int, month: int, day: int, hour: int, minute: int, second: int) -> str:
    """Return the text of a second, which the sends of that second share; `isoformat` takes twice as long."""
    return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}"


def from_text(text: str) -> datetime:
    """Return the moment that `to_text` wrote."""
    return datetime.fromisoformat(text)


def now() -> datetime:
    """Return the current time, in UTC."""
    return datetime.now(UTC)
