"""What a function touches beside its arguments: files, clocks, chance, and what belongs to its module."""

from __future__ import annotations

import ast
import builtins
import datetime  # noqa: ICN001 - what user code calls is told by its whole name
import os
import random
import time
import uuid
from collections.abc import Iterator, MutableMapping, MutableSequence, MutableSet
from collections.abc import Iterator as AnyIterator
from types import ModuleType
from typing import Any, Literal, NamedTuple

from pachyderm_cli.checks.source import UNKNOWN, Function, Source

Kind = Literal["io", "clock", "chance", "global"]

_IO_MODULES = frozenset(
    {"aiohttp", "boto3", "ftplib", "glob", "http", "httpx", "psycopg", "requests", "shutil", "smtplib", "socket"}
    | {"sqlite3", "subprocess", "tempfile", "urllib3"}
)
_IO_BUILTINS = (builtins.open, builtins.input, builtins.print)
_PURE_OF_OS = frozenset({"fspath", "sep", "linesep", "path"})
_PURE_OF_PATH = frozenset({"join", "basename", "dirname", "split", "splitext", "normpath", "commonpath", "isabs"})
_FILE_METHODS = frozenset(
    {"read_text", "read_bytes", "write_text", "write_bytes", "unlink", "mkdir", "iterdir", "touch"}
)
_OF_PATH = _FILE_METHODS | {
    "exists",
    "is_file",
    "is_dir",
    "stat",
    "lstat",
    "glob",
    "rglob",
    "open",
    "rename",
    "resolve",
}
_CLOCKS = (datetime.datetime.now, datetime.datetime.utcnow, datetime.datetime.today, datetime.date.today)
_PURE_OF_TIME = frozenset({"strptime", "mktime", "struct_time", "asctime"})
_OF_NOW = {"localtime": 0, "gmtime": 0, "ctime": 0, "strftime": 1}  # with so many arguments
_CHANCE = (uuid.uuid1, uuid.uuid4, os.urandom)
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


def touches_of(function: Function) -> Iterator[Touch]:
    """Yield what a function touches, in the order of its source."""
    source = Source.of(function)
    if source is None:
        return
    for node in ast.walk(source.tree):
        found = _touch(source, node)
        if found is not None:
            kind, certain = found
            yield Touch(kind, _short(node), source.file, getattr(node, "lineno", 1), certain)


def _touch(source: Source, node: ast.AST) -> tuple[Kind, bool] | None:
    match node:
        case ast.Call():
            return _of_call(source, node)
        case ast.Global():
            return "global", True
        case ast.Nonlocal(names=names) if set(names) & set(source.function.__code__.co_freevars):
            return "global", True  # others are a nested function's way to the locals of this one
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
    called = source.meaning(call.func)
    if called is builtins.next and call.args and isinstance(source.meaning(call.args[0]), AnyIterator):
        return "global", True
    if called is not UNKNOWN:
        kind = _kind_of(source, called, call)
        return None if kind is None else (kind, True)
    if not isinstance(call.func, ast.Attribute):
        return None
    if call.func.attr in _CHANGING and _is_of_module(source, call.func.value):
        return "global", True
    return ("io", False) if call.func.attr in _FILE_METHODS else None


def _kind_of(source: Source, called: Any, call: ast.Call) -> Kind | None:
    """Return what calling something known touches."""
    owner = source.meaning(call.func.value) if isinstance(call.func, ast.Attribute) else None
    if isinstance(owner, _CONTAINERS) and isinstance(call.func, ast.Attribute) and call.func.attr in _CHANGING:
        return "global"
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(called, "__name__", "")
    module = owner.__name__ if isinstance(owner, ModuleType) else str(getattr(called, "__module__", None) or "")
    if any(called is each for each in _IO_BUILTINS) or module.partition(".")[0] in _IO_MODULES:
        return "io"
    if _is_clock(owner, called, name, module, call):
        return "clock"
    if any(called is each for each in _CHANCE) or module == "secrets" or isinstance(owner, random.Random):
        return "chance"
    if module == "random" or isinstance(getattr(called, "__self__", None), random.Random):
        return None if name == "Random" and call.args else "chance"
    if module == "urllib.request" or (module.partition(".")[0] == "pathlib" and name in _OF_PATH):
        return "io"
    if module in ("os", "posix", "nt"):
        return None if name in _PURE_OF_OS else "io"
    if module in ("posixpath", "ntpath", "genericpath"):
        return None if name in _PURE_OF_PATH else "io"
    return None


def _is_clock(owner: Any, called: Any, name: str, module: str, call: ast.Call) -> bool:
    if isinstance(owner, type) and issubclass(owner, datetime.date):
        return name in ("now", "utcnow", "today")
    if any(called == each for each in _CLOCKS):
        return True
    if module != "time" or owner not in (None, time):
        return False
    return name not in _PURE_OF_TIME and len(call.args) <= _OF_NOW.get(name, len(call.args))


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
