"""A copy of a SQLite store, made while others write to it, and held against what was read before it counts.

SQLite's online backup begins again whenever somebody writes meanwhile. Here the connection that is copied from stays in
one read transaction, so that what it copies is of one moment: in WAL mode writers neither wait for that nor disturb it.
"""

from __future__ import annotations

import shlex
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from sqlalchemy import func, select

from pachyderm_cli.errors import StoreError, UsageError
from pachyderm_cli.store.connection import Database
from pachyderm_cli.store.existing import existing, is_there, nothing_there, require_outside
from pachyderm_cli.store.failures import store_error
from pachyderm_cli.store.new_file import new_file, not_written
from pachyderm_cli.store.schema import entities, events, schema_version
from pachyderm_cli.store.statement import Statement, Transaction
from pachyderm_cli.store.store import Store

Progress = Callable[[int, int], None]
"""Told how much is done, of how much."""

_PAGES = 256  # at a time: a MiB
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

_CONTENTS = Statement(
    select(
        schema_version.c.version_num,
        select(func.count()).select_from(events).scalar_subquery(),
        select(func.max(events.c.position)).scalar_subquery(),
        select(func.count()).select_from(entities).scalar_subquery(),
    )
)


class _Contents(NamedTuple):
    """What a copy has to have as the store has it."""

    schema: str
    events: int
    last_position: int | None
    entities: int


@dataclass(frozen=True, slots=True)
class BackedUp:
    """A copy that was made: of which store, into which file, and what is in it."""

    store: str
    file: str
    bytes: int
    events: int
    entities: int
    schema: str


def back_up(store: Store, target: Path, *, replace: bool = False, progress: Progress | None = None) -> BackedUp:
    """Copy the store into the file `target`, all of it as it is at one moment, and return what was copied.

    A file that is there is replaced if told to, once the copy is whole; until then nothing has that name. `progress` is
    told of the pages. Raises UsageError for a target that cannot be one and for a store that is not SQLite, StoreError
    where the copy cannot be made; then nothing of it is left.
    """
    target = target.absolute()
    if not store.is_sqlite:
        _refuse_server(store, target)
    if not is_there(store):
        raise nothing_there(store)
    require_outside(store, target)
    with existing(store) as source:
        if source.schema is None:
            raise nothing_there(store)
        wanted = _contents(source.transaction)
        with new_file(target, replace=replace) as copy, _failures_told(store, target):
            _copy(source.transaction, copy, progress)
            _require_same(store, copy, source.transaction.database, wanted)
            size = copy.stat().st_size
    return BackedUp(str(store), str(target), size, wanted.events, wanted.entities, wanted.schema)


def _refuse_server(store: Store, target: Path) -> NoReturn:
    """Say how Postgres's own programs copy the tables: they do so at one moment, and know every server."""
    file, url = shlex.quote(str(target)), shlex.quote(store.url.public)
    dump = f"pg_dump --format=custom --table='pachyderm_*' --file={file} {url}"
    restore = f"pg_restore --no-owner --dbname=URL {file}"
    raise UsageError(
        f"a store on Postgres is copied by its own pg_dump: {dump} (it asks for the password, or takes PGPASSWORD); "
        f"into an empty database it comes back by: {restore}",
        store=str(store),
        dump=dump,
        restore=restore,
    )


@contextmanager
def _failures_told(store: Store, target: Path) -> Iterator[None]:
    """Raise StoreError for what SQLite fails at: to read the store where that is damaged, otherwise to write."""
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) in _DAMAGED:
            raise store_error(store.url, error) from error
        raise not_written(target, str(error)) from error


def _copy(source: Transaction, copy: Path, progress: Progress | None) -> None:
    def told(_status: int, left: int, total: int) -> None:
        if progress is not None:
            progress(total - left, total)

    with _opened(copy) as destination:
        destination.execute("PRAGMA synchronous=OFF")  # it is synced once, whole
        source.copy_to(destination, _PAGES, told)
        # Taken over from the store, WAL would leave files beside the copy whenever somebody looks into it.
        destination.execute("PRAGMA journal_mode=DELETE")


def _require_same(store: Store, copy: Path, database: Database, wanted: _Contents) -> None:
    """Raise StoreError unless the copy is whole in itself, and holds what the store held."""
    with _opened(copy) as connection:
        (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            raise StoreError(
                f"the store {store} is damaged, so that no copy of it was kept ({found}); pachyderm store verify tells "
                "more, restore it from an earlier backup",
                store=str(store),
            )
        copied = _contents(Transaction(connection, database))
    if copied != wanted:
        raise StoreError(f"the copy of {store} came out otherwise than the store: {copied}, not {wanted}")


def _contents(transaction: Transaction) -> _Contents:
    return _Contents(*transaction.rows(_CONTENTS, {})[0])


@contextmanager
def _opened(file: Path) -> Iterator[Any]:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        yield connection
