"""From the annotations of messages to values for them."""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Interface
from re import Pattern
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import (
    UUID7,
    AfterValidator,
    AliasChoices,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    Json,
    NaiveDatetime,
    create_model,
    field_validator,
    model_validator,
)

from pachyderm_cli import Message
from pachyderm_cli.checks.seen import Seen
from pachyderm_cli.checks.values import Values
from pachyderm_cli.checks.walk import Unguessable
from pachyderm_cli.domain.codec import encode_faithfully
from tests.checks.drawing import drawn, fields, of_type

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ID = UUID(int=7)


class Color(Enum):
    RED = "r"
    GREEN = "g"


class Size(IntEnum):
    SMALL = 1
    LARGE = 2


@dataclass(frozen=True)
class Point:
    x: int
    y: int = 0
    tags: list[str] = field(default_factory=list)


class Leaf(BaseModel):
    model_config = ConfigDict(frozen=True)

    kind: Literal["leaf"] = "leaf"
    weight: Annotated[Decimal, Field(gt=0, decimal_places=2)]


class Node(BaseModel):
    model_config = ConfigDict(frozen=True)

    kind: Literal["node"]
    children: tuple["Annotated[Leaf | Node, Field(discriminator='kind')]", ...] = ()


class Place(NamedTuple):
    x: int
    y: int = 0


class Renamed(BaseModel):
    model_config = ConfigDict(frozen=True)

    count: int = Field(alias="howMany")


class Even(Message):
    number: int
    half: int = 0

    @field_validator("number")
    @classmethod
    def is_even(cls, number: int) -> int:
        """Take no odd number."""
        if number % 2:
            raise ValueError("odd")
        return number

    @model_validator(mode="after")
    def is_larger(self) -> "Even":
        """Take nothing of which the half is more than the whole."""
        if self.half > self.number:
            raise ValueError("more than the whole")
        return self


class Everything(Message):
    """A field of each kind."""

    yes: bool
    number: int
    ratio: float
    amount: Decimal
    name: str
    raw: bytes
    color: Color
    size: Size
    word: Literal["a", 1]
    maybe: int | None
    either: int | Literal["x"]
    moment: datetime
    aware: AwareDatetime
    naive: NaiveDatetime
    day: date
    at: time
    span: timedelta
    id: UUID
    pair: tuple[int, str]
    many: tuple[int, ...]
    members: set[int]
    fixed: frozenset[UUID]
    listed: Sequence[int]
    ends: deque[int]
    counts: dict[str, int]
    by_id: Mapping[UUID, Color]
    point: Point
    tree: Node
    renamed: Renamed
    link: HttpUrl
    anything: Any
    text: Json[dict[str, int]]
    optional: str | None = None
    defaulted: list[int] = Field(default_factory=list)


class Opaque:
    pass


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(Values(Seen()).of(Everything))
def test_every_value_is_taken_and_survives(value: Everything) -> None:
    """Whatever is made for a class is an instance that pydantic takes, and the same after JSON."""
    assert isinstance(value, Everything)
    assert Everything.model_validate(value.model_dump(by_alias=True, round_trip=True)) == value
    assert encode_faithfully(value)[1] == value


VARIED: dict[str, tuple[Any, set[Any], Callable[[Any], Any]]] = {
    "enums": (Color, set(Color), lambda value: value),
    "numbered enums": (Size, set(Size), lambda value: value),
    "literals": (Literal["a", 1], {"a", 1}, lambda value: value),
    "booleans": (bool, {True, False}, lambda value: value),
    "unions": (int | str | None, {int, str, type(None)}, type),
    "discriminated unions": (Annotated[Leaf | Node, Field(discriminator="kind")], {Leaf, Node}, type),
    "times aware and naive": (datetime, {True, False}, lambda value: value.tzinfo is None),
    "aware times in several zones": (AwareDatetime, {0.0, 5.5, -8.0}, lambda it: it.utcoffset() / timedelta(hours=1)),
    "naive times": (NaiveDatetime, {None}, lambda value: value.tzinfo),
    "scales": (Annotated[Decimal, Field(decimal_places=2)], {0, -1, -2}, lambda it: it.as_tuple().exponent),
    "signs": (int, {True, False}, lambda value: value < 0),
    "empty ones": (list[int], {True, False}, bool),
}


@pytest.mark.parametrize("kind", VARIED)
def test_every_kind_of_value_comes(kind: str) -> None:
    """Of a type that has several kinds of values, all come."""
    annotation, kinds, kind_of = VARIED[kind]
    assert {kind_of(value) for value in fields(annotation)} == kinds


def test_fields_with_defaults_are_given_and_left_out() -> None:
    """A field that has a default is in some messages and not in others, also within a model and a dataclass."""
    assert {"field" in each.model_fields_set for each in drawn(of_type(int, default=3))} == {True, False}
    assert {each.y == 0 for each in fields(Point)} == {True, False}
    assert {"kind" in each.model_fields_set for each in fields(Leaf)} == {True, False}


LIBRARY: list[Any] = [
    Place,
    list[Place],
    IPv4Address,
    IPv6Address | None,
    IPv4Network,
    IPv6Interface,
    list[ZoneInfo],
    Pattern[str],
    Counter[str],
    OrderedDict[str, int],
    Fraction,
    complex,
    UUID7,
]


