"""JSON and back: what is encoded decodes the same, what would not is refused with its path."""

import math
from collections import deque
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, TypeAdapter

from pachyderm_cli import Event
from pachyderm_cli.domain.codec import (
    Unfaithful,
    _are_plainly_same,
    decode_model,
    difference,
    encode_faithfully,
    encode_state,
    encode_state_faithfully,
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
zones = st.timezones() | st.just(UTC) | st.just(timezone(timedelta(hours=5, minutes=45)))


class Anything(Event):
    value: Any


class Inner(BaseModel):
    value: Any


class Nested(Event):
    parts: list[Inner] = Field(default_factory=list)
    by_name: dict[str, Inner] = Field(default_factory=dict)


@dataclass
class Point:
    x: float
    label: Any = None


class Typed(Event):
    amount: Decimal = Decimal(0)
    at: datetime | None = None
    on: date | None = None
    clock: time | None = None
    length: timedelta = timedelta()
    identifier: UUID | None = None
    share: float = 0.0
    number: int = 0
    text: str = ""
    raw: bytes = b""
    pair: tuple[int, str] | None = None
    labels: frozenset[str] = frozenset()
    by_number: dict[int, str] = Field(default_factory=dict)
    point: Point | None = None
    either: int | str | None = None


class Renamed(Event):
    inner_name: int = Field(alias="outerName")


class OneWay(Event):
    value: int = Field(validation_alias=AliasChoices("value", "v"), serialization_alias="other")


class Remembers(Event):
    amount: int

    @cached_property
    def double(self) -> int:
        """Return what is worth remembering."""
        return 2 * self.amount


class Constants(Event):
    """What would be stored as a text that is no JSON."""

    model_config = ConfigDict(ser_json_inf_nan="constants")

    share: float = 0.0
    text: str = ""


class Hides(Event):
    secret: int = Field(default=0, exclude=True)


typed = st.builds(
    Typed,
    amount=st.decimals(allow_nan=False, allow_infinity=False),
    at=st.none() | st.datetimes(timezones=st.none() | st.just(UTC)),
    on=st.none() | st.dates(),
    clock=st.none() | st.times(),
    length=st.timedeltas(min_value=timedelta(days=-10_000), max_value=timedelta(days=10_000)),
    identifier=st.none() | st.uuids(),
    share=st.floats(allow_nan=False, allow_infinity=False),
    number=st.integers(),
    text=st.text(),
    raw=st.text().map(str.encode),
    pair=st.none() | st.tuples(st.integers(), st.text()),
    labels=st.frozensets(st.text(), max_size=3),
    by_number=st.dictionaries(st.integers(), st.text(), max_size=3),
    either=st.none() | st.integers() | st.text(),
)


def refusal(value: BaseModel) -> Unfaithful:
    """Return the error that encoding `value` raises."""
    with pytest.raises(Unfaithful) as caught:
        encode_faithfully(value)
    return caught.value


@given(json_values)
def test_json_s_own_values_survive_in_an_untyped_field(value: Any) -> None:
    """Whatever JSON has comes back of the same type and value, to the sign of zero and the order of keys."""
    text, decoded = encode_faithfully(Anything(value=value))
    assert repr(decoded.value) == repr(value)
    assert repr(decode_model(Anything, text).value) == repr(value)


@given(typed)
def test_typed_values_survive(event: Typed) -> None:
    """What is encoded faithfully decodes to the same, field by field."""
    try:
        text, decoded = encode_faithfully(event)
    except Unfaithful:
        return
    assert decoded == event
    assert difference(event, decode_model(Typed, text)) is None
    assert repr(decoded.amount) == repr(event.amount)


@given(st.floats(), st.datetimes(timezones=zones))
def test_a_number_or_a_time_comes_back_the_same_or_is_refused(number: float, moment: datetime) -> None:
    """There is no third way: never does another value come back."""
    for event in (Typed(share=number), Anything(value=number), Typed(at=moment), Anything(value=moment)):
        try:
            _, decoded = encode_faithfully(event)
        except Unfaithful as error:
            assert error.path in ("Typed.share", "Typed.at", "Anything.value")  # noqa: PT017 - either way
            continue
        assert difference(event, decoded) is None


@pytest.mark.parametrize(
    ("event", "path"),
    [
        (Anything(value=math.nan), "Anything.value"),
        (Anything(value=-math.inf), "Anything.value"),
        (Typed(share=math.nan), "Typed.share"),
        (Typed(share=math.inf), "Typed.share"),
        (Typed(point=Point(math.nan)), "Typed.point.x"),
        (Constants(share=math.nan), "Constants.share"),
        (Constants(share=-math.inf, text="NaN"), "Constants.share"),
        (Typed(point=Point(0.0, (1,))), "Typed.point.label"),
        (Anything(value="\ud800"), "Anything.value"),
        (Anything(value={"a": ["b", "\udfff"]}), "Anything.value.a[1]"),
        (Anything(value={"\ud800": 1}), "Anything.value['\\ud800']"),
        (Typed(text="\ud800"), "Typed.text"),
        (Anything(value={1: "a"}), "Anything.value[1]"),
        (Anything(value={"a": {None: 1}}), "Anything.value.a[None]"),
        (Anything(value={"a": 1, 1: "a"}), "Anything.value[1]"),
        (Anything(value=(1, 2)), "Anything.value"),
        (Anything(value=[[], [()]]), "Anything.value[1][0]"),
        (Anything(value={1, 2}), "Anything.value"),
        (Anything(value=Decimal("1.10")), "Anything.value"),
        (Anything(value=datetime(2026, 1, 1, tzinfo=UTC)), "Anything.value"),
        (Anything(value=UUID(int=0)), "Anything.value"),
        (Anything(value=b"raw"), "Anything.value"),
        (Typed(raw=b"\xff"), "Typed.raw"),
        (Anything(value=10**5000), "Anything.value"),
        (Anything(value=[0, 10**5000]), "Anything.value[1]"),
        (Anything(value=[object()]), "Anything.value[0]"),
        (Anything(value=Inner(value=1)), "Anything.value"),
        (Nested(parts=[Inner(value=1), Inner(value=())]), "Nested.parts[1].value"),
        (Nested(by_name={"x": Inner(value={2})}), "Nested.by_name.x.value"),
        (Hides(secret=7), "Hides.secret"),
    ],
    ids=lambda value: value.encode("unicode_escape").decode() if isinstance(value, str) else "of",
)
def test_what_json_would_change_is_refused_with_its_path(event: Event, path: str) -> None:
    """The error names the innermost place, in a line that can be printed."""
    error = refusal(event)
    assert error.path == path
    assert str(error).encode()


def test_a_value_that_contains_itself_is_refused() -> None:
    """A circle is an error like any other."""
    circle: list[Any] = []
    circle.append(circle)
    assert refusal(Anything(value=circle)).path.startswith("Anything.value[0]")


def test_a_value_that_is_too_deep_is_refused() -> None:
    """What could be written but never be read again is not written."""
    deep: list[Any] = []
    for _ in range(1000):
        deep = [deep]
    assert refusal(Anything(value=deep)).path.startswith("Anything.value")


def test_aliases_that_go_one_way_are_refused() -> None:
    """A field that is written under a name it is not read by would be lost."""
    assert refusal(OneWay(value=1)).path in ("OneWay.value", "OneWay.other")


def test_an_alias_is_what_is_stored() -> None:
    """A field with an alias is stored under it, and comes back."""
    text, decoded = encode_faithfully(Renamed(outerName=3))
    assert (text, decoded.inner_name) == ('{"outerName":3}', 3)


def test_what_a_model_remembers_is_no_part_of_it() -> None:
    """A cached_property that was looked at does not make the event another."""
    event = Remembers(amount=2)
    assert event.double == 4
    assert encode_faithfully(event)[0] == '{"amount":2}'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (1, True),
        (1, 1.0),
        (0.0, -0.0),
        (Decimal("1.1"), Decimal("1.10")),
        (Decimal(0), Decimal("-0")),
        (datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(2026, 1, 1, 13, tzinfo=timezone(timedelta(hours=1)))),
        (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1)),  # noqa: DTZ001 - a naive one is meant
        (time(1, tzinfo=UTC), time(1)),
        ((1,), [1]),
        ({1: "a"}, {True: "a"}),
        ({"a": 1}, {"a": 1, "b": 2}),
        ([1], [1, 2]),
        (Inner(value=1), Inner(value=1.0)),
        (Point(1.0), Point(1)),
        ({1}, frozenset({1})),
        ({1, 2}, {1, 2.0}),
        (frozenset({(1, 2)}), frozenset({(1, True + 1.0)})),
        (deque([1]), deque([1.0])),
        ("é", "e\u0301"),
    ],
)
def test_types_signs_and_scales_count(before: Any, after: Any) -> None:
    """Values that Python calls equal are told apart where JSON could have changed one into the other."""
    assert difference(before, after) is not None
    assert difference(after, before) is not None
    assert difference(before, before) is None
    assert difference(after, after) is None


