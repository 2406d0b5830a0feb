"""Opening a database: drivers, pragmas, durable settings, and the few facts in which the two differ."""

from __future__ import annotations

import logging
import os
import re
import sqlite3
import time
import weakref
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.schema import CreateTable

from pachyderm_cli.errors import ConfigError, StoreError
from pachyderm_cli.store.patience import WAIT_SECONDS, has_several_hosts
from pachyderm_cli.store.schema import VERSION_TABLE, metadata

# What the driver logs when a connection is lost is raised as well, and told once.
logging.getLogger("psycopg").addHandler(logging.NullHandler())

_DURABLE_ON_POSTGRES = ("on", "remote_apply")

# The user and the password are what SQLAlchemy takes for them: a comma in a password is none of the hosts'.
_SEVERAL_HOSTS = re.compile(
    r"(postgres[a-z+]*://(?:[^:/@]*(?::[^@]*)?@)?+)([^/?#@]*,[^/?#@]*)((?:/[^?]*)?)(?:\?(.*))?", re.DOTALL
)
_HOST = re.compile(r"(?:\[([^\]]+)\]|([^:\[]*))(?::(\d*))?")  # an address of IPv6 is in brackets

_open_connections: weakref.WeakSet[Any] = weakref.WeakSet()


class _Connection(sqlite3.Connection):
    """sqlite3's own connection takes no weak references; a subclass does."""


def parse_url(text: str) -> URL:
    """Return the store's URL. Raises ConfigError unless it names a SQLite file or a Postgres database."""
    if "\0" in text or "%00" in text:
        raise ConfigError("the store's URL has a NUL in it, and no file, host or database can be called so")
    if not text.isascii() and any("\ud800" <= each <= "\udfff" for each in text):
        raise ConfigError("the store's URL is no text in UTF-8; give the file or the database another name")
    try:
        scheme, colon, rest = text.partition(":")
        url = make_url(_with_hosts_apart(scheme.lower() + colon + rest))
    except (ArgumentError, ValueError):
        raise ConfigError(
            "the store's URL cannot be read; write sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE"
        ) from None  # the text may hold a password, and the cause quotes it
    if url.drivername in ("sqlite", "sqlite+pysqlite"):
        return _sqlite_url(url, text)
    if url.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        if text.count("@") > 1:  # half a password would be taken for a host or a database, and shown
            raise ConfigError("the store's URL has a second '@', perhaps inside its password; write it as %40")
        _require_host_names(url)
        if find_spec("psycopg") is None:
            raise ConfigError("Postgres needs its driver: pip install 'pachyderm-cli[postgres]'")
        return url.set(drivername="postgresql+psycopg")
    raise ConfigError(
        f"a store is SQLite or Postgres, not {url.drivername!r}; "
        "write sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE"
    )


def _with_hosts_apart(text: str) -> str:
    """Return a URL of several hosts, `HOST:PORT,HOST:PORT`, in the way that SQLAlchemy reads: in its query."""
    found = _SEVERAL_HOSTS.fullmatch(text)
    parts = [_HOST.fullmatch(each) for each in found[2].split(",")] if found else []
    if found is None or not all(parts):
        return text
    hosts, ports = zip(*((part[1] or part[2], part[3] or "") for part in parts if part), strict=True)
    query = [f"host={','.join(hosts)}", *([f"port={','.join(ports)}"] if any(ports) else []), *filter(None, [found[4]])]
    return f"{found[1]}{found[3] or '/'}?{'&'.join(query)}"


def _require_host_names(url: URL) -> None:
    """Refuse a host that no name server could be asked for: the driver's own error would be none of a database's."""
    if any(each in (url.host or "") for each in ",[]"):  # several are told apart before
        raise ConfigError("the store's URL has hosts that cannot be told apart; write HOST:PORT,HOST:PORT")
    named = url.query.get("host", ())
    for host in (url.host or "", *(",".join([named] if isinstance(named, str) else named)).split(",")):
        try:
            host.encode("utf-8" if host.startswith("/") else "idna")  # a folder is the place of a server's socket
        except UnicodeError:
            # Not what: it may be half of a password.
            raise ConfigError("the store's URL names a host that no host can be called") from None


def _sqlite_url(url: URL, text: str) -> URL:
    if url.database in (None, "", ":memory:") or url.host:
        raise ConfigError("a SQLite store is a file that lasts; write sqlite:///FILE, or sqlite:////FOLDER/FILE")
    if url.query or "?" in text:
        raise ConfigError("a SQLite store's URL takes no options after '?'; write sqlite:///FILE")
    return url.set(drivername="sqlite")


