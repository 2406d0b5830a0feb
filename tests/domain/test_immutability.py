"""Which types of state may be shared, since no value of theirs can be changed in place."""

import dataclasses
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, NamedTuple, Optional, TypeVar, Union
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, Field, JsonValue, PrivateAttr, RootModel
from typing_extensions import TypeAliasType

from pachyderm_cli import Event, Message
from pachyderm_cli.domain.immutability import is_immutable

if TYPE_CHECKING:
    from fractions import Fraction

T = TypeVar("T")


class Colour(Enum):
    RED = "red"


class Frozen(BaseModel, frozen=True):
    number: int = 0
    when: datetime | None = None


class Open(BaseModel):
    number: int = 0


class FrozenOfFrozen(BaseModel, frozen=True):
    inner: Frozen
    many: tuple[Frozen, ...] = ()
    choice: Frozen | Colour | None = None


class FrozenOfOpen(BaseModel, frozen=True):
    inner: Open


class FrozenOfDict(BaseModel, frozen=True):
    by_name: dict[str, int] = {}


class FrozenOfAny(BaseModel, frozen=True):
    value: Any = None


class FrozenOfFrozenSet(BaseModel, frozen=True):
    tags: frozenset[str] = frozenset()


class FrozenWithPrivate(BaseModel, frozen=True):
    _seen: list[int] = PrivateAttr(default_factory=list)


class FrozenWithExtra(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")


class FrozenWithFrozenFields(BaseModel):
    number: int = Field(default=0, frozen=True)


class FrozenChild(Frozen, frozen=True):
    text: str = ""


class FrozenChildWithList(Frozen, frozen=True):
    texts: list[str] = []


class OpenedChild(Frozen, frozen=False):  # type: ignore[misc]  # which pydantic allows
    pass


class Tree(BaseModel, frozen=True):
    value: int = 0
    branches: tuple["Tree", ...] = ()


class TreeOfLists(BaseModel, frozen=True):
    branches: list["TreeOfLists"] = []


class Left(BaseModel, frozen=True):
    right: Optional["Right"] = None


class Right(BaseModel, frozen=True):
    left: Left | None = None
    notes: list[str] = []


class Box(BaseModel, Generic[T], frozen=True):
    content: T


class FrozenRoot(RootModel[tuple[int, ...]], frozen=True):
    pass


class FrozenRootOfList(RootModel[list[int]], frozen=True):
    pass


class OpenRoot(RootModel[int]):
    pass


class SomeMessage(Message):
    number: int


class SomeEvent(Event):
    values: list[int]


@dataclass(frozen=True)
class Point:
    x: Decimal
    y: Annotated[Decimal, Field(gt=0)]


@dataclass(frozen=True)
class Path:
    points: list[Point]


@dataclass
class OpenPoint:
    x: int


@dataclass(frozen=True)
class Node:
    following: Optional["Node"]


@dataclass(frozen=True)
class ForTypeCheckersAlone:
    share: "Fraction"


class Pair(NamedTuple):
    first: int
    second: list[int]


class Anything:
    pass


Number = TypeAliasType("Number", int | float)
Numbers = TypeAliasType("Numbers", list[int])


@pytest.mark.parametrize(
    "kind",
    [
        None,
        type(None),
        bool,
        int,
        float,
        str,
        bytes,
        Decimal,
        UUID,
        date,
        datetime,
        timedelta,
        Colour,
        Literal["a", 1],
        int | None,
        Union[int, str],  # noqa: UP007 - the other way to write one
        Annotated[int, Field(gt=0)],
        Annotated[int | None, Field()] | str,
        tuple[int, ...],
        tuple[()],
        tuple[int, tuple[str, Frozen]],
        frozenset[str],
        frozenset[tuple[int, str]],
        Number,
        tuple[Number, ...],
        Frozen,
        FrozenOfFrozen,
        FrozenOfFrozenSet,
        FrozenChild,
        Frozen | Point,
        Tree,
        Box[int],
        Box[tuple[int, ...]],
        FrozenRoot,
        SomeMessage,
        Point,
        Node,
    ],
    ids=str,
)
def test_what_can_be_shared(kind: Any) -> None:
    """A type all of whose parts are immutable, all the way down."""
    assert is_immutable(kind)


@pytest.mark.parametrize(
    "kind",
    [
        list,
        dict,
        set,
        bytearray,
        list[int],
        dict[str, int],
        set[int],
        Mapping[str, int],
        list[Frozen],
        tuple[list[int], ...],
        tuple[int, dict[str, int]],
        frozenset[Open],
        int | list[int],
        Optional[dict[str, int]],  # noqa: UP045 - the other way to write one
        Annotated[list[int], Field()],
        Numbers,
        JsonValue,
        Open,
        Frozen | Open,
        FrozenOfOpen,
        FrozenOfDict,
        FrozenWithPrivate,
        FrozenWithExtra,
        FrozenWithFrozenFields,
        FrozenChildWithList,
        OpenedChild,
        TreeOfLists,
        Left,
        Right,
        Box[list[int]],
        FrozenRootOfList,
        OpenRoot,
        SomeEvent,
        Path,
        OpenPoint,
        tuple[OpenPoint, ...],
    ],
    ids=str,
)
def test_what_must_be_copied(kind: Any) -> None:
    """A type that can be changed in place itself, or that holds one which can."""
    assert not is_immutable(kind)


@pytest.mark.parametrize(
    "kind",
    [
        Any,
        object,
        FrozenOfAny,
        tuple,
        frozenset,
        tuple[Any, ...],
        T,
        Box,
        Box[Any],
        Anything,
        Pair,
        type[int],
        "int",
        dataclasses.InitVar[int],
        ForTypeCheckersAlone,
    ],
    ids=str,
)
def test_what_cannot_be_told(kind: Any) -> None:
    """In doubt a type counts as changeable: a copy too many is slow, one too few is wrong."""
    assert not is_immutable(kind)


@pytest.mark.parametrize("kind", [frozenset[str], FrozenOfFrozenSet, tuple[frozenset[int], ...], int | frozenset[int]])
def test_sets_may_be_told_apart(kind: Any) -> None:
    """Without `sets` a frozenset counts as changeable, however deep; whatever holds none is told as before."""
    assert is_immutable(kind)
    assert not is_immutable(kind, sets=False)


@pytest.mark.parametrize("kind", [int, Frozen, FrozenOfFrozen, tuple[Point, ...], Tree])
def test_what_holds_no_set(kind: Any) -> None:
    """Without `sets` whatever holds none is told as before."""
    assert is_immutable(kind, sets=False)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="needs the `type` statement")
@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("type Nest = int | tuple[Nest, ...]", True),
        ("type Nest = int | list[Nest]", False),
        ("type Nest = tuple[Nest, ...] | list[int]", False),
    ],
)
def test_an_alias_that_holds_itself(source: str, *, expected: bool) -> None:
    """An alias that leads back to itself is told by its other parts."""
    names: dict[str, Any] = {}
    exec(source, names)  # noqa: S102 - a statement that Python 3.11 cannot read
    assert is_immutable(names["Nest"]) is expected


def test_a_class_that_is_not_ready_yet() -> None:
    """A model that names a class which is not there yet counts as changeable, and raises nothing."""

    class Early(BaseModel, frozen=True):
        later: "Later"  # type: ignore[name-defined]  # noqa: F821 - it never comes

    assert not is_immutable(Early)
