"""A copy of a SQLite store, made while others write to it, and held against what was read before it counts.

SQLite's online backup begins again whenever somebody writes meanwhile. Here the connection that is copied from stays in
one read transaction, so that what it copies is of one moment: in WAL mode writers neither wait for that nor disturb it.
"""

from __future__ import annotations

import os
import shlex
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, NoReturn
from uuid import uuid4

from sqlalchemy import Engine, func, select

from pachyderm_cli.errors import StoreError, UsageError
from pachyderm_cli.store.existing import existing, file_of, is_there, nothing_there
from pachyderm_cli.store.failures import store_error, without_secrets
from pachyderm_cli.store.schema import entities, events, schema_version
from pachyderm_cli.store.statement import Statement, Transaction
from pachyderm_cli.store.store import Store

Progress = Callable[[int, int], None]
"""Told how much is done, of how much."""

_PAGES = 256  # at a time: a MiB
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_SIDE_FILES = ("-wal", "-shm", "-journal")

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
    _require_free(store, target, replace=replace)
    with existing(store) as source:
        if source.schema is None:
            raise nothing_there(store)
        wanted = _contents(source.transaction)
        with _written(store, target) as copy:
            _copy(source.transaction, copy, progress)
            _require_same(store, copy, source.transaction.engine, wanted)
            _sync(copy)
            size = copy.stat().st_size
            _put(copy, target, replace=replace)
    return BackedUp(str(store), str(target), size, wanted.events, wanted.entities, wanted.schema)


def _refuse_server(store: Store, target: Path) -> NoReturn:
    """Say how Postgres's own programs copy the tables: they do so at one moment, and know every server."""
    file, url = shlex.quote(str(target)), shlex.quote(without_secrets(store.url))
    dump = f"pg_dump --format=custom --table='pachyderm_*' --file={file} {url}"
    restore = f"pg_restore --no-owner --dbname=URL {file}"
    raise UsageError(
        f"a store on Postgres is copied by its own pg_dump: {dump} (it asks for the password, or takes PGPASSWORD); "
        f"into an empty database it comes back by: {restore}",
        store=str(store),
        dump=dump,
        restore=restore,
    )


def _require_free(store: Store, target: Path, *, replace: bool) -> None:
    """Raise UsageError for a target that is the store, a folder, another database in use, or there."""
    own = file_of(store)
    side_files = [own.with_name(own.name + suffix) for suffix in _SIDE_FILES]
    if target.resolve() in {each.resolve() for each in (own, *side_files)} or (
        target.exists() and target.samefile(own)
    ):
        raise UsageError(f"{target} is the store itself; name another file for the copy")
    if target.is_dir():
        raise UsageError(f"{target} is a folder; name a file in it")
    for suffix in _SIDE_FILES:
        beside = target.with_name(target.name + suffix)
        if os.path.lexists(beside):  # SQLite would take it for the copy's own, and change the copy by it
            raise UsageError(
                f"{target} is a database in use, or one that was never closed: {beside.name} is beside it; "
                "name another file for the copy"
            )
    if not replace and os.path.lexists(target):
        raise _there_already(target)


def _there_already(target: Path) -> UsageError:
    return UsageError(f"{target} is there already; --force replaces it", file=str(target))


@contextmanager
def _written(store: Store, target: Path) -> Iterator[Path]:
    """Give an empty file beside `target`, the owner's alone; whatever happens it is gone afterwards."""
    copy = target.with_name(f".pachyderm-{uuid4().hex}.partial")
    try:
        os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        yield copy
    except (sqlite3.Error, OSError) as error:
        if getattr(error, "sqlite_errorcode", None) in _DAMAGED:
            raise store_error(store.url, error) from error
        detail = error.strerror if isinstance(error, OSError) else str(error)
        raise StoreError(
            f"the copy {target} cannot be written ({detail}); nothing of it is left", file=str(target)
        ) from error
    finally:
        for each in (copy, *(copy.with_name(copy.name + suffix) for suffix in _SIDE_FILES)):
            with suppress(OSError):
                each.unlink()


def _copy(source: Transaction, copy: Path, progress: Progress | None) -> None:
    def told(_status: int, left: int, total: int) -> None:
        if progress is not None:
            progress(total - left, total)

    with _opened(copy) as destination:
        destination.execute("PRAGMA synchronous=OFF")  # it is synced once, whole
        source.copy_to(destination, _PAGES, told)
        # Taken over from the store, WAL would leave files beside the copy whenever somebody looks into it.
        destination.execute("PRAGMA journal_mode=DELETE")


def _require_same(store: Store, copy: Path, engine: Engine, wanted: _Contents) -> None:
    """Raise StoreError unless the copy is whole in itself, and holds what the store held."""
    with _opened(copy) as connection:
        (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            raise StoreError(
                f"the store {store} is damaged, so that no copy of it was kept ({found}); pachyderm store verify tells "
                "more, restore it from an earlier backup",
                store=str(store),
            )
        copied = _contents(Transaction(connection, engine))
    if copied != wanted:
        raise StoreError(f"the copy of {store} came out otherwise than the store: {copied}, not {wanted}")


def _contents(transaction: Transaction) -> _Contents:
    return _Contents(*transaction.rows(_CONTENTS, {})[0])


@contextmanager
def _opened(file: Path) -> Iterator[Any]:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        yield connection


def _sync(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _put(copy: Path, target: Path, *, replace: bool) -> None:
    """Give the copy its name, durably; without `replace` never that of a file which somebody made meanwhile."""
    if replace:
        copy.replace(target)
    else:
        try:
            target.hardlink_to(copy)
        except FileExistsError:
            raise _there_already(target) from None
        except OSError:  # a file system without links
            if os.path.lexists(target):
                raise _there_already(target) from None
            copy.replace(target)
    _sync(target.parent)
