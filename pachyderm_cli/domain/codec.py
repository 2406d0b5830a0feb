"""Values to JSON text and back, with the promise that what comes back is what went in.

Encoding and decoding are pydantic's; this module adds the proof. A value is encoded, decoded and compared with
what it was, type by type; the first place where they differ is named. So NaN, a lone surrogate, an int key or
a tuple in an untyped field is refused before it is stored, not found out at the next replay.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Sequence
from datetime import datetime, time
from decimal import Decimal
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, SchemaSerializer, from_json, to_json

from pachyderm_cli.domain.plainness import PLAIN

ModelT = TypeVar("ModelT", bound=BaseModel)

_DEEPEST = 20
"""How far a path is followed for an error: a value may contain itself."""


class Unfaithful(ValueError):
    """JSON would change this value: `path` says where, from `before` to `after`."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path or 'the value'} {' '.join(problem.split())}")  # pydantic's may have several lines
        self.path = path


def encode_model(value: BaseModel) -> str:
    """Return `value` as JSON text. Raises Unfaithful if it holds something that JSON cannot."""
    # What `model_dump_json` calls, without the time that it takes to hand its many arguments on.
    return _encoded(value.__pydantic_serializer__, value, type(value).__name__, warnings=False)


def _encoded(serializer: SchemaSerializer, value: Any, name: str, *, warnings: Literal["error", False]) -> str:
    """Return `value` as JSON text; with `warnings`, one that does not fit its type is refused, as Unfaithful.

    Who reads the text again need not ask for them: pydantic takes four times as long to find out that it was.
    """
    try:
        text = serializer.to_json(value, by_alias=True, round_trip=True, warnings=warnings).decode()
        # A model's own settings may let it hold numbers that JSON has not; in a string the words may stand.
        if "NaN" in text or "Infinity" in text:
            from_json(text, allow_inf_nan=False)
    except (PydanticSerializationError, ValueError, RecursionError) as error:
        raise Unfaithful(_culprit(value, name), f"cannot be written as JSON: {error}") from error
    return text


def decode_model(model: type[ModelT], text: str | bytes) -> ModelT:
    """Return the `model` that `text` is. Raises pydantic's ValidationError."""
    return model.__pydantic_validator__.validate_json(text)  # type: ignore[no-any-return]  # as above


def encode_faithfully(value: ModelT) -> tuple[str, ModelT]:
    """Return `value` as JSON text, and what that text decodes to. Raises Unfaithful where the two would differ."""
    name = type(value).__name__
    text = _encoded(value.__pydantic_serializer__, value, name, warnings=False)
    try:
        decoded: ModelT = value.__pydantic_validator__.validate_json(text)  # as `decode_model`, by a shorter way
    except ValidationError as error:
        path = _error_path(name, error)
        path = _culprit(value, name) if path == name else path
        raise Unfaithful(path, f"does not come back from JSON: {_first(error)}") from error
    if not _are_plainly_same(value, decoded):
        _require_same(value, decoded, name)
    return text, decoded


def encode_state(adapter: TypeAdapter[Any], state: Any, *, fits: bool = False) -> str:
    """Return `state` as JSON text. Raises Unfaithful if it holds something that JSON cannot, or is not of its type.

    Who knows already that it `fits` its type saves the time to ask for that.
    """
    return _encoded(adapter.serializer, state, "state", warnings=False if fits else "error")


def encode_state_faithfully(adapter: TypeAdapter[Any], state: Any) -> str:
    """Return `state` as JSON text that decodes to the same state. Raises Unfaithful if there is none."""
    text = encode_state(adapter, state)
    try:
        decoded = adapter.validate_json(text)
    except ValidationError as error:
        raise Unfaithful(_error_path("state", error), f"does not come back from JSON: {_first(error)}") from error
    except Exception as error:  # a validator of the user's own
        raise Unfaithful("state", f"does not come back from JSON: {type(error).__name__}: {error}") from error
    _require_same(state, decoded, "state")
    return text


def _are_plainly_same(before: BaseModel, after: BaseModel) -> bool:
    """Tell whether two models of one class have the same fields, all of them plain; else `difference` has to look."""
    left, right = before.__dict__, after.__dict__
    if left != right or before.__pydantic_extra__:
        return False
    for (name, value), (other, come_back) in zip(left.items(), right.items(), strict=True):
        kind = type(value)
        if kind not in PLAIN or kind is not type(come_back) or name != other:
            return False
    return True


