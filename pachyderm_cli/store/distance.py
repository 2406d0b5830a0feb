"""Distances in time, in the form that both databases add to their clock."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache

NOW = "+0.000 seconds"


@lru_cache(maxsize=64)
def distance(seconds: float | timedelta) -> str:
    """Return a distance in time in the form that both databases add to their clock."""
    if isinstance(seconds, timedelta):
        seconds = seconds.total_seconds()
    return f"{seconds:+.3f} seconds"
