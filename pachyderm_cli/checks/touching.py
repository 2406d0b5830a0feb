"""What a function touches beside its arguments: files, clocks, chance, and what belongs to its module."""

from __future__ import annotations

import ast
import builtins
import datetime  # noqa: ICN001 - what user code calls is told by its whole name
import os
import time
from collections.abc import Iterator, MutableMapping, MutableSequence, MutableSet
from collections.abc import Iterator as AnyIterator
from types import ModuleType
from typing import Any, Literal, NamedTuple

from pachyderm_cli.checks.defaults import factories_of
from pachyderm_cli.checks.outside import FILE_METHODS, does_io, draws, is_stream
from pachyderm_cli.checks.source import UNKNOWN, Function, Source

Kind = Literal["io", "clock", "chance", "global"]

_CLOCKS = (datetime.datetime.now, datetime.datetime.utcnow, datetime.datetime.today, datetime.date.today)
_PURE_OF_TIME = frozenset({"strptime", "mktime", "struct_time", "asctime"})
_OF_NOW = {"localtime": 0, "gmtime": 0, "ctime": 0, "strftime": 1}  # with so many arguments
_CHANGING = frozenset(
    {
        "append",
        "extend",
        "insert",
        "add",
        "update",
        "setdefault",
        "pop",
        "popitem",
        "remove",
        "discard",
        "clear",
        "sort",
    }
    | {"reverse", "appendleft", "popleft"}
)
_CONTAINERS = (MutableMapping, MutableSequence, MutableSet)


class Touch(NamedTuple):
    """One place where a function touches something; `certain` unless it may be something else of that name."""

    kind: Kind
    what: str
    file: str
    line: int
    certain: bool = True


class _Call(NamedTuple):
    """A call of something known: what it belongs to (None: unknown), its name and module, how many arguments."""

    called: Any
    owner: Any
    name: str
    module: str
    arguments: int


def touches_of(function: Function) -> Iterator[Touch]:
    """Yield what a function touches, in the order of its source."""
    source = Source.of(function)
    if source is None:
        return
    for node in source.nodes():
        line = getattr(node, "lineno", 1)
        found = _touch(source, node)
        if found is not None:
            kind, certain = found
            yield Touch(kind, _short(node), source.file, line, certain)
        if isinstance(node, ast.Call):
            for kind, what in _of_defaults(source, node):
                yield Touch(kind, what, source.file, line)


def _touch(source: Source, node: ast.AST) -> tuple[Kind, bool] | None:
    match node:
        case ast.Call():
            return _of_call(source, node)
        case ast.Global():
            return "global", True
        case ast.Nonlocal(names=names) if {*names} & {*source.function.__code__.co_freevars}:  # of a function around it
            return "global", True
        case ast.Attribute(ctx=ast.Load()) | ast.Name(ctx=ast.Load()) if source.meaning(node) is os.environ:
            return "io", True
        case ast.Subscript(ctx=ast.Store() | ast.Del(), value=owner) if _is_of_module(source, owner):
            return "global", True
        case ast.Attribute(ctx=ast.Store() | ast.Del(), value=owner) if _is_shared(source, owner):
            return "global", True
    return None


def _of_call(source: Source, call: ast.Call) -> tuple[Kind, bool] | None:
    if _is_of_stream(source, call.func):
        return "io", True
    called = source.meaning(call.func)
    if called is builtins.next and call.args and isinstance(source.meaning(call.args[0]), AnyIterator):
        return "global", True
    if called is not UNKNOWN:
        kind = _kind_of(_known(source, called, call))
        return None if kind is None else (kind, True)
    if not isinstance(call.func, ast.Attribute):
        return None
    if call.func.attr in _CHANGING and _is_of_module(source, call.func.value):
        return "global", True
    return ("io", False) if call.func.attr in FILE_METHODS else None


def _of_defaults(source: Source, call: ast.Call) -> Iterator[tuple[Kind, str]]:
    """Yield what the defaults touch that a call leaves to the class that it makes an instance of."""
    cls = source.meaning(call.func)
    if not isinstance(cls, type):
        return
    for field, makes in factories_of(cls, call):
        name, owner = getattr(makes, "__name__", ""), getattr(makes, "__self__", None)
        module = str(getattr(makes, "__module__", None) or getattr(owner, "__name__", ""))
        kind = _kind_of(_Call(makes, None if isinstance(owner, ModuleType) else owner, name, module, 0))
        if kind is not None:
            yield kind, f"{field} has the default {name}()"


def _known(source: Source, called: Any, call: ast.Call) -> _Call:
    owner = source.meaning(call.func.value) if isinstance(call.func, ast.Attribute) else None
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(called, "__name__", "")
    module = owner.__name__ if isinstance(owner, ModuleType) else str(getattr(called, "__module__", None) or "")
    return _Call(called, owner, name, module, len(call.args))


def _kind_of(call: _Call) -> Kind | None:
    """Return what calling something known touches."""
    called, owner, name, module, arguments = call
    if isinstance(owner, _CONTAINERS):
        return "global" if name in _CHANGING else None
    if _is_clock(call):
        return "clock"
    if draws(owner, called, name, module):
        return None if name == "Random" and arguments else "chance"
    return "io" if does_io(called, name, module) else None


def _is_clock(call: _Call) -> bool:
    if isinstance(call.owner, type) and issubclass(call.owner, datetime.date):
        return call.name in ("now", "utcnow", "today")
    if any(call.called == each for each in _CLOCKS):
        return True
    if call.module != "time" or call.owner not in (None, time):
        return False
    return call.name not in _PURE_OF_TIME and call.arguments <= _OF_NOW.get(call.name, call.arguments)


def _is_of_stream(source: Source, method: ast.expr) -> bool:
    """Tell whether a method is one of a file that is open: `sys.stdout.write`."""
    if not isinstance(method, ast.Attribute):
        return False
    stream = method.value
    owner = source.meaning(stream.value) if isinstance(stream, ast.Attribute) else None
    return is_stream(source.meaning(stream), owner, stream.attr if isinstance(stream, ast.Attribute) else "")


def _is_of_module(source: Source, owner: ast.expr) -> bool:
    """Tell whether an expression is a container that belongs to the module, or a part of one."""
    while isinstance(owner, ast.Subscript):
        owner = owner.value
    return isinstance(source.meaning(owner), _CONTAINERS)


def _is_shared(source: Source, owner: ast.expr) -> bool:
    """Tell whether an expression is a module, class or function, whose attributes outlive the call."""
    meaning = source.meaning(owner)
    return meaning is not UNKNOWN and (isinstance(meaning, ModuleType | type) or callable(meaning))


def _short(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
