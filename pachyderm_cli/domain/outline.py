"""What an entity module's text says by itself, for the shell's completion, which has no time to import it."""

from __future__ import annotations

import ast
import warnings


def messages_in(source: str | bytes) -> list[str] | None:
    """Return the names of the messages that `handle` takes, in its annotation's order, of a module's source text.

    None if that cannot be told without importing: a message that is no class of the module itself, an annotation that
    is computed, a text that is no Python.
    """
    return _taken_by("handle", source)


def questions_in(source: str | bytes) -> list[str] | None:
    """Return the names of the questions that `query` takes, in the same manner."""
    return _taken_by("query", source)


def _taken_by(function: str, source: str | bytes) -> list[str] | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the import tells them, and not at the prompt
            body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    classes = {node.name for node in body if isinstance(node, ast.ClassDef)}
    functions = [node for node in body if isinstance(node, ast.FunctionDef) and node.name == function]
    parameters = [each for node in functions for each in (*node.args.posonlyargs, *node.args.args)]
    if len(functions) != 1 or not parameters:
        return None
    annotation = parameters[0].annotation
    names = None if annotation is None else _members(annotation, _aliases(body), frozenset())
    return names if names is not None and classes.issuperset(names) else None


def _aliases(body: list[ast.stmt]) -> dict[str, ast.expr]:
    """Return what the module's top-level names stand for, if they were given one value: `Order = Buy | Sell`."""
    found: dict[str, ast.expr] = {}
    for node in body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            found[node.target.id] = node.value
        elif type(node).__name__ == "TypeAlias":  # the `type` statement, from Python 3.12 on
            found[node.name.id] = node.value  # type: ignore[attr-defined]  # unknown to 3.11
    return found


def _members(kind: ast.expr, aliases: dict[str, ast.expr], within: frozenset[str]) -> list[str] | None:
    """Return the names that a union is made of."""
    if isinstance(kind, ast.Name):
        if kind.id in within:
            return None
        inner = aliases.get(kind.id)
        return [kind.id] if inner is None else _members(inner, aliases, within | {kind.id})
    if isinstance(kind, ast.BinOp) and isinstance(kind.op, ast.BitOr):
        parts = [kind.left, kind.right]
    elif isinstance(kind, ast.Subscript) and isinstance(kind.value, ast.Name) and kind.value.id == "Union":
        parts = kind.slice.elts if isinstance(kind.slice, ast.Tuple) else [kind.slice]
    else:
        return None
    members = [_members(part, aliases, within) for part in parts]
    if any(each is None for each in members):
        return None
    return list(dict.fromkeys(name for each in members if each is not None for name in each))
