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
from importlib import import_module
from importlib.util import find_spec
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
        pending.extend((module, name) for name in _names_of(function, module))
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


def _names_of(function: Callable[..., Any], module: ModuleType) -> list[str]:
    """Return the names under which `module` knows `function`, which may be a lambda or what a decorator made."""
    names = [name for name, value in vars(module).items() if value is function]
    if not names and "<" in function.__qualname__:  # made inside another function, from what no name tells
        raise SourceUnavailable(function.__qualname__)
    return names or [function.__qualname__.partition(".")[0]]


def _statements(module: ModuleType, name: str) -> list[ast.stmt]:
    """Return the top-level statements that bind `name` (all for "*"), and those that bind nothing but act."""
    bound, acting, everything = _outline(module)
    if name == "*":
        return everything
    return [*bound.get(name, []), *bound.get("*", []), *acting]  # `from … import *` may bind any name


@lru_cache(maxsize=256)
def _outline(module: ModuleType) -> tuple[dict[str, list[ast.stmt]], list[ast.stmt], list[ast.stmt]]:
    try:
        tree = ast.parse(_source(module))
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


def _source(module: ModuleType) -> str:
    """Return the source that was loaded, where the module's loader kept it; else what the file says now."""
    loader = getattr(module, "__loader__", None)
    try:
        source = loader.get_source(module.__name__) if loader is not None else None
    except (AttributeError, ImportError):
        source = None
    return source or inspect.getsource(module)


def _bound_names(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
        for decorator in statement.decorator_list:  # `@update.register` changes what `update` does
            yield from _attribute_owner(decorator)
        return
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name


def _attribute_owner(decorator: ast.expr) -> Iterator[str]:
    node = decorator.func if isinstance(decorator, ast.Call) else decorator
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        yield node.value.id


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
    for node in ast.walk(statement):
        if isinstance(node, ast.ImportFrom):
            yield from _imported_values(module, node)
        elif isinstance(node, ast.Import):
            homes = (_imported(module, alias.name) for alias in node.names)
            yield from ((home, "*") for home in homes if home is not None)


def _imported_values(module: ModuleType, statement: ast.ImportFrom) -> Iterator[tuple[ModuleType, str]]:
    """Yield the homes of plain values (a rate, a limit), which do not know where they were defined."""
    package = getattr(module, "__package__", None) or ""
    parents = package.split(".")[: len(package.split(".")) - statement.level + 1] if statement.level else []
    full_name = ".".join([*parents, *([statement.module] if statement.module else [])])
    home = _imported(module, full_name)
    for alias in statement.names:
        submodule = _imported(module, f"{full_name}.{alias.name}")
        if submodule is not None:
            yield submodule, "*"
        elif home is not None:
            yield home, alias.name


def _imported(module: ModuleType, full_name: str) -> ModuleType | None:
    """Return the user's module that importing `full_name` inside `module` gives; None for any other.

    It is imported where that was not done yet: an import inside a function counts before the function's first call.
    """
    top, dot, rest = full_name.partition(".")
    own = module.__name__.partition(".")[0]
    if own.startswith("_pachyderm_") and own.endswith(f"_{top}"):  # a project loaded under a name of its own
        full_name = own + dot + rest
    if full_name not in sys.modules:
        try:
            spec = find_spec(full_name)
        except (ImportError, ValueError):
            return None
        if spec is None or spec.origin is None or not _is_users_file(full_name, spec.origin):
            return None
        try:
            import_module(full_name)
        except Exception as error:  # whatever its code raises
            raise SourceUnavailable(full_name) from error
    found = sys.modules[full_name]
    return found if _is_users(found) else None


def _quoted(statement: ast.stmt) -> set[str]:
    """Return the names in annotations that are written as strings."""
    constants = (node.value for node in ast.walk(statement) if isinstance(node, ast.Constant))
    return {text for text in constants if isinstance(text, str) and text.isidentifier()}


def _is_users(module: ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and _is_users_file(module.__name__, file)


def _is_users_file(module_name: str, file: str) -> bool:
    if module_name.partition(".")[0] == "pachyderm_cli":
        return False
    path = Path(file)
    return not path.is_relative_to(_STDLIB) and not _INSTALLED & set(path.parts)
