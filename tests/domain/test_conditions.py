"""Conditions on states: read once, compared by the type of what a state has."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, computed_field

from pachyderm_cli.domain.conditions import MISSING, read_condition, read_path, sort_key, value_at
from pachyderm_cli.errors import UsageError


class Colour(Enum):
    RED = "red"


class Size(IntEnum):
    SMALL = 1


@dataclass
class Point:
    x: int = 3

    def method(self) -> None:
        """Be no field."""


class Model(BaseModel):
    first: int = Field(alias="theFirst")

    @computed_field  # type: ignore[prop-decorator]  # pydantic's own way
    @property
    def twice(self) -> int:
        """Return twice the first."""
        return 2 * self.first


NINE = datetime(2026, 1, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "condition"),
    [
        (1, "v=1.0"),
        (10, "v>9"),
        (2**53 + 1, "v!=9007199254740992"),
        (0.1, "v=0.1"),
        (0.30000000000000004, "v>0.3"),
        (Decimal("0.10"), "v==0.1"),
        (Decimal("1E+3"), "v>=1000"),
        ("10", "v<9"),
        ("null", "v='null'"),
        ("null", 'v = "null"'),
        (None, "v=null"),
        ("", "v="),
        ("a=b<c", "v=a=b<c"),
        ("two words", " v = two words "),
        (True, "v=true"),
        (True, "v>false"),
        (True, "v!=yes"),
        (NINE, "v=2026-01-01T10:00:00+01:00"),
        (NINE, "v>2026-01-01"),
        (NINE.replace(tzinfo=None), "v=2026-01-01T09:00Z"),
        (datetime.max.replace(tzinfo=UTC), "v>2026-01-01T00:00:00-11:00"),
        (datetime.fromisoformat("9999-12-31T23:59:59-11:00"), "v>2026-01-01T00:00:00Z"),
        (date(2026, 1, 1), "v<2026-01-02"),
        (time(9), "v<10:00:00Z"),
        (time(9, tzinfo=UTC), "v<10:00"),
        (timedelta(minutes=5), "v<PT10M"),
        (UUID(int=1), "v=00000000000000000000000000000001"),
        (Colour.RED, "v=red"),
        (Size.SMALL, "v<2"),
        ("x", "v!=null"),
        (None, "v!=1"),
        (float("nan"), "v!=1"),
        (1, "v!=nan"),
        (Decimal(1), "v!=snan"),
        (1, "v<inf"),
        ([1], "v!=1"),
    ],
)
def test_what_holds(value: Any, condition: str) -> None:
    """A condition is fulfilled by the values of each kind that it names, and its opposite is not."""
    read = read_condition(condition)
    assert read.holds({"v": value})
    opposite = {"=": "!=", "!=": "=", "<": ">=", ">": "<=", "<=": ">", ">=": "<"}[read.operator]
    assert not read._replace(operator=opposite).holds({"v": value})


@pytest.mark.parametrize("operator", ["<", "<=", ">", ">="])
@pytest.mark.parametrize(
    ("value", "text"),
    [
        *[(1, "many"), (1, "'1'"), (1, "nan"), (float("nan"), "1"), (True, "yes"), (NINE, "soon"), ([1], "1")],
        (1.5, "x"),
        # Numbers are no times, as seconds since 1970 or otherwise.
        *[(NINE, "2026"), (date(2026, 1, 1), "20260101"), (time(9), "9.5")],
    ],
)
def test_what_has_no_order_is_refused(value: Any, operator: str, text: str) -> None:
    """Where a value's order has no place for what is written, the field and its kind are named."""
    with pytest.raises(UsageError, match=r"^v is "):
        read_condition(f"v{operator}{text}").holds({"v": value})


@pytest.mark.parametrize("operator", ["<", "<=", ">", ">="])
def test_nothing_has_no_order(operator: str) -> None:
    """Null, and what is not there, are neither less nor greater than anything."""
    for state in ({"v": None}, {}, None, 3):
        assert not read_condition(f"v{operator}1").holds(state)
        assert not read_condition(f"v{operator}null").holds(state)


@pytest.mark.parametrize("text", ["", "v", "=1", "v~1", "a b=1", ".=1", "a..b=1", "a.=1"])
def test_what_is_no_condition(text: str) -> None:
    """Without field and comparison it is refused."""
    with pytest.raises(UsageError):
        read_condition(text)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("point.x", 3),
        ("model.first", 7),
        ("model.theFirst", 7),
        ("model.twice", 14),
        ("model.model_fields", MISSING),
        ("point.method", MISSING),
        ("list.1", 20),
        ("list.2", MISSING),
        ("list.x", MISSING),
        ("dict.a.b", 1),
        ("dict.c", MISSING),
        ("none.x", MISSING),
        ("number.real", MISSING),
        ("list." + "7" * 10_000, MISSING),
    ],
)
def test_paths_go_through_fields(path: str, expected: object) -> None:
    """Fields, computed and by alias too, keys and places in lists are found; methods and attributes are not."""
    state = {
        "model": Model(theFirst=7),
        "point": Point(),
        "list": [10, 20],
        "dict": {"a": {"b": 1}},
        "none": None,
        "number": 5,
    }
    assert value_at(state, read_path(path)) == expected


def test_values_of_all_kinds_can_be_sorted() -> None:
    """Numbers, text and times each among themselves, then what has no order, nothing last; no error for any mixture."""
    values = [None, "b", 2, NINE, True, Decimal("1.5"), "a", [1], time(9), time(8, tzinfo=UTC), float("nan"), MISSING]
    ordered = sorted(values, key=sort_key)
    assert [each for each in ordered if isinstance(each, int | Decimal)] == [True, Decimal("1.5"), 2]
    assert [each for each in ordered if isinstance(each, str)] == ["a", "b"]
    assert [each for each in ordered if isinstance(each, time)] == [time(8, tzinfo=UTC), time(9)]
    assert ordered[-3:] == [[1], None, MISSING] or ordered[-2:] == [None, MISSING]
