"""Opening a database: a SQLite file with its pragmas and durable settings, or a server."""

from __future__ import annotations

import os
import sqlite3
import time
import weakref
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.compiled import table_texts
from pachyderm_cli.store.patience import WAIT_SECONDS
from pachyderm_cli.store.url import StoreUrl
from pachyderm_cli.store.version import VERSION_TABLE

_open_connections: weakref.WeakSet[Any] = weakref.WeakSet()


class _Connection(sqlite3.Connection):
    """sqlite3's own connection takes no weak references; a subclass does."""


class Database:
    """What makes the driver's connections to one database, of the `dialect` that it is spoken to in."""

    __slots__ = ("_connect", "dialect")

    def __init__(self, dialect: str, connect: Callable[[], Any]) -> None:
        """Take what `connect` returns."""
        self.dialect = dialect
        self._connect = connect

    def connect(self) -> Any:
        """Return a fresh connection of the driver's own, which is the caller's to close."""
        connection = self._connect()
        _open_connections.add(connection)
        return connection


def open_database(url: StoreUrl, wait_seconds: float = WAIT_SECONDS) -> Database:
    """Return what connects to the database of `url`. Its every connection is durable, as read back from it.

    On SQLite a connection waits so many seconds for another's lock.
    """
    if url.file is not None:
        name = _name_for_sqlite(url.file)  # once: the process may be in another folder when the next one is made
        return Database("sqlite", lambda: _connected(name, wait_seconds))
    from pachyderm_cli.store.server import server_database  # noqa: PLC0415 - it loads SQLAlchemy, which a file needs not

    return server_database(url)


def _connected(name: str, wait_seconds: float) -> sqlite3.Connection:
    # The driver opens no transactions of its own: `Store.write` issues them.
    connection = sqlite3.connect(
        f"{name}?mode=rw",
        uri=True,
        timeout=wait_seconds,
        isolation_level=None,
        check_same_thread=False,
        factory=_Connection,
    )
    try:
        _set_up_sqlite(connection, wait_seconds)
    except BaseException:
        connection.close()
        raise
    return connection


def empty_database() -> Database:
    """Return a database of empty tables in memory: what a SQLite store that is not there yet reads as.

    Every connection has a database of its own, so that threads share none.
    """

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False, factory=_Connection)
        for statement in table_texts("sqlite"):
            connection.execute(statement)
        return connection

    return Database("sqlite", connect)


def holds_store(path: Path, wait_seconds: float) -> bool:
    """Tell whether there is a SQLite file with a store in it. Nothing is changed; raises what SQLite raises.

    Raises StoreError for a device, a pipe or a socket.
    """
    if not path.exists():
        return False
    _require_lasting(path)
    uri = f"{_name_for_sqlite(path)}?mode=rw"
    with closing(sqlite3.connect(uri, uri=True, timeout=wait_seconds)) as connection:
        return bool(connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (VERSION_TABLE,)).fetchall())


def _name_for_sqlite(path: Path) -> str:
    """Return the name of a file as SQLite reads it in a URI, in which `mode=rw` keeps it from making the file.

    It would make one that everybody may read, also in place of one that somebody took away while it was used.
    """
    return f"file://{quote(os.fsencode(path.absolute()))}"


def create_owner_only(path: Path) -> None:
    """Make an empty file that its owner alone can read, unless there is one; SQLite's side files follow its mode.

    Raises StoreError for a device, a pipe or a socket.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        _require_lasting(path)


def _require_lasting(path: Path) -> None:
    """Refuse what SQLite would open and keep nothing in; it would also make, or remove, a journal beside it."""
    if path.exists() and not path.is_file() and not path.is_dir():  # of a folder SQLite says that it cannot be opened
        raise StoreError(f"{path} is a device, a pipe or a socket, not a file that lasts; name another as the store")


def _set_up_sqlite(connection: sqlite3.Connection, wait_seconds: float) -> None:
    cursor = connection.cursor()
    # Turning WAL on is a transaction of the old kind, which ends with the removal of a journal. Only EXTRA has that on
    # disk too: a journal that is back after a power failure would undo it, and all that was committed since.
    cursor.execute("PRAGMA synchronous=EXTRA")
    # It also needs the file alone for a moment, and SQLite's own wait does not cover that.
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            mode = cursor.execute("PRAGMA journal_mode=WAL").fetchone()[0]
            break
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    cursor.execute("PRAGMA synchronous=FULL")
    synchronous = cursor.execute("PRAGMA synchronous").fetchone()[0]
    cursor.close()
    if mode != "wal" or synchronous != 2:
        raise StoreError(
            f"SQLite did not take the durable settings (journal_mode={mode}, synchronous={synchronous}, wanted "
            "wal and 2); is the file on a network file system?"
        )


def _keep_in_child() -> None:
    """Let a forked child never close its parent's connections, not even when it ends.

    Closing would drop SQLite's locks or end the parent's Postgres session, so the child keeps a reference to
    each for ever.
    """
    import ctypes  # noqa: PLC0415 - for those who fork alone

    for connection in _open_connections:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))


os.register_at_fork(after_in_child=_keep_in_child)
