"""Database errors as StoreError: one clear line that says what is wrong and what to do."""

from __future__ import annotations

import errno
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from pydantic_core import from_json

from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.texts import json_problem
from pachyderm_cli.store.url import StoreUrl

_SQLITE = {
    sqlite3.SQLITE_BUSY: "is locked by another process; try again when it is done",
    sqlite3.SQLITE_LOCKED: "is locked; try again",
    sqlite3.SQLITE_FULL: "cannot grow: the disk is full; make room and send again",
    sqlite3.SQLITE_READONLY: "is read-only; give yourself the right to write to the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; check that its folder exists and that you may write there",
    sqlite3.SQLITE_PERM: "cannot be opened; check your rights on the file",
    sqlite3.SQLITE_NOTADB: "is not a SQLite database; name another file",
    sqlite3.SQLITE_CORRUPT: "is damaged; restore it from a backup",
    sqlite3.SQLITE_IOERR: "cannot be read or written: the disk reports an error",
}


ParametersT = ParamSpec("ParametersT")
ResultT = TypeVar("ResultT")

_NO_ROOM_FOR_SHARED_MEMORY = sqlite3.SQLITE_IOERR_SHMSIZE
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_NO_TEXT = "Could not decode to UTF-8"
_TIMEOUTS = ("55P03", "57014")  # of a lock, of a statement
_LOST_RACES = ("40P01", "40001")  # a deadlock, a serialization failure


_LAST_WORDS = ("57P01", "57P02", "57P03", "57P05", "25P03", "25P04")
"""What a server says before it closes a connection: it is shut down or crashes, or the session took too long."""


class ConnectionLost(StoreError):
    """The connection broke: what was under way may or may not have been committed."""


@contextmanager
def storage_errors(url: StoreUrl) -> Iterator[None]:
    """Turn what the database library raises inside into StoreError; neither it nor its cause shows a password."""
    try:
        yield
    except any_error() as error:
        raise store_error(url, error) from error


def driver_errors() -> tuple[type[Exception], ...]:
    """Return the drivers' own error classes; that of Postgres's only if it is loaded, so that nothing loads it."""
    its_own = _loaded("psycopg", "Error")
    return (sqlite3.Error,) if its_own is None else (sqlite3.Error, its_own)


def any_error() -> tuple[type[Exception], ...]:
    """Return the classes of whatever may be raised while a store is used: by the drivers, SQLAlchemy, the system.

    Those of what is not loaded are left out, so that nothing loads it.

    Where a file is damaged, what SQLite says of it may quote it, and then sqlite3 cannot even read that.
    """
    its_own = _loaded("sqlalchemy.exc", "SQLAlchemyError")
    return (*driver_errors(), *(() if its_own is None else (its_own,)), OSError, UnicodeDecodeError)


def _loaded(module: str, name: str) -> type[Exception] | None:
    """Return a class of a module; None where that is not loaded, or another thread is just loading it."""
    return getattr(sys.modules.get(module), name, None)


def is_constraint(error: BaseException | None) -> bool:
    """Tell whether a driver's error is a violated constraint."""
    its_own = _loaded("psycopg", "IntegrityError")
    return isinstance(error, (sqlite3.IntegrityError,) if its_own is None else (sqlite3.IntegrityError, its_own))


def reads(what: str, *kinds: Any) -> Callable[[Callable[ParametersT, ResultT]], Callable[ParametersT, ResultT]]:
    """Return a decorator for a function that makes `what` of a row, its last argument, with columns of these `kinds`.

    Where it cannot, the decorated function raises StoreError: what pachyderm writes can be read, but a damaged file may
    hold anything in any column.
    """

    def decorate(function: Callable[ParametersT, ResultT]) -> Callable[ParametersT, ResultT]:
        @wraps(function)
        def reading(*args: ParametersT.args, **kwargs: ParametersT.kwargs) -> ResultT:
            try:
                _require_kinds(args[-1], kinds)
                return function(*args, **kwargs)
            except (ValueError, TypeError, AttributeError, KeyError) as error:
                raise unreadable(f"{what} in it cannot be read ({' '.join(str(error).split())})") from error

        return reading

    return decorate


def _require_kinds(row: Any, kinds: Any) -> None:
    if not all(map(isinstance, row, kinds)):
        found = [type(value).__name__ for value, kind in zip(row, kinds, strict=False) if not isinstance(value, kind)]
        raise TypeError(f"a column holds a value of the type {found[0]}")


