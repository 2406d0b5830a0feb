"""Fresh databases for tests, which fail a test that leaves a connection open."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, make_url, text

_LEAK_SECONDS = 5
_OPEN = text(
    "SELECT pid, application_name, state, query FROM pg_stat_activity"
    " WHERE datname = :name AND backend_type = 'client backend'"
)


_FREE: dict[str, list[str]] = {}  # by server: databases that this process made, empty again

_OBJECTS = text(
    "SELECT (SELECT count(*) FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema$|public$)')"
    " + (SELECT count(*) FROM pg_largeobject_metadata) + (SELECT count(*) FROM pg_extension WHERE extname <> 'plpgsql')"
)


@contextmanager
def fresh_postgres(server: str) -> Iterator[str]:
    """Give the URL of an empty database on `server`. A connection that is left open is an error.

    A database that was used is emptied and used again, since to make and to drop one takes longer than most tests.
    """
    admin = _admin(make_url(server))
    free = _FREE.setdefault(server, [])
    name = free.pop() if free else _create(admin)
    url = admin.url.set(database=name)
    try:
        yield url.render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            leaked = _still_open(connection, name)
            connection.execute(text(f"ALTER DATABASE {name} RESET ALL"))
            if leaked or not _emptied(url):
                connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
            else:
                free.append(name)
    assert not leaked, f"connections were left open: {leaked}"


def drop_databases(server: str) -> None:
    """Drop the databases that this process made on `server`."""
    with _admin(make_url(server)).connect() as connection:
        for name in _FREE.pop(server, []):
            connection.execute(text(f"DROP DATABASE {name}"))


def _admin(url: URL) -> Engine:
    return create_engine(url.set(drivername="postgresql+psycopg"), poolclass=NullPool, isolation_level="AUTOCOMMIT")


def _create(admin: Engine) -> str:
    name = f"pachyderm_test_{uuid4().hex}"
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    return name


def _emptied(url: URL) -> bool:
    """Remove whatever is in the schema `public`; tell whether nothing else is left in the database."""
    with _admin(url).connect() as connection:
        connection.execute(text("DROP SCHEMA IF EXISTS public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
        return bool(connection.scalar(_OBJECTS) == 0)


def _still_open(connection: Connection, name: str) -> list[str]:
    """Return the open connections to database `name`; the server gets time to notice those just closed."""
    end = time.monotonic() + _LEAK_SECONDS
    while (rows := connection.execute(_OPEN, {"name": name}).all()) and time.monotonic() < end:
        time.sleep(0.02)
    return [str(row) for row in rows]


@contextmanager
def fresh_sqlite(folder: Path) -> Iterator[str]:
    """Give the URL of a SQLite file, not there yet, in `folder`. A connection left open is an error."""
    file = folder / "store.db"
    yield f"sqlite:///{file}"
    leaked = [name for name in _open_files() if name.startswith(str(file))]
    assert not leaked, f"connections were left open: {leaked}"


def _open_files() -> list[str]:
    """Return the names of the files that this process has open: none where the system does not tell."""
    names = []
    for descriptor in Path("/proc/self/fd").glob("*"):
        try:
            names.append(str(descriptor.readlink()))
        except FileNotFoundError:  # the descriptor that was reading the folder
            continue
    return names
