"""Whether the branches of a function take every member of the union that it is annotated with."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pachyderm_cli.checks.source import Source


class Gap(NamedTuple):
    """A class (`member`) that no branch takes, or a branch that no class ever reaches (then there is no `member`)."""

    problem: str
    line: int
    certain: bool
    member: str | None = None


class _Taken(NamedTuple):
    """What a branch asks for: the classes (None: anything), and whether it takes all of their instances.

    It `may` only where its class cannot be told.
    """

    classes: tuple[type, ...] | None
    whole: bool
    may: bool = False


class _Branch(NamedTuple):
    """A case, or a test of a chain, and what its alternatives take."""

    taken: list[_Taken]
    line: int
    head: str


def gaps_of(source: Source, members: Sequence[type]) -> Iterator[Gap]:
    """Yield the gaps of a function whose first parameter is one of `members`."""
    subject = source.parameters[0]
    nodes = list(source.own_nodes())
    for node in nodes:
        if isinstance(node, ast.Match) and isinstance(node.subject, ast.Name) and node.subject.id == subject:
            branches = [_of_case(source, case) for case in node.cases]
            yield from _shadowed(branches, members)
            if not any(_binds(each, subject) for each in nodes if getattr(each, "lineno", 0) < node.lineno):
                yield from _missing(source, node, [each for branch in branches for each in branch.taken], members)
        elif isinstance(node, ast.If):
            yield from _shadowed(list(_chain(source, node, subject)), members)


def _shadowed(branches: Sequence[_Branch], members: Sequence[type]) -> Iterator[Gap]:
    left = list(members)
    for branch in branches:
        # A branch that repeats a class beside others is redundant at most, not out of reach.
        names: list[str] = []
        for each in branch.taken:
            known = each.classes is not None and any(issubclass(m, each.classes) for m in members)
            if known and not _wanted(each, left):
                names += [cls.__name__ for cls in each.classes or ()]
            else:
                names = []
                break
        if names:
            problem = f"{branch.head} is never reached: what stands above takes every {', '.join(names)}"
            yield Gap(problem, branch.line, certain=True)
        for each in branch.taken:
            if each.whole and not each.may:
                wanted = _wanted(each, left)
                left = [m for m in left if m not in wanted]


def _wanted(taken: _Taken, left: Sequence[type]) -> Sequence[type]:
    return left if taken.classes is None else [m for m in left if issubclass(m, taken.classes)]


def _missing(source: Source, node: ast.Match, taken: Sequence[_Taken], members: Sequence[type]) -> Iterator[Gap]:
    """Yield the classes that no case takes; certain if every call comes to the match, and to nothing after it."""
    if any(each.classes is None and each.whole for each in taken):
        return
    body, subject = source.tree.body, source.parameters[0]
    asked = set(_asked(source, subject))
    comes_last = isinstance(body, list) and body[-1] is node
    may_return = any(isinstance(each, ast.Return) and each.lineno < node.lineno for each in source.own_nodes())
    for member in members:
        taking = [each for each in taken if each.classes is not None and issubclass(member, each.classes)]
        if any(each.whole for each in taking) or any(issubclass(member, cls) for cls in asked):
            continue
        some = "not every " if taking else ""
        function = source.function.__name__
        problem = f"{function} has no case for {some}{member.__name__}, which its annotation names"
        yield Gap(problem, node.lineno, comes_last and not may_return and not taking, member.__name__)


def _binds(node: ast.AST, name: str) -> bool:
    """Tell whether something gives another meaning to a name."""
    if isinstance(node, ast.Name):
        return node.id == name and not isinstance(node.ctx, ast.Load)
    return isinstance(node, ast.MatchAs | ast.MatchStar) and node.name == name


def _of_case(source: Source, case: ast.match_case) -> _Branch:
    head = f"case {ast.unparse(case.pattern)}" + (f" if {ast.unparse(case.guard)}" if case.guard else "")
    return _Branch(list(_taken(source, case.pattern, case.guard is None)), case.pattern.lineno, head)


def _taken(source: Source, pattern: ast.pattern, unguarded: bool) -> Iterator[_Taken]:  # noqa: FBT001 - handed on
    inner = pattern.pattern if isinstance(pattern, ast.MatchAs) and pattern.pattern is not None else pattern
    if isinstance(inner, ast.MatchOr):
        for each in inner.patterns:
            yield from _taken(source, each, unguarded)
    elif isinstance(inner, ast.MatchAs):
        yield _Taken(None, unguarded)
    elif isinstance(inner, ast.MatchClass):
        cls = source.meaning(inner.cls)
        parts = [*inner.patterns, *inner.kwd_patterns]
        whole = unguarded and all(isinstance(p, ast.MatchAs) and p.pattern is None for p in parts)
        if isinstance(cls, type):
            yield _Taken((cls,), whole)
        else:  # a class that cannot be told takes anything, perhaps
            yield _Taken(None, whole, may=True)
    else:
        yield _Taken(None, whole=False, may=True)


def _chain(source: Source, node: ast.If, subject: str) -> Iterator[_Branch]:
    """Yield what the tests of an if-elif chain ask for."""
    link: ast.If | None = node
    while link is not None:
        classes = _of_test(source, link.test, subject)
        if classes is not None:
            exact = isinstance(link.test, ast.Compare)
            yield _Branch([_Taken(classes, not exact)], link.lineno, f"the branch `{ast.unparse(link.test)}`")
        following = link.orelse
        link = following[0] if len(following) == 1 and isinstance(following[0], ast.If) else None


def _of_test(source: Source, test: ast.expr, subject: str) -> tuple[type, ...] | None:
    match test:
        case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(id=name), asked]) if name == subject:
            return tuple(cls for each in _members(asked) if isinstance(cls := source.meaning(each), type)) or None
        case ast.Compare(
            left=ast.Call(func=ast.Name(id="type"), args=[ast.Name(id=name)])
            | ast.Attribute(value=ast.Name(id=name), attr="__class__"),
            ops=[ast.Is() | ast.Eq() | ast.In()],
            comparators=[asked],
        ) if name == subject:
            return tuple(cls for each in _members(asked) if isinstance(cls := source.meaning(each), type)) or None
    return None


def _asked(source: Source, subject: str) -> Iterator[type]:
    """Yield the classes that the function asks for by isinstance, or by type, anywhere."""
    for node in source.own_nodes():
        if isinstance(node, ast.expr):
            yield from _of_test(source, node, subject) or ()


def _members(asked: ast.expr) -> Iterator[ast.expr]:
    if isinstance(asked, ast.Tuple | ast.List | ast.Set):
        yield from asked.elts
    elif isinstance(asked, ast.BinOp):
        yield from _members(asked.left)
        yield from _members(asked.right)
    else:
        yield asked
