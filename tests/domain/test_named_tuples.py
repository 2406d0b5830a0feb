"""Named tuples made the short way have all their fields."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest

import pachyderm_cli
from pachyderm_cli.domain.named_tuples import made

PACKAGE = Path(pachyderm_cli.__file__).parent


class Pair(NamedTuple):
    left: int
    right: str


def test_it_is_what_the_class_makes() -> None:
    """A tuple of that class, with its values by name and by position."""
    pair = made(Pair, (1, "a"))
    assert pair == Pair(1, "a")
    assert type(pair) is Pair
    assert (pair.left, pair.right) == (1, "a")


def calls() -> Iterator[tuple[str, str, ast.expr]]:
    """Yield where each call in the package is, the class's name, and what it is given."""
    for file in sorted(PACKAGE.rglob("*.py")):
        text = file.read_text()
        if "named_tuples import made" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "made":
                kind, values = node.args
                yield ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts), ast.unparse(kind), values


@pytest.mark.parametrize(("module", "kind", "values"), [pytest.param(*each, id=each[1]) for each in calls()])
def test_every_call_gives_as_many_values_as_there_are_fields(module: str, kind: str, values: ast.expr) -> None:
    """Neither Python nor a type checker would find one that is left out, or a value in another's place by its count."""
    assert isinstance(values, ast.Tuple), "write the values where the call is, so that they can be counted"
    assert len(values.elts) == len(getattr(import_module(module), kind)._fields)
    assert not any(isinstance(each, ast.Starred) for each in values.elts)
