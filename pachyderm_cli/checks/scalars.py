"""Strategies for plain values, within the constraints of pydantic's core schema of their types."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from pachyderm_cli.checks.patterns import texts_of

Strategy = st.SearchStrategy[Any]
Schema = Mapping[str, Any]

_LONGEST_TEXT = 12
_SMALL, _LARGE = 12, 2**53
_MOST = Decimal(10) ** 6
_PLACES = 3
_LARGEST_FLOAT = 1e9
_YEARS = (datetime(2000, 1, 1), datetime(2040, 1, 1))  # noqa: DTZ001 - a strategy adds the zone
_ABOUT_A_YEAR = timedelta(days=400)
_ZONES = st.sampled_from([UTC, UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-8))])
_PRINTABLE = st.characters(exclude_categories=["Cs", "Cc"])
_LETTERS = st.characters(min_codepoint=97, max_codepoint=122)

WORDS: Strategy = st.text(_LETTERS, min_size=1, max_size=6)
"""Short words of letters."""


def _of_int(schema: Schema) -> Strategy:
    step = schema.get("multiple_of", 1)
    low, high = _bounds(schema, 1)
    low = None if low is None else math.ceil(low / step)
    high = None if high is None else math.floor(high / step)
    return _near(low, high).map(lambda number: number * step)


def _of_float(schema: Schema) -> Strategy:
    low, high = _bounds(schema, 0)
    some = st.floats(
        low if low is not None else min(-_LARGEST_FLOAT, high if high is not None else 0),
        high if high is not None else max(_LARGEST_FLOAT, low if low is not None else 0),
        exclude_min="gt" in schema and low is not None,
        exclude_max="lt" in schema and high is not None,
        allow_nan=False,
        allow_infinity=False,
    ).map(lambda number: number + 0.0)  # no negative zero
    if "multiple_of" in schema:
        step = schema["multiple_of"]
        first = 0 if low is None else math.ceil(low / step)
        last = first + 100 if high is None else math.floor(high / step)
        return st.integers(min(first, last), last).map(lambda number: number * step)
    small = st.integers(0, 4 * _SMALL).map(lambda number: (low or 0.0) + number / 4)
    return small | some


def _of_decimal(schema: Schema) -> Strategy:
    places, digits = schema.get("decimal_places"), schema.get("max_digits")
    if places is None:
        places = _PLACES if digits is None else min(_PLACES, digits // 2)
    low, high = _bounds(schema, Decimal(1).scaleb(-places), lambda bound: Decimal(str(bound)))
    most = _MOST if digits is None else min(_MOST, Decimal(10) ** (digits - places) - Decimal(1).scaleb(-places))
    if low is None:
        low = -most if high is None or high > -most else high - most
    if high is None:
        high = most if low < most else low + most
    numbers = [
        st.decimals(low, high, places=each, allow_nan=False)
        for each in range(places + 1)
        if math.ceil(low.scaleb(each)) <= math.floor(high.scaleb(each))  # else there are none
    ]
    start = max(math.ceil(low), 0)
    end = min(math.floor(high), max(start, _SMALL))
    small = [st.integers(start, end).map(Decimal)] if start <= end else []
    return st.one_of(small + numbers)


def _of_str(schema: Schema) -> Strategy:
    low, high = schema.get("min_length", 0), schema.get("max_length")
    pattern = schema.get("pattern")
    if pattern is not None:
        return texts_of(re.compile(pattern), low, high)
    most = max(low, _LONGEST_TEXT) if high is None else min(high, low + _LONGEST_TEXT)
    printable = st.text(_PRINTABLE, min_size=low, max_size=most)
    return st.text(_LETTERS, min_size=max(low, 1), max_size=most) | printable if most else printable


def _of_bytes(schema: Schema) -> Strategy:
    low = schema.get("min_length", 0)
    # JSON has bytes as UTF-8.
    text = st.text(st.characters(max_codepoint=127, exclude_categories=["Cc"]), min_size=low, max_size=low + 8)
    return text.map(str.encode)


def _of_uuid(schema: Schema) -> Strategy:
    version = schema.get("version")
    if version is None or version in (1, 2, 3, 4, 5):
        return st.uuids(version=version)
    return st.uuids(version=4).map(lambda made: UUID(int=made.int & ~(0xF << 76) | (version << 76)))


def _of_datetime(schema: Schema) -> Strategy:
    low, high = _bounds(schema, timedelta(microseconds=1))
    zones: Strategy = {"aware": _ZONES, "naive": st.none()}.get(str(schema.get("tz_constraint")), _ZONES | st.none())
    if low is None and high is None:
        return st.datetimes(*_YEARS, timezones=zones)
    start = low if low is not None else high - _ABOUT_A_YEAR
    return st.integers(0, 400 * 24).map(lambda hours: start + timedelta(hours=hours))


def _of_date(schema: Schema) -> Strategy:
    low, high = _bounds(schema, timedelta(days=1))
    start = low if low is not None else (_YEARS[0].date() if high is None else high - _ABOUT_A_YEAR)
    end = high if high is not None else max(start, _YEARS[1].date())
    return st.dates(start, end)


def _of_time(schema: Schema) -> Strategy:
    zones: Strategy = {"aware": st.just(UTC), "naive": st.none()}.get(str(schema.get("tz_constraint")), st.none())
    return st.times(schema.get("ge", time.min), schema.get("le", time.max), timezones=zones)


def _of_timedelta(schema: Schema) -> Strategy:
    low, high = _bounds(schema, timedelta(microseconds=1))
    start = low if low is not None else (timedelta(0) if high is None else high - _ABOUT_A_YEAR)
    end = high if high is not None else start + _ABOUT_A_YEAR
    hours = st.integers(0, max(0, int((end - start) / timedelta(hours=1)))).map(lambda n: start + timedelta(hours=n))
    return hours | st.timedeltas(start, end)


def _of_url(_: Schema) -> Strategy:
    return WORDS.map(lambda word: f"https://{word}.example.org/")


def _bounds(schema: Schema, step: Any, read: Callable[[Any], Any] = lambda bound: bound) -> tuple[Any, Any]:
    """Return the lowest and the highest value, None where there is none."""
    bounds = {key: read(schema[key]) for key in ("ge", "gt", "le", "lt") if key in schema}
    low, high = bounds.get("ge"), bounds.get("le")
    if "gt" in bounds:
        low = bounds["gt"] + step
    if "lt" in bounds:
        high = bounds["lt"] - step
    return low, high


def _near(low: int | None, high: int | None) -> Strategy:
    """Return a strategy for whole numbers between the bounds, most of them small or near a bound."""
    if low is None and high is None:
        return st.integers(0, _SMALL) | st.integers(-_SMALL, _SMALL) | st.integers(-_LARGE, _LARGE)
    if high is None:
        return st.integers(low, (low or 0) + _SMALL) | st.integers(low, max(low or 0, _LARGE))
    if low is None:
        return st.integers(high - _SMALL, high) | st.integers(min(high, -_LARGE), high)
    near = st.integers(low, min(high, low + _SMALL))
    return near if high - low <= _SMALL else near | st.integers(low, high)


SCALARS: dict[str, tuple[type | None, Callable[[Schema], Strategy]]] = {
    "bytes": (bytes, _of_bytes),
    "date": (date, _of_date),
    "datetime": (datetime, _of_datetime),
    "decimal": (Decimal, _of_decimal),
    "float": (None, _of_float),
    "int": (int, _of_int),
    "multi-host-url": (None, _of_url),
    "str": (str, _of_str),
    "time": (None, _of_time),
    "timedelta": (None, _of_timedelta),
    "url": (None, _of_url),
    "uuid": (UUID, _of_uuid),
}
"""By pydantic's name of the type: the class of values that may have come up before, and what makes fresh ones."""

CLASSES: dict[str, type | None] = {
    **{kind: cls for kind, (cls, _) in SCALARS.items()},
    "float": float,
    "time": time,
    "timedelta": timedelta,
}
"""The same: the class by which a strategy of the module may be named."""
