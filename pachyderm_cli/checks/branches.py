"""Which branches of `update` are ever taken."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any, NamedTuple, TypeVar

from pachyderm_cli.checks.source import Source

ResultT = TypeVar("ResultT")


class Branch(NamedTuple):
    """Where the body of a branch begins, and what stands above it."""

    line: int
    head: str


class BranchWatch:
    """Runs a function, and remembers the branches of another that were taken meanwhile."""

    def __init__(self, function: Callable[..., Any]) -> None:
        """Watch the branches in the source of `function`, or of what it wraps; none where there is no source."""
        inner = inspect.unwrap(function)
        self._code: CodeType = inner.__code__
        self._left = {branch.line: branch for branch in branches_of(inner)}

    def run(self, work: Callable[[], ResultT]) -> ResultT:
        """Return what `work` returns."""
        if not self._left:
            return work()
        before = sys.gettrace()
        sys.settrace(self._entered)
        try:
            return work()
        finally:
            sys.settrace(before)

    def never_taken(self) -> list[Branch]:
        """Return the branches that no run took, in the order of the source."""
        return sorted(self._left.values())

    def _entered(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        return self._went_on if frame.f_code is self._code else None

    def _went_on(self, frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "line":
            self._left.pop(frame.f_lineno, None)
        return self._went_on


def branches_of(function: Callable[..., Any]) -> Iterator[Branch]:
    """Yield the branches in the source of a function, but for those that only say that they are never taken."""
    source = Source.of(function)
    if source is None:
        return
    lines, first = inspect.getsourcelines(function.__code__)
    for head, body in _bodies(source):
        if not _refuses(body[0]):
            yield Branch(body[0].lineno, _shown(lines[head - first]))


def _bodies(source: Source) -> Iterator[tuple[int, list[ast.stmt]]]:
    for node in source.own_nodes():
        if isinstance(node, ast.match_case):
            yield node.pattern.lineno, node.body
        elif isinstance(node, ast.If | ast.For | ast.While):
            yield node.lineno, node.body
            if node.orelse and not (len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If)):
                yield node.orelse[0].lineno - 1, node.orelse
        elif isinstance(node, ast.ExceptHandler):
            yield node.lineno, node.body


def _refuses(statement: ast.stmt) -> bool:
    """Tell whether a branch raises at once, as one that should never be taken does."""
    if isinstance(statement, ast.Raise | ast.Assert):
        return True
    call = statement.value if isinstance(statement, ast.Expr | ast.Return) else None
    return isinstance(call, ast.Call) and "assert_never" in ast.unparse(call.func)


def _shown(line: str) -> str:
    return line.strip().rstrip(":")