def make_engine(url: URL, wait_seconds: float = WAIT_SECONDS) -> Engine:
    """Return an engine whose every connection is durable, as read back from the database itself.

    On SQLite a connection waits so many seconds for another's lock.
    """
    if url.get_backend_name() == "sqlite":
        engine = create_engine(
            url.set(database=_name_for_sqlite(str(url.database)), query={"mode": "rw", "uri": "true"}),
            # The driver opens no transactions of its own: `Store.write` issues them.
            connect_args={
                "timeout": wait_seconds,
                "isolation_level": None,
                "check_same_thread": False,
                "factory": _Connection,
            },
            poolclass=NullPool,  # `Store` keeps its connections itself
        )
        event.listen(engine, "connect", lambda connection, _record: _set_up_sqlite(connection, wait_seconds))
    else:
        # Single statements commit by themselves, in one round trip; longer transactions are begun by `Store`.
        arguments = {**_postgres_defaults(url), "autocommit": True}
        # No column is of the type that SQLAlchemy would look for, in a transaction of its own.
        engine = create_engine(url, connect_args=arguments, poolclass=NullPool, use_native_hstore=False)
        event.listen(engine, "connect", _set_up_postgres)
    event.listen(engine, "connect", lambda connection, _record: _open_connections.add(connection))
    return engine


def _postgres_defaults(url: URL) -> dict[str, Any]:
    """Return what libpq is told where the URL does not say otherwise."""
    defaults: dict[str, Any] = {
        "application_name": "pachyderm",
        "connect_timeout": 10,  # seconds
        # Where a server is gone without a word, the network would take hours to say so.
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 4,
        "tcp_user_timeout": 30_000,  # milliseconds
    }
    if has_several_hosts(url):
        defaults["target_session_attrs"] = "read-write"  # of a primary and its standbys, the primary
    return {name: value for name, value in defaults.items() if name not in url.query}


def connect(engine: Engine) -> Any:
    """Return a fresh connection of the driver's own, which is the caller's to close."""
    made = engine.raw_connection()
    connection = made.driver_connection
    made.detach()
    return connection


def empty_engine() -> Engine:
    """Return an engine on empty tables in memory: what a SQLite store that is not there yet reads as.

    Every connection has a database of its own, so that threads share none.
    """
    engine = create_engine("sqlite://", poolclass=NullPool, connect_args={"check_same_thread": False})
    tables = [str(CreateTable(table).compile(engine)) for table in metadata.sorted_tables]

    def make_tables(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        for statement in tables:
            cursor.execute(statement)
        cursor.close()

    event.listen(engine, "connect", make_tables)
    return engine


def holds_store(path: Path, wait_seconds: float) -> bool:
    """Tell whether there is a SQLite file with a store in it. Nothing is changed; raises what SQLite raises.

    Raises StoreError for a device, a pipe or a socket.
    """
    if not path.exists():
        return False
    _require_lasting(path)
    uri = f"{_name_for_sqlite(str(path))}?mode=rw"
    with closing(sqlite3.connect(uri, uri=True, timeout=wait_seconds)) as connection:
        return bool(connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (VERSION_TABLE,)).fetchall())


def _name_for_sqlite(path: str) -> str:
    """Return the name of a file as SQLite reads it in a URI, in which `mode=rw` keeps it from making the file.

    It would make one that everybody may read, also in place of one that somebody took away while it was used.
    """
    return f"file://{quote(os.fsencode(Path(path).absolute()))}"


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


def _set_up_sqlite(connection: DBAPIConnection, wait_seconds: float) -> None:
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


def _set_up_postgres(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("SHOW synchronous_commit")
    if cursor.fetchall()[0][0] not in _DURABLE_ON_POSTGRES:
        cursor.execute("SET synchronous_commit TO on")
        cursor.execute("SHOW synchronous_commit")
        if cursor.fetchall()[0][0] not in _DURABLE_ON_POSTGRES:
            raise StoreError("Postgres did not take synchronous_commit=on, without which a commit may be lost")
    cursor.close()
    from psycopg.types.string import TextLoader  # noqa: PLC0415 - loaded with the driver only

    connection.adapters.register_loader("uuid", TextLoader)


def _keep_in_child() -> None:
    """Let a forked child never close its parent's connections, not even when it ends.

    Closing would drop SQLite's locks or end the parent's Postgres session, so the child keeps a reference to
    each for ever.
    """
    import ctypes  # noqa: PLC0415 - for those who fork alone

    for connection in _open_connections:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))


os.register_at_fork(after_in_child=_keep_in_child)
