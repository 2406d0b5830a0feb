"""Pachyderm, embedded in a program."""

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg

from benchmarks.project.entities import counter
from pachyderm_cli import Pachyderm

_COUNT = "SELECT count(*) FROM pachyderm_events"


class Embedded:
    """`Pachyderm(store, [module]).send(reference, message)`, with everything at its default."""

    name = "pachyderm"

    def __init__(self, where: Path | str, prefix: str = "e") -> None:
        """Write to a SQLite file or a Postgres URL; the entities are called by `prefix` and number."""
        self.database = str(where)
        self.store = store_url(where)
        self._prefix = prefix
        self.pachyderm = open_engine(where)

    def reference(self, entity: int) -> str:
        """Return how an entity is called."""
        return f"counter:@{self._prefix}{entity}"

    def send(self, entity: int) -> None:
        """Send one message."""
        self.pachyderm.send(self.reference(entity), counter.Increment(amount=1))

    def count(self) -> int:
        """Return how many events there are."""
        return count_events(self.database)

    def close(self) -> None:
        """Close its connections."""
        self.pachyderm.close()


def open_engine(where: Path | str) -> Pachyderm:
    """Return an engine on a SQLite file or a Postgres URL that serves the counter."""
    return Pachyderm(store_url(where), {"counter": counter})


def count_events(database: str) -> int:
    """Return how many events are in a store."""
    if database.startswith("postgresql"):
        with psycopg.connect(database) as postgres:
            row = postgres.execute(_COUNT).fetchone()
            return int(row[0]) if row else 0
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute(_COUNT).fetchone()[0])


def store_url(where: Path | str) -> str:
    """Return the store's URL for a SQLite file; a Postgres URL is one."""
    return where if isinstance(where, str) and where.startswith("postgresql") else f"sqlite:///{where}"