def difference(before: Any, after: Any, path: str = "") -> str | None:
    """Return the path of the first place where two values differ, or None if they are the same.

    Stricter than `==`: types count (1 is not True is not 1.0), and so do the sign of zero, the scale of a
    Decimal and the offset of a time. NaN is the same as NaN.
    """
    kind = type(before)
    if kind is type(after):
        if kind in PLAIN:  # most values are of these, and all values of these are equal only if they are the same
            return None if before == after else path
    elif not (isinstance(before, datetime | time) and isinstance(after, datetime | time)):
        return path
    if isinstance(before, datetime | time):
        same = before == after and before.utcoffset() == after.utcoffset()
        return None if same and (before.tzinfo is None) == (after.tzinfo is None) else path
    if isinstance(before, float | Decimal):
        return None if repr(before) == repr(after) else path
    if isinstance(before, BaseModel) or dataclasses.is_dataclass(before):
        return _mapping_difference(_fields(before), _fields(after), path)
    if isinstance(before, dict):
        return _mapping_difference(before, after, path)
    if isinstance(before, list | tuple | deque):
        return _sequence_difference(before, after, path)
    if isinstance(before, set | frozenset):
        return _set_difference(before, after, path)
    return None if before == after else path


def _fields(value: Any) -> dict[str, Any]:
    """Return the fields of a model or dataclass, without what it only remembers (a cached_property)."""
    if isinstance(value, BaseModel):
        if value.__dict__.keys() == type(value).__pydantic_fields__.keys() and not value.__pydantic_extra__:
            return value.__dict__
        fields = {name: getattr(value, name) for name in type(value).model_fields if name in value.__dict__}
        return {**fields, **(value.model_extra or {})}
    return {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}


def _culprit(value: Any, path: str, depth: int = 0) -> str:
    """Return the path of the innermost part of `value` that JSON cannot hold, as far as it can be told."""
    children: list[tuple[Any, str, Any]] = []
    if isinstance(value, BaseModel) or (dataclasses.is_dataclass(value) and not isinstance(value, type)):
        children = [(key, _inner(path, key), child) for key, child in _fields(value).items()]
    elif isinstance(value, dict):
        children = [(key, _inner(path, key), child) for key, child in value.items()]
    elif isinstance(value, list | tuple | set | frozenset):
        children = [(index, f"{path}[{index}]", child) for index, child in enumerate(value)]
    for key, inner, child in children:
        try:
            from_json(to_json({key: child}), allow_inf_nan=False)
        except (PydanticSerializationError, ValueError):
            return _culprit(child, inner, depth + 1) if depth < _DEEPEST else inner
    return path


def _inner(path: str, key: Any) -> str:
    is_plain = isinstance(key, str) and key.isprintable()  # the path goes into a message: no lone surrogate in it
    return f"{path}.{key}" if is_plain else f"{path}[{key!r}]"


def _mapping_difference(before: dict[Any, Any], after: dict[Any, Any], path: str) -> str | None:
    for key, value in before.items():
        # A key that equals another of a different type (1 and True) does not count as found.
        if key not in after:
            return _inner(path, key)
        found = difference(value, after[key])
        if found is not None:
            return _inner(path, key) + found
    if len(before) != len(after) or {type(key) for key in before} != {type(key) for key in after}:
        return path
    return None


def _set_difference(before: frozenset[Any] | set[Any], after: frozenset[Any] | set[Any], path: str) -> str | None:
    if before != after:
        return path
    same = {member: member for member in after}  # by those they are equal to, which may be of another type
    return path if any(difference(member, same[member]) is not None for member in before) else None


def _sequence_difference(before: Sequence[Any], after: Sequence[Any], path: str) -> str | None:
    if len(before) != len(after):
        return path
    for index, (left, right) in enumerate(zip(before, after, strict=True)):
        found = difference(left, right)
        if found is not None:
            return f"{path}[{index}]{found}"
    return None


def _require_same(before: Any, after: Any, name: str) -> None:
    path = difference(before, after, name)
    if path is not None:
        raise Unfaithful(path, "would be changed by JSON: give it a value of its own type, or a type that JSON keeps")


def _error_path(name: str, error: ValidationError) -> str:
    return ".".join([name, *(str(part) for part in error.errors(include_url=False)[0]["loc"])])


def _first(error: ValidationError) -> str:
    return error.errors(include_url=False, include_input=False)[0]["msg"]
