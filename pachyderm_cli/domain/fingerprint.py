"""A fingerprint of the code that folds events, so that a snapshot of other code is never trusted.

It covers the whole source of the module that defines the entity, and of every module of the user's own that can be
reached from it by imports or through what it holds. Which of that a fold really uses cannot be told in Python
(registries, decorators, methods): a needless fold after an edit of something else is a small price. Installed
packages and the standard library are left out; formatting and comments do not count, as the source is normalised
through `ast`. What code reads from data files is not seen.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

_STDLIB = Path(sysconfig.get_paths()["stdlib"])
_INSTALLED = {"site-packages", "dist-packages"}


class SourceUnavailable(Exception):
    """The code has no source to read (it was typed in, or made at run time)."""


def fingerprint_of(definitions: Iterable[Any], schema: str) -> str:
    """Return a fingerprint (32 hex digits) of the modules of `definitions`, all they reach, and the state's `schema`.

    Raises SourceUnavailable where a module of a definition has no source.
    """
    pending: list[ModuleType] = []
    for definition in definitions:
        module = sys.modules.get(definition.__module__)
        if module is None or not _is_users(module):
            raise SourceUnavailable(definition.__qualname__)
        pending.append(module)
    seen: set[str] = set()
    sources: set[str] = set()
    while pending:
        module = pending.pop()
        if module.__name__ in seen:
            continue
        seen.add(module.__name__)
        tree = _parsed(module)
        sources.add(ast.unparse(tree))
        pending.extend(_reached(module, tree))
    text = "\0".join([schema, *sorted(sources)])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _parsed(module: ModuleType) -> ast.Module:
    """Return the module's syntax, without its docstring."""
    try:
        tree = ast.parse(_source(module))
    except (OSError, TypeError, SyntaxError) as error:
        raise SourceUnavailable(module.__name__) from error
    if tree.body and isinstance(tree.body[0], ast.Expr) and isinstance(tree.body[0].value, ast.Constant):
        del tree.body[0]
    return tree


def _source(module: ModuleType) -> str:
    """Return the source that was loaded, where the module's loader kept it; else what the file says now."""
    loader = getattr(module, "__loader__", None)
    try:
        source = loader.get_source(module.__name__) if loader is not None else None
    except (AttributeError, ImportError):
        source = None
    return inspect.getsource(module) if source is None else source


def _reached(module: ModuleType, tree: ast.Module) -> Iterator[ModuleType]:
    """Yield the user's modules that `module` imports anywhere, or whose objects it holds."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _imported(module, alias.name)
        elif isinstance(node, ast.ImportFrom):
            home = _home_of(module, node)
            yield from _imported(module, home)
            for alias in node.names:
                yield from _imported(module, f"{home}.{alias.name}")
    for value in list(vars(module).values()):
        name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
        held = sys.modules.get(name) if isinstance(name, str) else None
        if held is not None and _is_users(held):
            yield held


def _home_of(module: ModuleType, statement: ast.ImportFrom) -> str:
    """Return the full name of what a `from … import` imports from."""
    package = (getattr(module, "__package__", None) or "").split(".")
    parents = package[: len(package) - statement.level + 1] if statement.level else []
    return ".".join([*parents, *([statement.module] if statement.module else [])])


def _imported(module: ModuleType, full_name: str) -> Iterator[ModuleType]:
    """Yield the user's modules that importing `full_name` inside `module` runs: itself and the packages around it.

    They are imported where that was not done yet: an import inside a function counts before the function's first call.
    """
    own = module.__name__.partition(".")[0]
    top, dot, rest = full_name.partition(".")
    if top and top == getattr(sys.modules.get(own), "__pachyderm_public_name__", None):
        full_name = own + dot + rest  # a project loaded under a name of its own
    parts = full_name.split(".")
    for name in (".".join(parts[:count]) for count in range(1, len(parts) + 1)):
        found = sys.modules.get(name) or _import_users(name)
        if found is not None and _is_users(found):
            yield found


def _import_users(name: str) -> ModuleType | None:
    try:
        spec = find_spec(name)
    except (ImportError, ValueError, AttributeError):  # a name of something inside a module, not of a module
        return None
    if spec is None or spec.origin is None or not _is_users_file(name, spec.origin):
        return None
    try:
        return import_module(name)
    except Exception as error:  # whatever its code raises
        raise SourceUnavailable(name) from error


def _is_users(module: ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and _is_users_file(module.__name__, file)


def _is_users_file(module_name: str, file: str) -> bool:
    if module_name.partition(".")[0] == "pachyderm_cli":
        return False
    path = Path(file)
    return not path.is_relative_to(_STDLIB) and not _INSTALLED & set(path.parts)
