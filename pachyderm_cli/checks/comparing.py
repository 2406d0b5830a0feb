"""Comparing two values as strictly as the codec does, and telling where they differ."""

from __future__ import annotations

import dataclasses
import json
import re
from collections import deque
from collections.abc import Iterable
from typing import Any, NamedTuple

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError, to_jsonable_python

from pachyderm_cli.domain.codec import difference

_MOST_PATHS = 10
_DEEPEST = 20
_LONGEST = 60
_PART = re.compile(r"\.?([^.\[\]]+)|\[([^\]]*)\]")


class Difference(NamedTuple):
    """Where two values differ, and both as JSON text, as far as they have one."""

    paths: tuple[str, ...]
    before: str | None
    after: str | None


def compared(before: Any, after: Any) -> Difference | None:
    """Return how two values differ, None if they are the same.

    Of a class that has no `__eq__` two instances are the same that hold the same.
    """
    path = difference(before, after)
    if path is not None:
        path = difference(_spelt_out(before), _spelt_out(after))
    if path is None:
        return None
    texts = _text(before), _text(after)
    return Difference(paths_between(*texts) or (pointer(path),), *texts)


def paths_between(before: str | None, after: str | None) -> tuple[str, ...]:
    """Return where two JSON texts differ, as JSON Pointers; nothing where one of them is none."""
    import jsonpatch  # noqa: PLC0415 - once something was found

    try:
        patch = jsonpatch.make_patch(json.loads(before or ""), json.loads(after or ""))
    except ValueError:
        return ()
    return tuple(dict.fromkeys(each["path"] or "/" for each in patch))[:_MOST_PATHS]


def pointer(path: str) -> str:
    """Return a path such as `.items[0].name` as a JSON Pointer."""
    parts = (name or index.strip("'\"") for name, index in _PART.findall(path))
    return "/" + "/".join(part.replace("~", "~0").replace("/", "~1") for part in parts)


def change(before: Any, after: Any) -> str:
    """Return in words how the first part that differs came back, and what to do about it."""
    before, after = _innermost(before, after)
    kind = type(before)
    if kind is type(after) and _has_no_eq(kind):
        return f"a {kind.__name__} is equal to nothing but itself: give the class an __eq__, so that it can be compared"
    if kind is int and type(after) is float and before == after:
        return f"int {before} becomes float {after!r}: write {after!r}"
    told = f"{kind.__name__} {_short(before)} becomes {type(after).__name__} {_short(after)}"
    return f"{told}: give it a type that JSON keeps"


def canonical(value: Any) -> str:
    """Return a value as a text that is the same for what is the same: the members of a set have no order there."""
    return json.dumps(_ordered(value), ensure_ascii=False, sort_keys=True)


def is_compared_by_identity(value: Any) -> bool:
    """Tell whether something is equal to nothing but itself, and is no name for itself as a class is."""
    return _has_no_eq(type(value)) and not callable(value)


def _has_no_eq(kind: type) -> bool:
    defined: Any = kind.__eq__
    return defined is object.__eq__


def _innermost(before: Any, after: Any) -> tuple[Any, Any]:
    """Return the smallest parts of two values that differ."""
    for _ in range(_DEEPEST):
        parts, others = _parts(before), _parts(after)
        if type(before) is not type(after) or not parts or parts.keys() != others.keys():
            break
        found = next((key for key, part in parts.items() if difference(part, others[key]) is not None), None)
        if found is None:
            break
        before, after = parts[found], others[found]
    return before, after


def _parts(value: Any) -> dict[Any, Any]:
    if isinstance(value, BaseModel):
        return {**value.__dict__, **(value.model_extra or {})}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name, None) for each in dataclasses.fields(value)}
    if isinstance(value, dict):
        return value
    return dict(enumerate(value)) if isinstance(value, list | tuple | deque) else {}


def _held(value: Any) -> dict[str, Any]:
    """Return what an instance of any class holds."""
    slots = (name for cls in type(value).__mro__ for name in _names(getattr(cls, "__slots__", ())))
    return {**{name: getattr(value, name, None) for name in slots}, **getattr(value, "__dict__", {})}


def _names(slots: str | Iterable[str]) -> list[str]:
    return [slots] if isinstance(slots, str) else list(slots)


def _spelt_out(value: Any, depth: int = 0) -> Any:
    """Return a value as containers of what it holds, its classes among them."""
    if depth > _DEEPEST:
        return None
    if isinstance(value, BaseModel) or (dataclasses.is_dataclass(value) and not isinstance(value, type)):
        parts = {name: part for name, part in _parts(value).items() if _is_field(value, name)}
        return {**{name: _spelt_out(part, depth + 1) for name, part in parts.items()}, "": type(value)}
    if type(value) in (list, tuple):
        return type(value)(_spelt_out(part, depth + 1) for part in value)
    if type(value) is dict:
        return {key: _spelt_out(part, depth + 1) for key, part in value.items()}
    if is_compared_by_identity(value):
        return {**{name: _spelt_out(part, depth + 1) for name, part in _held(value).items()}, "": type(value)}
    return value


def _is_field(value: Any, name: str) -> bool:
    """Tell whether a name of an instance is what it holds, and not what it only remembers (a cached_property)."""
    if not isinstance(value, BaseModel):
        return True
    return name in type(value).model_fields or name in (value.model_extra or {})


def _ordered(value: Any) -> Any:
    if isinstance(value, BaseModel) or (dataclasses.is_dataclass(value) and not isinstance(value, type)):
        return {"": type(value).__name__, **{name: _ordered(part) for name, part in _parts(value).items()}}
    if isinstance(value, dict):
        return sorted(([_ordered(key), _ordered(part)] for key, part in value.items()), key=json.dumps)
    if isinstance(value, list | tuple | deque):
        return [_ordered(part) for part in value]
    if isinstance(value, set | frozenset):
        return sorted(map(_ordered, value), key=json.dumps)
    if is_compared_by_identity(value) and (held := _held(value)):
        return _ordered(held)
    try:
        return to_jsonable_python(value)
    except (PydanticSerializationError, ValueError, TypeError):
        return type(value).__name__


def _text(value: Any) -> str | None:
    try:
        return json.dumps(to_jsonable_python(value), ensure_ascii=False, separators=(",", ":"))
    except (PydanticSerializationError, ValueError, TypeError):
        return None


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - user code may fail at that too
        return "(which has no repr)"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
