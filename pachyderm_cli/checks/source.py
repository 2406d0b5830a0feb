"""The source of functions, and what the names in it mean."""

from __future__ import annotations

import ast
import builtins
import inspect
import textwrap
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any, NamedTuple

Function = Callable[..., Any]

UNKNOWN = object()
"""What a name means that cannot be told without running the code."""


class Source(NamedTuple):
    """A function's syntax tree, with the lines of its file."""

    function: Any  # a FunctionType, which mypy would take for a method
    tree: ast.FunctionDef
    file: str

    @classmethod
    def of(cls, function: Function) -> Source | None:
        """Return the source of a function, None where there is none."""
        try:
            lines, first = inspect.getsourcelines(function)
            tree = ast.parse(textwrap.dedent("".join(lines)))
        except (OSError, TypeError, SyntaxError):
            return None
        found = tree.body[0]
        if not isinstance(found, ast.FunctionDef) or not isinstance(function, FunctionType):
            return None
        ast.increment_lineno(tree, first - 1)
        return cls(function, found, function.__code__.co_filename)

    @property
    def locals(self) -> frozenset[str]:
        """The names that are the function's own."""
        code = self.function.__code__
        return frozenset((*code.co_varnames, *code.co_cellvars))

    def meaning(self, expression: ast.expr) -> Any:
        """Return what a name, or a dotted one, means in the module; UNKNOWN if that cannot be told."""
        if isinstance(expression, ast.Name):
            if expression.id in self.locals:
                return UNKNOWN
            names = self.function.__globals__
            return names.get(expression.id, getattr(builtins, expression.id, UNKNOWN))
        if isinstance(expression, ast.Attribute):
            owner = self.meaning(expression.value)
            return UNKNOWN if owner is UNKNOWN else inspect.getattr_static(owner, expression.attr, UNKNOWN)
        return UNKNOWN


def project_functions(starts: Iterable[Function]) -> list[Function]:
    """Return functions and all of the project's own that they call, each once."""
    found: list[Function] = []
    waiting = list(starts)
    while waiting:
        function = waiting.pop(0)
        if function in found:
            continue
        found.append(function)
        source = Source.of(function)
        if source is None:
            continue
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call):
                called = source.meaning(node.func)
                if isinstance(called, FunctionType) and _is_of_one_project(called, source.function):
                    waiting.append(called)
    return found


def _is_of_one_project(function: FunctionType, other: FunctionType) -> bool:
    return function.__module__.partition(".")[0] == other.__module__.partition(".")[0]