def json_text(text: str) -> str:
    """Return a stored text that is JSON. Raises ValueError for one that is none.

    It is passed on as it is stored, so that nobody after this would find out.
    """
    try:
        from_json(text, allow_inf_nan=False)  # takes less than is JSON, in a third of the time
    except (ValueError, TypeError):
        problem = json_problem(text)
        if problem is not None:
            raise ValueError(f"what is to be JSON is none: {problem}") from None
    return text


def unreadable(problem: str) -> StoreError:
    """Return the error for rows that are not as pachyderm writes them."""
    return StoreError(f"the store is damaged: {problem}; pachyderm store verify tells more, restore it from a backup")


def concerns_a_statement(error: BaseException | None) -> bool:
    """Tell whether a driver's error is about what a statement said, not the database, which no other could use."""
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(error, driver_errors()) and (code is None or code & 0xFF not in _SQLITE)


def is_lost_race(error: StoreError) -> bool:
    """Tell whether Postgres undid a transaction for the sake of another one that it stood in the way of."""
    return error.details.get("sqlstate") in _LOST_RACES


def ends_session(error: BaseException) -> bool:
    """Tell whether a driver's error is the last that is heard on its connection, which may not be known as closed."""
    code = getattr(error, "sqlstate", None)
    return code is not None and (code in _LAST_WORDS or code.startswith("08"))


def is_timeout(error: StoreError) -> bool:
    """Tell whether Postgres gave a statement up because it took too long, as its settings say; nothing was written."""
    return error.details.get("sqlstate") in _TIMEOUTS


def connection_lost(url: StoreUrl, error: BaseException) -> ConnectionLost:
    """Return the error for a connection that is gone; its cause shows no password from now on."""
    _hush(url, error)
    return ConnectionLost(_line(url, "lost the connection", error), store=str(url))


def not_replicated(url: StoreUrl) -> ConnectionLost:
    """Return the error for a commit that was kept from waiting for the server's standby: it may yet be lost with it."""
    return ConnectionLost(f"the store {url} was cut short while it waited for its standby", store=str(url))


def store_error(url: StoreUrl, error: BaseException) -> StoreError:
    """Return the StoreError for what a driver, SQLAlchemy or the system raised, which shows no password from now on."""
    _hush(url, error)
    original = getattr(error, "orig", None) or error  # SQLAlchemy's errors wrap the driver's
    code = getattr(original, "sqlite_errorcode", None)
    if code is None and isinstance(original, sqlite3.Error):  # Python's own: what it read is not what was written
        code = sqlite3.SQLITE_CORRUPT if _NO_TEXT in str(original) else sqlite3.SQLITE_ERROR
    if isinstance(original, UnicodeDecodeError):
        code, original = sqlite3.SQLITE_CORRUPT, ValueError(original.object.decode(errors="backslashreplace"))
    if code == _NO_ROOM_FOR_SHARED_MEMORY or getattr(original, "errno", None) in _NO_ROOM:
        code = sqlite3.SQLITE_FULL
    if code is not None:
        problem = _SQLITE.get(code & 0xFF, "cannot be used")
        return StoreError(_line(url, problem, original), store=str(url))
    if not isinstance(original, driver_errors()):
        return StoreError(_line(url, "cannot be used", original), store=str(url))
    sqlstate = getattr(original, "sqlstate", None)
    problem = "cannot be reached" if sqlstate is None else "refused the statement"
    return StoreError(_line(url, problem, original), store=str(url), sqlstate=sqlstate)


def _line(url: StoreUrl, problem: str, cause: BaseException | None) -> str:
    """Return one line: libpq's messages have several, and may quote what it was given."""
    detail = " ".join(_without(url.secrets, str(cause)).split())
    return f"the store {url} {problem} ({detail})"


def _without(secrets: Sequence[str], text: str) -> str:
    for secret in secrets:
        text = text.replace(secret, "***")
    return text


def _hush(url: StoreUrl, error: BaseException) -> None:
    """Take the secrets of `url` out of an error and of those that led to it: a traceback shows them all."""
    secrets = url.secrets
    seen: dict[int, BaseException] = {}
    pending: list[BaseException | None] = [error] if secrets else []
    while pending:
        each = pending.pop()
        if each is not None and id(each) not in seen:
            seen[id(each)] = each
            each.args = tuple([_without(secrets, arg) if isinstance(arg, str) else arg for arg in each.args])
            pending += [each.__cause__, each.__context__, getattr(each, "orig", None)]