def test_nan_is_the_same_as_nan() -> None:
    """A type that keeps NaN may have it."""
    assert difference({"a": math.nan}, {"a": float("nan")}) is None


@given(json_values)
def test_a_state_survives_or_is_refused(value: Any) -> None:
    """What is kept of a state decodes to the same state."""
    adapter: TypeAdapter[Any] = TypeAdapter(Any)
    assert difference(value, adapter.validate_json(encode_state_faithfully(adapter, value))) is None


@pytest.mark.parametrize(
    ("state", "path"), [((1,), "state"), ({"a": [math.nan]}, "state.a[0]"), ({"a": ["\ud800"]}, "state.a[0]")]
)
def test_a_state_that_json_would_change_is_refused(state: Any, path: str) -> None:
    """The path begins at the state."""
    with pytest.raises(Unfaithful) as caught:
        encode_state_faithfully(TypeAdapter(Any), state)
    assert caught.value.path == path


def test_a_state_may_be_shown_though_it_cannot_be_kept() -> None:
    """Showing needs no way back; only what JSON cannot write at all is refused."""
    assert encode_state(TypeAdapter(Any), {"a": (1, {2})}) == '{"a":[1,[2]]}'
    with pytest.raises(Unfaithful) as caught:
        encode_state(TypeAdapter(Any), {"a": [object()]})
    assert caught.value.path == "state.a[0]"


class Two(BaseModel):
    model_config = ConfigDict(extra="allow")

    one: Any = None
    two: Any = None


alike = st.sampled_from([1, True, 1.0, 0, False, -0.0, 0.0, "1", b"1", None, UUID(int=1), Decimal(1), (1,), [1]])


@given(st.permutations(["one", "two"]), st.permutations(["one", "two"]), st.lists(alike, min_size=4, max_size=4))
def test_what_is_plainly_the_same_is_the_same(first: list[str], second: list[str], values: list[Any]) -> None:
    """The short look at plain fields never overlooks what the whole comparison sees, whatever order they are in."""
    before = Two.model_construct(**dict(zip(first, values[:2], strict=True)))
    after = Two.model_construct(**dict(zip(second, values[2:], strict=True)))
    before.__dict__, after.__dict__ = (
        dict(zip(first, values[:2], strict=True)),
        dict(zip(second, values[2:], strict=True)),
    )
    assert not _are_plainly_same(before, after) or difference(before, after) is None
    more = Two.model_validate({"one": 1, "two": 2, "three": values[0]})
    assert not _are_plainly_same(more, Two(one=1, two=2))
