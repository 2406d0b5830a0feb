"""Looking at a store as it is, whatever its schema, in one read transaction. Nothing is made, and nothing migrated."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import text

from pachyderm_cli.errors import StoreError, UsageError
from pachyderm_cli.store.connection import holds_store, open_database
from pachyderm_cli.store.failures import storage_errors
from pachyderm_cli.store.new_file import side_files
from pachyderm_cli.store.statement import Statement, Transaction
from pachyderm_cli.store.store import Store
from pachyderm_cli.store.version import VERSION_TABLE

_TABLES_OF_A_FILE = Statement(text("SELECT name FROM sqlite_master WHERE type = 'table'"))
_TABLES_OF_A_DATABASE = Statement(
    text("SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = ANY (current_schemas(false))")
)
_STAMP = Statement("creation.VERSION")


class Existing(NamedTuple):
    """A database in a read transaction: the names of its tables, and its schema's version, None if it has no store."""

    transaction: Transaction
    tables: frozenset[str]
    schema: str | None


def file_of(store: Store) -> Path:
    """Return the file of a SQLite store."""
    return Path(str(store.url.file)).absolute()


def is_there(store: Store) -> bool:
    """Tell whether there is a file with a store in it; a server is taken to be there until it is asked.

    Raises StoreError for a file that cannot be read.
    """
    if not store.is_sqlite:
        return True
    with storage_errors(store.url):
        return holds_store(file_of(store), store.wait_seconds)


def require_outside(store: Store, path: Path) -> None:
    """Raise UsageError for the store's file and those that SQLite keeps beside it, by whatever name."""
    if not store.is_sqlite:
        return
    # SQLite follows a link to the database, and keeps its files beside what that means.
    databases = {file_of(store), file_of(store).resolve()}
    files = [each for database in databases for each in (database, *side_files(database))]
    if os.path.realpath(path) in map(os.path.realpath, files) or any(_is_same(path, each) for each in files):
        raise UsageError(f"{path} belongs to the store {store}; name another file", file=str(path))


def is_made(store: Store) -> bool:
    """Tell whether the store has its tables. Raises StoreError."""
    if not is_there(store):
        return False
    with existing(store) as found:
        return found.schema is not None


def nothing_there(store: Store) -> StoreError:
    """Return the error for a store that nobody has made yet."""
    return StoreError(f"there is no store at {store} yet: the first send makes it", store=str(store))


@contextmanager
def existing(store: Store) -> Iterator[Existing]:
    """Lend a connection on which everything that is read is of one moment, however long that takes.

    No writer waits for it, on neither database. Raises StoreError, also for a store of a newer schema.
    """
    if not is_there(store):
        raise nothing_there(store)
    store.acknowledgements.flush()  # what this process has done is to be seen
    with storage_errors(store.url):
        database = open_database(store.url, store.wait_seconds)
        transaction = Transaction(database.connect(), database)
        try:
            transaction.run("BEGIN" if store.is_sqlite else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            listed = _TABLES_OF_A_FILE if store.is_sqlite else _TABLES_OF_A_DATABASE
            tables = frozenset(name for (name,) in transaction.rows(listed, {}))  # the first look fixes the moment
            stamps = transaction.rows(_STAMP, {}) if VERSION_TABLE in tables else []
            schema: str | None = stamps[0][0] if stamps else None
            if isinstance(schema, str):  # anything else is found by who verifies
                store.refuse_newer(schema)
            yield Existing(transaction, tables, schema)
        finally:
            transaction.close()


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # one of the two is not there
        return False
