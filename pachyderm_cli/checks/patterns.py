"""Texts that fit a pattern."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException

_TRIED = 80


def texts_of(pattern: re.Pattern[str], low: int, high: int | None) -> st.SearchStrategy[Any]:
    """Return a strategy for texts of such a length that fit a pattern.

    They are made once, and then drawn from: to find their way through a pattern each time takes most of a search.
    """
    some = st.from_regex(pattern, fullmatch=pattern.pattern.endswith("$"))
    found: dict[str, None] = {}

    @seed(0)
    @settings(
        max_examples=_TRIED,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(some)
    def make(text: str) -> None:
        fitting = _of_length(text, low, high)
        if pattern.search(fitting) is not None and len(fitting) >= low:
            found[fitting] = None

    try:
        make()
    except HypothesisException:  # there may be none
        return some
    return st.sampled_from(sorted(found, key=lambda text: (len(text), text))) if found else some


def _of_length(text: str, low: int, high: int | None) -> str:
    """Return a text, again and again if it is too short, and cut if it is too long: many patterns take that too."""
    if text and len(text) < low:
        text *= -(-low // len(text))
    return text[:high]
