"""Which values need no second look when they are written as JSON."""

from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PositiveInt, computed_field, field_serializer

from pachyderm_cli.domain.plainness import fits_plainly, plain_kinds


class Plain(BaseModel):
    count: PositiveInt = 1
    name: Annotated[str, Field(max_length=9)] = ""
    nothing: None = None
    identifier: UUID = UUID(int=0)
    flag: bool = Field(default=False, alias="is")


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")

    count: int = 0


class OneOf(BaseModel):
    count: Literal[1, 2] = 1


class OrNone(BaseModel):
    count: int | None = None


class Lists(BaseModel):
    count: list[int] = []


class HasNoHash(BaseModel):
    count: list[Annotated[int, Field(gt=0)]] = []


class Annotates(BaseModel):
    count: Annotated[int, PlainSerializer(str, return_type=int)] = 0


class Serializes(BaseModel):
    count: int = 0

    @field_serializer("count")
    def _written(self, value: int) -> int:
        return str(value)  # type: ignore[return-value]  # on purpose


class Computes(BaseModel):
    count: int = 0

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorators above a property
    @property
    def double(self) -> int:
        """Return what is no whole number."""
        return str(self.count)  # type: ignore[return-value]  # on purpose


class Child(Plain):
    more: int = 0


def test_a_model_of_plain_fields_has_their_types() -> None:
    """In the order of the fields, whatever constraints and aliases they have; a subclass has its own."""
    assert plain_kinds(Plain) == [int, str, type(None), UUID, bool]
    assert plain_kinds(Child) == [int, str, type(None), UUID, bool, int]


@pytest.mark.parametrize(
    "model", [Open, OneOf, OrNone, Lists, HasNoHash, Annotates, Serializes, Computes, int, Plain | None, Any, Plain()]
)
def test_others_have_none(model: Any) -> None:
    """What may hold anything else, is written by code of the user's own, or is no model at all, is looked at again."""
    assert plain_kinds(model) is None


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        (Plain(), True),
        (Plain(count=3, name="n"), True),
        (Child(), False),
        (Plain.model_construct(count="3"), False),
        (Plain.model_construct(count=True), False),
        (Plain().model_copy(update={"name": None}), False),
        (Plain().model_copy(update={"more": 1}), False),
        (Plain.model_construct(count=1, name=1, nothing=1, identifier=1, flag=1), False),
        ({"count": 1}, False),
        (None, False),
    ],
)
def test_only_what_is_of_just_these_types_fits(value: Any, fits: bool) -> None:  # noqa: FBT001 - as parametrized
    """A value that was changed or made without validation does not, unless its types are right all the same."""
    assert fits_plainly(value, Plain, plain_kinds(Plain)) is fits
