"""Telling from a type whether its values can be changed in place."""

from __future__ import annotations

import dataclasses
import types
from datetime import date, time, timedelta, tzinfo
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from pydantic import BaseModel

_ATOMS = (int, float, complex, str, bytes, Decimal, Fraction, UUID, date, time, timedelta, tzinfo, Enum)


def is_immutable(kind: Any, *, sets: bool = True) -> bool:
    """Tell whether no value of the type `kind` can be changed in place, all the way down; in doubt, False.

    Without `sets`, a frozenset counts as changeable, since its order is no part of it.
    """
    return _is_immutable(kind, (tuple, frozenset) if sets else (tuple,), frozenset())


def _is_immutable(kind: Any, collections: tuple[Any, ...], within: frozenset[Any]) -> bool:
    origin = get_origin(kind)
    if kind is None or kind is type(None) or kind is Ellipsis or origin is Literal:
        return True
    if type(kind).__name__ == "TypeAliasType":
        return kind in within or _is_immutable(kind.__value__, collections, within | {kind})
    if origin is Annotated:
        return _is_immutable(get_args(kind)[0], collections, within)
    if origin in (Union, types.UnionType, *collections):
        return all(_is_immutable(part, collections, within) for part in get_args(kind))
    if not isinstance(kind, type) or origin is not None:
        return False
    if kind in within:  # a type that contains itself
        return True
    return _is_immutable_class(kind, collections, within | {kind})


def _is_immutable_class(kind: type[Any], collections: tuple[Any, ...], within: frozenset[Any]) -> bool:
    if issubclass(kind, BaseModel):
        private = kind.__private_attributes__ or kind.model_config.get("extra") == "allow"
        fields = (info.annotation for info in kind.model_fields.values())
        frozen = bool(kind.model_config.get("frozen"))
        return frozen and not private and all(_is_immutable(field, collections, within) for field in fields)
    if dataclasses.is_dataclass(kind):
        if not kind.__dataclass_params__.frozen:  # type: ignore[attr-defined]  # every dataclass has them
            return False
        try:
            hints = get_type_hints(kind)
        except NameError:  # a name that is there for type checkers alone
            return False
        return all(_is_immutable(hint, collections, within) for hint in hints.values())
    return issubclass(kind, _ATOMS)
