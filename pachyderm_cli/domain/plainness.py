"""Telling from a model whether its values need no second look when they are written as JSON."""

from __future__ import annotations

from types import NoneType
from typing import Any
from uuid import UUID

from pydantic import BaseModel

PLAIN = frozenset({bool, int, str, bytes, NoneType, UUID})
"""Types all of whose values are equal only if they are the same, and whose JSON is pydantic's own affair."""


def plain_kinds(model: Any) -> list[type[Any]] | None:
    """Return the types of a model's fields, in order, where all are plain and pydantic alone writes them; else None.

    A value of the model that has values of just these types fits it, so that pydantic has nothing to warn of.
    """
    if not isinstance(model, type) or not issubclass(model, BaseModel):
        return None
    if model.model_config.get("extra") == "allow" or model.model_computed_fields:
        return None
    kinds = [info.annotation for info in model.model_fields.values()]
    # By what they are: an annotation may hold what has no hash.
    are_plain = all(any(kind is plain for plain in PLAIN) for kind in kinds)
    if not are_plain or "'serialization'" in str(model.__pydantic_core_schema__):
        return None
    return kinds  # type: ignore[return-value]  # all are in PLAIN


def fits_plainly(value: Any, model: Any, kinds: list[type[Any]] | None) -> bool:
    """Tell whether `value` is of the `model` with these plain kinds, and each of its values of its field's type."""
    return kinds is not None and type(value) is model and [*map(type, value.__dict__.values())] == kinds