@pytest.mark.parametrize("annotation", LIBRARY)
def test_the_library_s_classes_are_made(annotation: Any) -> None:
    """Classes of the standard library that pydantic reads are made too, also within others, and survive JSON."""
    made = drawn(of_type(annotation))
    assert len({repr(each) for each in made}) > 1
    for each in made:
        assert encode_faithfully(each)[1] == each


def test_what_tells_a_union_apart_is_given() -> None:
    """A discriminator that has a default is in the data all the same: pydantic asks for it."""
    assert len(fields(Annotated[Leaf | Node, Field(discriminator="kind")])) == 60


def test_what_may_be_left_out_is_where_nothing_is_known_of_it() -> None:
    """A field with a default, or one that may be None, is that alone; a union has its other members."""
    either: Any = type[int] | Literal["x"]
    go = create_model("Go", __base__=Message, a=(type[int], bool), b=(type[int] | None, ...), c=(either, ...))
    assert {(each.a, each.b, each.c) for each in drawn(go)} == {(bool, None, "x")}


def test_models_may_hold_themselves() -> None:
    """A model that is nested in itself comes flat and deep."""

    def depth(node: Leaf | Node) -> int:
        return 0 if isinstance(node, Leaf) else 1 + max(map(depth, node.children), default=0)

    assert {0, 1, 2} <= {depth(each) for each in fields(Node | Leaf)}


def test_aliases_are_used() -> None:
    """A field that is read by another name is given by that name."""
    assert all(isinstance(each.count, int) for each in fields(Renamed))
    several = of_type(Annotated[int, Field(validation_alias=AliasChoices("first", "second"))])
    assert len(drawn(several)) == 60


def test_validators_decide() -> None:
    """What a validator of a field or of the class refuses is left out; what it changes comes as it made it."""
    values = drawn(Even)
    assert len(values) > 20
    assert all(each.number % 2 == 0 and each.half <= each.number for each in values)
    assert set(fields(Annotated[int, AfterValidator(lambda number: number % 3)])) == {0, 1, 2}
    assert all(each == [1] for each in fields(Annotated[list[int], BeforeValidator(lambda _: [1])]))


def test_hooks_come_first() -> None:
    """A hook makes the values of its class wherever they stand, or of its one field, nested or not."""
    point = {Point: st.just(Point(1, 2))}
    assert set(map(repr, fields(tuple[Point, ...], hooks=point))) <= {repr((Point(1, 2),) * n) for n in range(5)}
    assert {each.x for each in fields(Point, hooks={"Point.x": st.sampled_from([5, 6])})} == {5, 6}
    assert set(fields(int, hooks={"Go.field": st.just(4), "Went.field": st.just(5)})) == {4}
    go = of_type(int)
    assert drawn(go, hooks={go: st.just(go.model_validate({"field": 3}))})[0] == go.model_validate({"field": 3})


SEEN: dict[Any, Any] = {int: 123_456_789, str: "known", UUID: ID, Decimal: Decimal("77.7"), datetime: NOON, bytes: b"k"}


@pytest.mark.parametrize("kind", SEEN)
def test_values_seen_earlier_come_again(kind: Any) -> None:
    """What a message or state brought before is used again, next to fresh values, as far as the constraints allow."""
    seen = Seen()
    seen.note({"inner": [Everything.model_construct(optional=SEEN[kind])]})
    values = fields(kind, seen=seen)
    assert 0 < values.count(SEEN[kind]) < len(values)


def test_values_seen_earlier_have_to_fit() -> None:
    """A value that came up before is not used where a constraint forbids it."""
    seen = Seen()
    seen.note([123, 7])
    values = fields(Annotated[int, Field(lt=100)], seen=seen)
    assert 7 in values
    assert 123 not in values
    seen.clear()
    assert seen.of(int) == []


@pytest.mark.parametrize("annotation", [Callable[[], int], type[int], dict[str, list[type[int]]]])
def test_what_cannot_be_guessed_is_named(annotation: Any) -> None:
    """A type of which nothing is known is an error that names class and field, and says what to write."""
    with pytest.raises(Unguessable, match=r'no value of Go\.field can be guessed: .*strategies = \{"Class\.field"'):
        fields(annotation)


def test_a_hook_helps() -> None:
    """With a hook for it, a type of which nothing is known is made, in a nested model too."""
    assert set(fields(type[int], hooks={"Go.field": st.just(bool)})) == {bool}
    assert set(fields(list[Decimal], hooks={Decimal: st.just(Decimal(3))})[0]) <= {Decimal(3)}
    either = create_model("Either", __config__=ConfigDict(arbitrary_types_allowed=True), value=(Opaque | None, ...))
    assert {type(each.value) for each in fields(either, hooks={Opaque: st.builds(Opaque)})} == {Opaque, type(None)}
    inner = create_model("Inner", value=(type[int], ...))
    assert {each.value for each in fields(inner, hooks={"Inner.value": st.just(bool)})} == {bool}
    with pytest.raises(Unguessable, match=r"Inner\.value"):
        fields(inner)
