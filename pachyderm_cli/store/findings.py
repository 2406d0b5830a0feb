"""What `store verify` finds, and the questions that it asks of a single value."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from pachyderm_cli.domain.timestamps import from_text, to_text


class Finding(NamedTuple):
    """Something that should not be so: which check it failed, where, and what it is.

    The entity is named by type and id as they are stored, which may be neither's form.
    """

    check: str
    problem: str
    network: str | None = None
    entity: tuple[str, str] | None = None
    version: int | None = None


class Place(NamedTuple):
    """Where in a network a row belongs: what its findings have in common."""

    network: str
    entity: tuple[str, str] | None = None
    version: int | None = None

    def finding(self, check: str, problem: str) -> Finding:
        """Return a finding there."""
        return Finding(check, problem, *self)

    def times(self, **times: Any) -> Iterator[Finding]:
        """Yield a finding for each time that is in no form in which times are stored; None is no time."""
        for name, value in times.items():
            if value is not None and not is_time(value):
                yield self.finding("time", f"{name} is {_shown(value)}, which is no time as it is stored")

    def json(self, what: str, value: Any) -> Iterator[Finding]:
        """Yield a finding for what is no JSON text."""
        problem = json_problem(value)
        if problem is not None:
            yield self.finding("json", f"{what} is no JSON: {problem}")


def json_problem(value: Any) -> str | None:
    """Return why `value` is no JSON text, None if it is."""
    if not isinstance(value, str):
        return f"it is stored as {type(value).__name__}, not as text"
    try:
        json.loads(value)
    except (ValueError, RecursionError) as error:
        return str(error)
    return None


def is_time(value: Any) -> bool:
    """Tell whether `value` is a time in the one form in which text sorts as time does."""
    try:
        return bool(to_text(from_text(value)) == value)
    except (ValueError, TypeError, OverflowError):
        return False


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
