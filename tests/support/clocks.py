"""Clocks for tests: time that passes with every look, and never otherwise."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

START = datetime(2026, 11, 23, 10, tzinfo=UTC)
STEP = timedelta(seconds=1)


def ticking(start: datetime = START) -> Callable[[], datetime]:
    """Return a clock that says `start` at the first look and a second more at each later one."""
    looks = count()
    return lambda: start + next(looks) * STEP
