"""The source of functions, and what the names in it mean."""

from __future__ import annotations

import ast
import builtins
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from functools import cached_property
from importlib import import_module
from importlib.util import resolve_name
from types import CodeType, FunctionType
from typing import Any

Function = Callable[..., Any]

UNKNOWN = object()
"""What a name means that cannot be told without running the code."""

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


class Source:
    """A function's syntax tree, with the lines of its file."""

    def __init__(self, function: FunctionType, tree: ast.FunctionDef | ast.Lambda) -> None:
        """Hold a function and its own tree."""
        self.function = function
        self.tree = tree
        self.file = function.__code__.co_filename

    @classmethod
    def of(cls, function: Function) -> Source | None:
        """Return the source of a function itself, not of one that it wraps; None where there is none."""
        if not isinstance(function, FunctionType):
            return None
        try:
            lines, first = inspect.getsourcelines(function.__code__)
            tree = ast.parse(textwrap.dedent("".join(lines)).strip("\n"))
        except (OSError, TypeError, SyntaxError):
            return None
        found: ast.AST = tree.body[0]
        if function.__name__ == "<lambda>":
            lambdas = [node for node in ast.walk(tree) if isinstance(node, ast.Lambda)]
            found = lambdas[0] if len(lambdas) == 1 else tree
        if not isinstance(found, ast.FunctionDef | ast.Lambda):
            return None
        ast.increment_lineno(tree, first - 1)
        return cls(function, found)

    @property
    def parameters(self) -> list[str]:
        """The names of the parameters that have a position."""
        return [each.arg for each in (*self.tree.args.posonlyargs, *self.tree.args.args)]

    @cached_property
    def locals(self) -> frozenset[str]:
        """The names that the function, or one within it, has for its own."""
        return frozenset(_bound_in(self.function.__code__)) - self._outer.keys()

    def nodes(self) -> Iterator[ast.AST]:
        """Yield the parts of what runs when the function is called, and of the functions within it."""
        for statement in self._body:
            yield from ast.walk(statement)

    @property
    def _body(self) -> list[ast.AST]:
        return list(self.tree.body) if isinstance(self.tree.body, list) else [self.tree.body]

    def own_nodes(self) -> Iterator[ast.AST]:
        """Yield the parts of the function, but not those of functions and classes within it."""
        waiting = self._body
        while waiting:
            node = waiting.pop(0)
            yield node
            if not isinstance(node, _SCOPES):
                waiting = [*ast.iter_child_nodes(node), *waiting]

    def meaning(self, expression: ast.expr) -> Any:
        """Return what a name, or a dotted one, means in the module; UNKNOWN if that cannot be told."""
        if isinstance(expression, ast.Name):
            return self._of_name(expression.id)
        if isinstance(expression, ast.Attribute):
            owner = self.meaning(expression.value)
            return UNKNOWN if owner is UNKNOWN else inspect.getattr_static(owner, expression.attr, UNKNOWN)
        return UNKNOWN

    def _of_name(self, name: str) -> Any:
        if name in self._imported:
            return self._imported[name]
        if name in self._outer:
            return self._outer[name]
        if name in self.locals:
            return UNKNOWN
        return self.function.__globals__.get(name, getattr(builtins, name, UNKNOWN))

    @cached_property
    def _outer(self) -> dict[str, Any]:
        """What the names of the functions around this one mean, as far as they mean something."""
        found = {}
        for name, cell in zip(self.function.__code__.co_freevars, self.function.__closure__ or (), strict=True):
            try:
                found[name] = cell.cell_contents
            except ValueError:  # not yet
                found[name] = UNKNOWN
        return found

    @cached_property
    def _imported(self) -> dict[str, Any]:
        """What the function imports under names that mean nothing else in it."""
        stored = {node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name) and _is_stored(node)}
        found: dict[str, Any] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for each in node.names:
                    whole = each.name if each.asname else each.name.partition(".")[0]
                    found[each.asname or whole] = _module(whole)
            elif isinstance(node, ast.ImportFrom):
                owner = _module("." * node.level + (node.module or ""), self.function.__globals__.get("__package__"))
                for each in node.names:
                    found[each.asname or each.name] = getattr(owner, each.name, UNKNOWN)
        return {name: value for name, value in found.items() if name not in stored and name not in self.parameters}


def _bound_in(code: CodeType) -> Iterator[str]:
    yield from code.co_varnames
    yield from code.co_cellvars
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _bound_in(constant)


def _is_stored(name: ast.Name) -> bool:
    return not isinstance(name.ctx, ast.Load)


def _module(name: str, package: str | None = None) -> Any:
    """Return a module that is there already, or one of the standard library."""
    try:
        whole = resolve_name(name, package)
        if whole not in sys.modules and whole.partition(".")[0] in sys.stdlib_module_names:
            return import_module(whole)
    except ImportError:
        return UNKNOWN
    return sys.modules.get(whole, UNKNOWN)
