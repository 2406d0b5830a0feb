"""Looking into a store, and tampering with it, past pachyderm: with SQL on a connection of the test's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Executable, NullPool, create_engine, func, inspect, make_url, select

from pachyderm_cli.store.schema import entities, events, snapshots

_TABLES = {"entities": entities, "events": events, "snapshots": snapshots}


@contextmanager
def connected(store_url: str) -> Iterator[Connection]:
    """Give a connection in a transaction that is committed at the end."""
    engine = create_engine(store_url, poolclass=NullPool)
    with engine.begin() as connection:
        yield connection


def execute(store_url: str, statement: Executable) -> None:
    """Run one statement in a transaction of its own."""
    with connected(store_url) as connection:
        connection.execute(statement)


def row_counts(store_url: str) -> dict[str, int]:
    """Return how many entities, events and snapshots the store holds; none where it was never made."""
    url = make_url(store_url)
    nothing = dict.fromkeys(_TABLES, 0)
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
        return nothing
    with connected(store_url) as connection:
        if not inspect(connection).has_table(entities.name):
            return nothing
        return {
            name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in _TABLES.items()
        }


def all_rows(store_url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of the store, to compare two moments of it."""
    with connected(store_url) as connection:
        return {
            name: sorted(tuple(row) for row in connection.execute(select(table))) for name, table in _TABLES.items()
        }
