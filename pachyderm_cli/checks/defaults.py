"""What is called to make the defaults of a class, where a call leaves them out."""

from __future__ import annotations

import ast
import dataclasses
import inspect
from collections.abc import Callable, Collection, Iterator
from functools import partial
from types import FunctionType
from typing import Any, NamedTuple

from pydantic import BaseModel

_MAKING = ("__init__", "__post_init__", "model_post_init")


class Factory(NamedTuple):
    """What makes the default of a field, which is called `Class.field`."""

    field: str
    makes: Callable[..., Any]


def factories_of(cls: type, call: ast.Call) -> Iterator[Factory]:
    """Yield the factories that making an instance so calls; none where it cannot be told what the call gives."""
    given = {each.arg for each in call.keywords}
    if None in given or any(isinstance(each, ast.Starred) for each in call.args):
        return
    yield from _left_out(cls, given, len(call.args))


def made_by(cls: type) -> Iterator[FunctionType]:
    """Yield the functions that run when an instance of a class is made."""
    for name in _MAKING:
        function = inspect.getattr_static(cls, name, None)
        if isinstance(function, FunctionType):
            yield function


def _left_out(cls: type, given: Collection[str | None], count: int = 0) -> Iterator[Factory]:
    for at, (names, factory) in enumerate(_fields(cls)):
        if factory is None or at < count or not names.isdisjoint(given):
            continue
        makes = _called_by(factory)
        yield Factory(f"{cls.__name__}.{min(names)}", makes)
        if isinstance(makes, type) and makes is not cls:
            yield from _left_out(makes, ())


def _called_by(factory: Any) -> Any:
    while isinstance(factory, partial):
        factory = factory.func
    return factory


def _fields(cls: type) -> Iterator[tuple[set[str], Any]]:
    """Yield the names that each field is given by, and its factory."""
    if issubclass(cls, BaseModel):
        for name, field in cls.model_fields.items():
            yield {name, *filter(None, [field.alias])}, field.default_factory
    elif dataclasses.is_dataclass(cls):
        for each in dataclasses.fields(cls):
            if each.init:
                yield {each.name}, None if each.default_factory is dataclasses.MISSING else each.default_factory
