"""Times as text: one form, in which text sorts as time does."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pachyderm_cli.domain.timestamps import from_text, now, to_text

moments = st.datetimes(
    min_value=datetime(1000, 1, 2),  # noqa: DTZ001 - the strategy gives it a zone
    max_value=datetime(9999, 12, 30),  # noqa: DTZ001 - the same
    timezones=st.timezones(),
)


@given(moments)
def test_a_moment_comes_back(moment: datetime) -> None:
    """What was written is read as the same moment, in UTC."""
    read = from_text(to_text(moment))
    assert read == moment.astimezone(UTC)
    assert read.utcoffset() == timedelta(0)


@given(moments, moments)
def test_text_sorts_as_time(one: datetime, other: datetime) -> None:
    """The order of two texts is that of their moments."""
    assert (to_text(one) < to_text(other)) == (one.astimezone(UTC) < other.astimezone(UTC))


def test_the_form_is_fixed() -> None:
    """Always UTC as Z, always six digits of a second."""
    assert to_text(datetime(2026, 11, 23, 10, tzinfo=UTC)) == "2026-11-23T10:00:00.000000Z"


def test_now_is_aware() -> None:
    """The clock's own time is in UTC."""
    assert now().utcoffset() == timedelta(0)
