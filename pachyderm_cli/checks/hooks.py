"""What a module says itself of how its values are made."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

from hypothesis.strategies import SearchStrategy

from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.domain.faults import origin
from pachyderm_cli.errors import EntityLoadError

_FORMS = 'write strategies = {Class: a strategy of Hypothesis, "Class.field": …}, or a function that returns that'


def hooks_of(entity_type: EntityType) -> Mapping[Any, Any]:
    """Return the strategies that the module names, by class or by "Class.field". Raises EntityLoadError."""
    hooks = getattr(inspect.unwrap(entity_type.handle), "__globals__", {}).get("strategies", {})
    if callable(hooks):
        try:
            hooks = hooks()
        except Exception as error:
            file, line = origin(error, entity_type.file, 1)
            told = f"{file}:{line}: strategies failed: {type(error).__name__}: {error}".rstrip(": ")
            raise EntityLoadError(told, file=file, line=line) from error
    if not isinstance(hooks, Mapping):
        raise _wrong(entity_type, f"strategies is {hooks!r}; {_FORMS}")
    for key, value in hooks.items():
        if not isinstance(key, type) and not (isinstance(key, str) and "." in key):
            raise _wrong(entity_type, f"strategies has the key {key!r}; {_FORMS}")
        if not isinstance(value, SearchStrategy):
            raise _wrong(
                entity_type, f"strategies[{_shown(key)}] is {value!r}, and no strategy of Hypothesis; {_FORMS}"
            )
    return hooks


def unused(hooks: Mapping[Any, Any], used: Collection[Any], fields: Collection[str]) -> list[str]:
    """Return notes on the keys that fitted nothing: they may be misspelt, or be meant for another entity type."""
    return [
        f"strategies[{_shown(key)}] fits no field or class of a message{_nearest(key, fields)}"
        for key in hooks
        if key not in used
    ]


def _nearest(key: Any, fields: Collection[str]) -> str:
    near = get_close_matches(key, sorted(fields), n=1) if isinstance(key, str) else []
    return f"; did you mean {near[0]!r}?" if near else ""


def _wrong(entity_type: EntityType, problem: str) -> EntityLoadError:
    return EntityLoadError(f"{entity_type.file}: {problem}", file=entity_type.file, line=1)


def _shown(key: Any) -> str:
    return key.__name__ if isinstance(key, type) else repr(key)
