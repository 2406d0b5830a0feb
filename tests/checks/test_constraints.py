"""Values within the constraints of annotations."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import Field, NegativeInt, StringConstraints

from tests.checks.drawing import fields

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def within(low: Any, high: Any) -> Callable[[Any], bool]:
    """Return whether something lies between the two."""
    return lambda value: bool(low <= value <= high)


CONSTRAINED: dict[str, tuple[Any, Callable[[Any], bool]]] = {
    "an interval": (Annotated[int, Field(gt=0, lt=100)], within(1, 99)),
    "one number": (Annotated[int, Field(ge=5, le=5)], within(5, 5)),
    "from a large one": (Annotated[int, Field(ge=10**20)], within(10**20, 10**30)),
    "negative": (NegativeInt, within(-(10**30), -1)),
    "a multiple": (Annotated[int, Field(multiple_of=7, ge=10)], lambda number: number % 7 == 0 and number >= 10),
    "a float": (Annotated[float, Field(gt=0, lt=1)], lambda number: 0 < number < 1),
    "a price": (Annotated[Decimal, Field(ge=0, max_digits=5, decimal_places=2)], within(0, Decimal("999.99"))),
    "a share": (Annotated[Decimal, Field(gt=0, lt=1, decimal_places=2)], within(Decimal("0.01"), Decimal("0.99"))),
    "more than a float": (Annotated[Decimal, Field(gt=0.5)], lambda number: number > Decimal("0.5")),
    "a large decimal": (Annotated[Decimal, Field(ge=Decimal("2000000.5"))], lambda number: number >= 2_000_000),
    "a debt": (Annotated[Decimal, Field(ge=-5, le=-1)], within(-5, -1)),
    "few digits": (Annotated[Decimal, Field(max_digits=2)], lambda number: len(number.as_tuple().digits) <= 2),
    "a length": (Annotated[str, Field(min_length=3, max_length=4)], lambda text: len(text) in (3, 4)),
    "no text": (Annotated[str, Field(max_length=0)], lambda text: text == ""),
    "long": (Annotated[str, Field(min_length=40)], lambda text: len(text) >= 40),
    "a pattern": (Annotated[str, Field(pattern="^[A-Z]{2}-[0-9]{3}$")], lambda text: len(text) == 6 and text[2] == "-"),
    "a pattern and a length": (
        Annotated[str, Field(pattern="^[a-z]*$", min_length=20, max_length=30)],
        lambda text: 20 <= len(text) <= 30 and text.isalpha(),
    ),
    "a float's multiple": (
        Annotated[float, Field(ge=1000, multiple_of=0.5)],
        lambda number: number >= 1000 and number % 0.5 == 0,
    ),
    "stripped": (Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)], lambda text: text.strip()),
    "many": (Annotated[list[int], Field(min_length=6, max_length=7)], lambda items: len(items) in (6, 7)),
    "few": (Annotated[tuple[int, ...], Field(max_length=2)], lambda items: len(items) <= 2),
    "members": (Annotated[set[int], Field(min_length=2)], lambda items: len(items) >= 2),
    "keys": (Annotated[dict[str, int], Field(min_length=2, max_length=2)], lambda items: len(items) == 2),
    "from then": (Annotated[datetime, Field(ge=NOON)], lambda moment: moment >= NOON),
    "until then": (Annotated[datetime, Field(le=NOON)], lambda moment: moment <= NOON),
    "days": (Annotated[date, Field(gt=date(2026, 1, 1), lt=date(2026, 1, 4))], lambda day: day.day in (2, 3)),
    "office hours": (Annotated[time, Field(ge=time(9), le=time(17))], within(time(9), time(17))),
    "a while": (Annotated[timedelta, Field(gt=timedelta(0), le=timedelta(days=3))], within(timedelta(0), timedelta(3))),
}


@pytest.mark.parametrize("kind", CONSTRAINED)
def test_constraints_are_kept(kind: str) -> None:
    """Values lie within the constraints of their type, and there are some for each that can be kept."""
    annotation, is_right = CONSTRAINED[kind]
    values = fields(annotation)
    assert values
    assert all(map(is_right, values)), values
