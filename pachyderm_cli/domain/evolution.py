"""Reading events that older code wrote: under former names, in older versions of their class."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import lru_cache
from inspect import getattr_static
from types import FunctionType
from typing import Any

from pachyderm_cli.domain.message import Event


@lru_cache(maxsize=1024)
def version_of(model: type[Event]) -> int:
    """Return the version of an event class, 1 unless it says otherwise."""
    if "version" in model.model_fields:
        return 1
    return getattr(model, "version", 1)


def aliases_of(model: type[Event]) -> tuple[str, ...]:
    """Return the former names of an event class."""
    if "aliases" in model.model_fields:
        return ()
    return tuple(getattr(model, "aliases", ()))


def problem_of(model: type[Event]) -> str | None:
    """Return what is wrong with what an event class says of its past, None if nothing is."""
    aliases = () if "aliases" in model.model_fields else getattr(model, "aliases", ())
    if not isinstance(aliases, tuple | list) or not all(isinstance(each, str) for each in aliases):
        return f'has aliases = {aliases!r}: write a tuple of names, aliases = ("FormerName",)'
    version = version_of(model)
    if type(version) is not int or version < 1:
        return f"has version = {version!r}: write a whole number from 1"
    if version > 1 and not callable(getattr(model, "upcast", None)):
        return f"has version = {version} and no upcast(data, version), which reads what is stored in older ones"
    if version > 1 and isinstance(getattr_static(model, "upcast"), FunctionType):
        return "has an upcast of an event, and there is none yet: write it with @staticmethod or @classmethod"
    return None


def clash_of(models: Iterable[type[Event]]) -> tuple[type[Event], str] | None:
    """Return a class and a former name that another class has too, None if there is none."""
    found: dict[str, type[Event]] = {}
    for model in models:
        for alias in aliases_of(model):
            other = found.setdefault(alias, model)
            if other is not model:
                return model, f"has the former name {alias!r}, which is one of {other.__name__}'s as well"
    return None


def readable_names(models: Iterable[type[Event]]) -> dict[str, type[Event]]:
    """Return the classes by every name that a stored event may have; a class's own name wins over another's alias."""
    models = list(models)
    names = {alias: model for model in models for alias in aliases_of(model)}
    return {**names, **{model.__name__: model for model in models}}


def upcast(model: type[Event], text: str, written: int) -> str:
    """Return the JSON text of an event that was stored in the older version `written`, as the class reads it now.

    Raises what the class's own `upcast` raises, TypeError if that returns no dict.
    """
    data = model.upcast(json.loads(text), written)  # type: ignore[attr-defined]  # read_entity required it
    if not isinstance(data, dict):
        raise TypeError(f"upcast returned {type(data).__name__}, not the event's data as a dict")
    return json.dumps(data)


Reader = Callable[[str], Any]


def readers_of(names: dict[str, type[Event]]) -> dict[tuple[str, int], Reader]:
    """Return what reads the JSON text of an event, by the name and the version that it is stored with."""
    found: dict[tuple[str, int], Reader] = {}
    for name, model in names.items():
        newest = version_of(model)
        found[name, newest] = model.__pydantic_validator__.validate_json
        for version in range(1, newest):
            found[name, version] = _upcasting(model, version)
    return found


def _upcasting(model: type[Event], version: int) -> Reader:
    def read(text: str) -> Any:
        return model.__pydantic_validator__.validate_json(upcast(model, text, version))

    return read
