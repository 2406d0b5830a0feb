"""What a column may hold, at its edges."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pachyderm_cli.domain.timestamps import from_text, to_text
from pachyderm_cli.store.sound_values import is_time
from pachyderm_cli.store.texts import json_problem


@given(st.datetimes(timezones=st.just(UTC)))
def test_every_time_that_is_written_is_one(moment: datetime) -> None:
    """Whatever the clock says can be read back from an export."""
    assert is_time(to_text(moment))


@given(st.from_regex(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z\Z"))
def test_what_counts_as_a_time_is_written_in_that_one_way(text: str) -> None:
    """Text sorts as time does only where each time has one form."""
    if is_time(text):
        assert to_text(from_text(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T10:00:00.123456",
        "2026-11-23T10:00:00Z",
        "2026-11-23 10:00:00.123456Z",
        "2026-02-30T10:00:00.123456Z",
        "2026-11-23T24:00:00.000000Z",
        "2026-11-23T10:00:00.123456Z\n",
        "٢٠٢٦-11-23T10:00:00.123456Z",
        None,
        5,
    ],
)
def test_other_forms_are_no_time(text: object) -> None:
    """Neither a day that is none, nor what only looks like one."""
    assert not is_time(text)


@pytest.mark.parametrize("text", ["{}", '"\\ud800"', "9" * 5000, "[" * 50 + "]" * 50, "1e400"])
def test_all_that_is_json_is_taken(text: str) -> None:
    """Numbers of any length, and what only Python's own parser reads."""
    assert json_problem(text) is None


@pytest.mark.parametrize("text", ["", "{", "NaN", "-Infinity", "[1,]", '{"a": }', "\ud800", 5, None])
def test_what_is_no_json_is_told(text: object) -> None:
    """Each with a reason."""
    assert json_problem(text)
