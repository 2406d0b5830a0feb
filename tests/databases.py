"""Fresh databases for tests, which fail a test that leaves a connection open."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection, NullPool, create_engine, make_url, text

_LEAK_SECONDS = 5
_OPEN = text(
    "SELECT pid, application_name, state, query FROM pg_stat_activity"
    " WHERE datname = :name AND backend_type = 'client backend'"
)


@contextmanager
def fresh_postgres(server: str) -> Iterator[str]:
    """Make an empty database on `server`, give its URL, drop it. A connection left open is an error."""
    url = make_url(server).set(drivername="postgresql+psycopg")
    admin = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    name = f"pachyderm_test_{uuid4().hex}"
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            leaked = _still_open(connection, name)
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    assert not leaked, f"connections were left open: {leaked}"


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
