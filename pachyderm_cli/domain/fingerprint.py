"""A fingerprint of the code that folds events, so that a snapshot of other code is never trusted.

It covers the source of `init`, `update` and the state type, and of everything of the user's own that these
mention, by name, across modules: helper functions, constants, event classes with their validators. Installed
packages and the standard library are left out; formatting and comments do not count, as the source is
normalised through `ast`.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import sys
import sysconfig
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

_STDLIB = Path(sysconfig.get_paths()["stdlib"])
_INSTALLED = {"site-packages", "dist-packages"}


class SourceUnavailable(Exception):
    """The code has no source to read (it was typed in, or made at run time)."""


def fingerprint_of(functions: list[Callable[..., Any]], schema: str) -> str:
    """Return a fingerprint (32 hex digits) of `functions`, what they mention, and the state's JSON `schema`.

    Raises SourceUnavailable where any of the functions has no source.
    """
    pending: list[tuple[ModuleType, str]] = []
    for function in functions:
        module = sys.modules.get(function.__module__)
        if module is None or not _is_users(module):
            raise SourceUnavailable(function.__qualname__)
        pending.append((module, function.__qualname__.partition(".")[0]))
    seen: set[tuple[str, str]] = set()
    sources: set[str] = set()
    while pending:
        module, name = pending.pop()
        if (module.__name__, name) in seen:
            continue
        seen.add((module.__name__, name))
        for statement in _statements(module, name):
            sources.add(ast.unparse(statement))
            pending.extend(_mentioned(module, statement))
    text = "\0".join([schema, *sorted(sources)])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _statements(module: ModuleType, name: str) -> list[ast.stmt]:
    """Return the top-level statements that bind `name` (all for "*"), and those that bind nothing but act."""
    bound, acting, everything = _outline(module)
    if name == "*":
        return everything
    return [*bound.get(name, []), *acting]


@lru_cache(maxsize=256)
def _outline(module: ModuleType) -> tuple[dict[str, list[ast.stmt]], list[ast.stmt], list[ast.stmt]]:
    try:
        tree = ast.parse(inspect.getsource(module))
    except (OSError, TypeError, SyntaxError) as error:
        raise SourceUnavailable(module.__name__) from error
    bound: dict[str, list[ast.stmt]] = {}
    acting = []
    for statement in tree.body:
        names = set(_bound_names(statement))
        for name in names:
            bound.setdefault(name, []).append(statement)
        is_docstring = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if not names and not is_docstring:
            acting.append(statement)
    return bound, acting, tree.body


def _bound_names(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
        return
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name


def _mentioned(module: ModuleType, statement: ast.stmt) -> Iterator[tuple[ModuleType, str]]:
    """Yield where the names that `statement` uses are defined, as far as that is the user's own code."""
    namespace = vars(module)
    for name in {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)} | _quoted(statement):
        if name not in namespace:
            continue
        yield module, name
        value = namespace[name]
        if isinstance(value, ModuleType):
            if _is_users(value):
                yield value, "*"
            continue
        home = sys.modules.get(getattr(value, "__module__", None) or "")
        if home is not None and home is not module and _is_users(home):
            yield home, getattr(value, "__qualname__", "*").partition(".")[0]
    if isinstance(statement, ast.ImportFrom):
        yield from _imported_constants(module, statement)


def _imported_constants(module: ModuleType, statement: ast.ImportFrom) -> Iterator[tuple[ModuleType, str]]:
    """Yield the homes of plain values (a rate, a limit), which do not know where they were defined."""
    package = getattr(module, "__package__", None) or ""
    parents = package.split(".")[: len(package.split(".")) - statement.level + 1] if statement.level else []
    full_name = ".".join([*parents, *([statement.module] if statement.module else [])])
    home = sys.modules.get(full_name) or _sibling(module, full_name)
    if home is not None and _is_users(home):
        for alias in statement.names:
            yield home, alias.name


def _sibling(module: ModuleType, full_name: str) -> ModuleType | None:
    """Return the module that `full_name` means inside a project loaded under a name of its own."""
    _, dot, rest = full_name.partition(".")
    return sys.modules.get(f"{module.__name__.partition('.')[0]}{dot}{rest}")


def _quoted(statement: ast.stmt) -> set[str]:
    """Return the names in annotations that are written as strings."""
    constants = (node.value for node in ast.walk(statement) if isinstance(node, ast.Constant))
    return {text for text in constants if isinstance(text, str) and text.isidentifier()}


def _is_users(module: ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    if file is None or module.__name__.partition(".")[0] == "pachyderm_cli":
        return False
    path = Path(file)
    return not path.is_relative_to(_STDLIB) and not _INSTALLED & set(path.parts)
