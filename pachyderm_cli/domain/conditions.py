"""Conditions on states: `balance<0`, `owner.name=Ada`, and the order of their values. Pure.

What a condition compares with is read by the type of the value that a state has there: a number as a number, exact; a
time as a time, whatever its offset; text as text. So one condition means the same on every database.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import BaseModel, TypeAdapter, ValidationError

from pachyderm_cli.errors import UsageError

_CONDITION = re.compile(r"\s*([^\s=<>!]+)\s*(==|=|!=|<=|>=|<|>)\s*(.*?)\s*", re.DOTALL)
_NUMBER = re.compile(r"[-+]?[\d_.]+([eE][-+]?\d+)?")
_LONGEST_INDEX = 18  # digits; Python reads numbers of up to some thousand
_FORMS = "write FIELD=VALUE, with = != < <= > or >=, and dots for fields of fields"

MISSING = object()
"""What a path leads to where a state has nothing."""


class Condition(NamedTuple):
    """A comparison of what stands at `path` with the value that `text` is; quoted text is text, `null` is null."""

    path: tuple[str, ...]
    operator: str
    text: str
    is_quoted: bool

    @property
    def wants_null(self) -> bool:
        """Whether it compares with null."""
        return self.text == "null" and not self.is_quoted

    def holds(self, state: Any) -> bool:
        """Tell whether `state` fulfils it. Nothing is less or greater than null, nor than what is not there.

        Raises UsageError where a value has an order that `text` has no place in.
        """
        value = value_at(state, self.path)
        is_nothing = value is None or value is MISSING
        if self.wants_null or is_nothing:
            same = self.wants_null and is_nothing
            return same if self.operator == "=" else not same if self.operator == "!=" else False
        return self._compare(value)

    def _compare(self, value: Any) -> bool:
        try:
            left, right = comparable(value), self._read(value)
            if any(isinstance(each, Decimal) and each.is_nan() for each in (left, right)):
                raise ValueError(self.text)  # noqa: TRY301 - nothing is less or greater than it
        except (ValueError, InvalidOperation, ValidationError):
            if self.operator in ("=", "!="):
                return self.operator == "!="
            raise UsageError(
                f"{'.'.join(self.path)} is {_described(value)}: {self.text!r} is not, so it cannot be compared"
            ) from None
        match self.operator:
            case "=":
                return bool(left == right)
            case "!=":
                return bool(left != right)
            case "<":
                return bool(left < right)
            case "<=":
                return bool(left <= right)
            case ">":
                return bool(left > right)
            case _:
                return bool(left >= right)

    def _read(self, value: Any) -> Any:
        """Return `text` as something that can be compared with `value`. Raises ValueError and its like."""
        if isinstance(value, Enum):
            value = value.value
        if isinstance(value, bool):
            return {"true": 1, "false": 0}[self.text] if self.text in ("true", "false") else _not_one(self.text)
        if isinstance(value, int | float | Decimal):
            if self.is_quoted:
                return _not_one(self.text)
            # What Python writes as 0.1 is not 0.1 exactly, and is to be found by that name.
            return Decimal(float(self.text)) if isinstance(value, float) else Decimal(self.text)
        if isinstance(value, UUID):
            return str(UUID(self.text))
        if isinstance(value, datetime | date | time) and _NUMBER.fullmatch(self.text):
            return _not_one(self.text)  # pydantic takes it for seconds since 1970
        if isinstance(value, datetime | date | time | timedelta):
            return comparable(TypeAdapter(type(value)).validate_strings(self.text))
        if isinstance(value, str):
            return self.text
        raise ValueError(self.text)


def read_condition(text: str) -> Condition:
    """Return the condition that `text` writes. Raises UsageError."""
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise UsageError(f"{text!r} is no condition: {_FORMS}")
    path, operator, value = match.groups()
    is_quoted = len(value) >= 2 and value[0] == value[-1] and value[0] in "'\""
    return Condition(
        read_path(path), "=" if operator == "==" else operator, value[1:-1] if is_quoted else value, is_quoted
    )


def read_path(text: str) -> tuple[str, ...]:
    """Return the fields that a dotted path goes through. Raises UsageError."""
    parts = tuple(text.split("."))
    if not all(parts):
        raise UsageError(f"{text!r} is no field of a state: write its name, with dots for fields of fields")
    return parts


def value_at(state: Any, path: Sequence[str]) -> Any:
    """Return what stands in a state at `path`, MISSING if nothing does."""
    for name in path:
        if isinstance(state, BaseModel):
            state = _field_of(state, name)
        elif dataclasses.is_dataclass(state):
            is_field = any(each.name == name for each in dataclasses.fields(state))
            state = getattr(state, name, MISSING) if is_field else MISSING
        elif isinstance(state, Mapping):
            state = state.get(name, MISSING)
        elif isinstance(state, list | tuple) and name.isdecimal():
            state = state[int(name)] if len(name) <= _LONGEST_INDEX and int(name) < len(state) else MISSING
        else:
            return MISSING
    return state


def _field_of(model: BaseModel, name: str) -> Any:
    """Return a model's field, or computed field, by its name or by the alias that its JSON has."""
    kind = type(model)
    names = {own: field.serialization_alias or field.alias for own, field in kind.model_fields.items()}
    names |= {own: field.alias for own, field in kind.model_computed_fields.items()}
    for own, alias in names.items():
        if name in (own, alias):
            return getattr(model, own, MISSING)
    return MISSING


def comparable(value: Any) -> Any:
    """Return a value in the form in which those of its kind compare: numbers exactly, times in UTC."""
    if isinstance(value, Enum):
        return comparable(value.value)
    if isinstance(value, int | float):
        return Decimal(value)
    if isinstance(value, datetime | time) and value.utcoffset() is None:
        return value.replace(tzinfo=UTC)  # compared as it is, whatever its offset
    return str(value) if isinstance(value, UUID) else value


def sort_key(value: Any) -> tuple[int, str, Any]:
    """Return what orders values: those of one kind by their order, kinds apart, then what has none, nothing last."""
    if value is None or value is MISSING:
        return 3, "", 0
    compared = comparable(value)
    if isinstance(compared, Decimal):
        return (1, "", 0) if compared.is_nan() else (0, "number", compared)
    if isinstance(compared, str | datetime | date | time | timedelta):
        return 0, type(compared).__name__, compared
    return 2, "", str(compared)


def _not_one(text: str) -> Any:
    raise ValueError(text)


def _described(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float | Decimal):
        return "a number"
    if isinstance(value, datetime | date | time | timedelta):
        return f"a {type(value).__name__}"
    return "a UUID" if isinstance(value, UUID) else f"of the type {type(value).__name__}"
