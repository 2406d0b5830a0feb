"""Whether the branches of a function take every member of the union that it is annotated with."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pachyderm_cli.checks.source import Source


class Gap(NamedTuple):
    """A class that no branch takes, or a branch that no class ever reaches."""

    problem: str
    line: int
    certain: bool
    is_shadowed: bool = False


class _Taken(NamedTuple):
    """What a branch asks for: the classes (None: anything), and whether it takes all of their instances.

    It `may` only where its class cannot be told.
    """

    classes: tuple[type, ...] | None
    whole: bool
    line: int
    head: str
    may: bool = False


def gaps_of(source: Source, members: Sequence[type]) -> Iterator[Gap]:
    """Yield the gaps of a function whose first parameter is one of `members`."""
    subject = source.tree.args.args[0].arg
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Match) and isinstance(node.subject, ast.Name) and node.subject.id == subject:
            taken = [each for case in node.cases for each in _taken(source, case)]
            yield from _shadowed(taken, members)
            yield from _missing(source, node, taken, members, subject)
        elif isinstance(node, ast.If):
            yield from _shadowed(list(_chain(source, node, subject)), members)


def _shadowed(taken: Sequence[_Taken], members: Sequence[type]) -> Iterator[Gap]:
    left = list(members)
    for each in taken:
        wanted = left if each.classes is None else [m for m in left if issubclass(m, each.classes)]
        known = each.classes is not None and any(issubclass(m, each.classes) for m in members)
        if known and not wanted:
            names = ", ".join(cls.__name__ for cls in each.classes or ())
            problem = f"{each.head} is never reached: what stands above takes every {names}"
            yield Gap(problem, each.line, certain=True, is_shadowed=True)
        if each.whole and not each.may:
            left = [m for m in left if m not in wanted]


def _missing(
    source: Source, node: ast.Match, taken: Sequence[_Taken], members: Sequence[type], subject: str
) -> Iterator[Gap]:
    if any(each.classes is None and each.whole for each in taken):
        return
    asked = set(_asked(source, subject))
    is_last = source.tree.body[-1] is node
    for member in members:
        taking = [each for each in taken if each.classes is not None and issubclass(member, each.classes)]
        if any(each.whole for each in taking) or any(issubclass(member, cls) for cls in asked):
            continue
        some = "not every " if taking else ""
        problem = f"{source.tree.name} has no case for {some}{member.__name__}, which its annotation names"
        yield Gap(problem, node.lineno, certain=is_last and not taking)


def _taken(source: Source, case: ast.match_case) -> Iterator[_Taken]:
    head = f"case {ast.unparse(case.pattern)}" + (f" if {ast.unparse(case.guard)}" if case.guard else "")
    patterns = case.pattern.patterns if isinstance(case.pattern, ast.MatchOr) else [case.pattern]
    for pattern in patterns:
        inner = pattern.pattern if isinstance(pattern, ast.MatchAs) and pattern.pattern is not None else pattern
        if isinstance(inner, ast.MatchAs):
            yield _Taken(None, case.guard is None, inner.lineno, head)
        elif isinstance(inner, ast.MatchClass):
            cls = source.meaning(inner.cls)
            parts = [*inner.patterns, *inner.kwd_patterns]
            whole = case.guard is None and all(isinstance(p, ast.MatchAs) and p.pattern is None for p in parts)
            if isinstance(cls, type):
                yield _Taken((cls,), whole, inner.lineno, head)
            else:  # a class that cannot be told takes anything, perhaps
                yield _Taken(None, whole, inner.lineno, head, may=True)


def _chain(source: Source, node: ast.If, subject: str) -> Iterator[_Taken]:
    """Yield what the tests of an if-elif chain ask for."""
    link: ast.If | None = node
    while link is not None:
        classes = _of_test(source, link.test, subject)
        if classes is not None:
            yield _Taken(classes, whole=True, line=link.lineno, head=f"the branch `{ast.unparse(link.test)}`")
        following = link.orelse
        link = following[0] if len(following) == 1 and isinstance(following[0], ast.If) else None


def _of_test(source: Source, test: ast.expr, subject: str) -> tuple[type, ...] | None:
    match test:
        case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(id=name), asked]) if name == subject:
            return tuple(cls for each in _members(asked) if isinstance(cls := source.meaning(each), type)) or None
    return None


def _asked(source: Source, subject: str) -> Iterator[type]:
    """Yield the classes that the function asks for by isinstance anywhere."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.expr):
            yield from _of_test(source, node, subject) or ()


def _members(asked: ast.expr) -> Iterator[ast.expr]:
    if isinstance(asked, ast.Tuple):
        yield from asked.elts
    elif isinstance(asked, ast.BinOp):
        yield from _members(asked.left)
        yield from _members(asked.right)
    else:
        yield asked
