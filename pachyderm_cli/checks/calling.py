"""Which functions of a project a function leads to: what it calls, what it names, and what its tables hold."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from types import FunctionType
from typing import Any, NamedTuple

from pachyderm_cli.checks.defaults import factories_of, made_by
from pachyderm_cli.checks.source import Function, Source
from pachyderm_cli.domain.message import Event


class Reached(NamedTuple):
    """A function of the project, and whether it is certain that it is called."""

    function: FunctionType
    certain: bool = True


def project_functions(starts: Iterable[Function]) -> list[Reached]:
    """Return functions and all of the project's own that they lead to, each once."""
    found: dict[FunctionType, bool] = {}
    waiting: list[Reached] = [Reached(each) for each in starts if isinstance(each, FunctionType)]
    while waiting:
        function, certain = waiting.pop(0)
        if found.get(function, False) or (function in found and not certain):
            continue
        found[function] = certain
        waiting += [
            Reached(reached, is_certain and certain)
            for reached, is_certain in _reached_from(function)
            if _is_of_one_project(reached, function)
        ]
    return [Reached(function, certain) for function, certain in found.items()]


def _reached_from(function: FunctionType) -> Iterator[Reached]:
    wrapped = getattr(function, "__wrapped__", None)
    if isinstance(wrapped, FunctionType):
        yield Reached(wrapped)
    yield from _of_table(getattr(function, "registry", None))  # of functools.singledispatch
    source = Source.of(function)
    if source is None:
        return
    for node in source.nodes():
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            meaning = source.meaning(node)
            if isinstance(meaning, staticmethod | classmethod):
                meaning = meaning.__func__
            if isinstance(meaning, FunctionType):
                yield Reached(meaning)
            else:
                yield from _of_table(meaning)
        elif isinstance(node, ast.Call) and isinstance(cls := source.meaning(node.func), type):
            yield from map(Reached, made_by(cls))
            yield from (Reached(each.makes) for each in factories_of(cls, node) if isinstance(each.makes, FunctionType))


def _of_table(table: Any) -> Iterator[Reached]:
    """Yield the functions that a table holds, certain where it is one of events."""
    if isinstance(table, Mapping):
        handlers = [each for each in table.values() if isinstance(each, FunctionType)]
        certain = bool(handlers) and all(map(_is_event, table))
        yield from (Reached(each, certain) for each in handlers)


def _is_event(key: Any) -> bool:
    names = {each.__name__ for each in _subclasses(Event)}
    return key is object or key in names or (isinstance(key, type) and issubclass(key, Event))


def _subclasses(cls: type) -> Iterator[type]:
    below: list[type] = cls.__subclasses__()
    for each in below:
        yield each
        yield from _subclasses(each)


def _is_of_one_project(function: FunctionType, other: FunctionType) -> bool:
    return function.__module__.partition(".")[0] == other.__module__.partition(".")[0]
