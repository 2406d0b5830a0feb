"""The values that came up in a sequence of messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from pydantic import BaseModel

_KINDS = (str, int, UUID, Decimal, datetime, date, bytes)
_MOST = 50


class Seen:
    """Values that came up in a sequence so far, so that a later message may name what an earlier one brought."""

    def __init__(self) -> None:
        self._values: dict[type, list[Any]] = {}

    def clear(self) -> None:
        """Forget them all."""
        self._values.clear()

    def note(self, value: Any) -> None:
        """Remember the plain values in `value`, in the order in which they stand there."""
        for leaf in _leaves(value):
            known = self._values.setdefault(type(leaf), [])
            if leaf not in known and len(known) < _MOST:
                known.append(leaf)

    def of(self, kind: type) -> list[Any]:
        """Return those of that very type."""
        return self._values.get(kind, [])


@st.composite
def fresh_or_seen(draw: Any, seen: Seen, kind: type, fits: Callable[[Any], bool], fresh: st.SearchStrategy[Any]) -> Any:
    """Draw a fresh value, or one of that type that came up before and fits."""
    known = [value for value in seen.of(kind) if fits(value)]
    return draw(st.sampled_from(known) if known and draw(st.booleans()) else fresh)


def _leaves(value: Any) -> Iterator[Any]:
    if type(value) in _KINDS:
        yield value
    elif isinstance(value, BaseModel):
        for inner in value.__dict__.values():
            yield from _leaves(inner)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(key)
            yield from _leaves(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(inner)
