"""The library `eventsourcing`: an application that gets an aggregate from its repository, decides and saves."""

import os
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from psycopg.conninfo import conninfo_to_dict

from benchmarks.results import Comparison, Series, fastest, ratio

_CACHE = {"AGGREGATE_CACHE_MAXSIZE": "1000"}
_FUNCTIONS = {"POSTGRES_ENABLE_DB_FUNCTIONS": "y"}
_TRUSTED = {**_CACHE, "AGGREGATE_CACHE_FASTFORWARD": "n"}

AS_IT_COMES = "eventsourcing"
"""Loads, decides and saves: its cache is off unless it is asked for."""

SOLE_WRITER = "eventsourcing, sole writer"
"""Its cache trusted without a look at the database: for one process alone, which never sees another's events."""

VARIANTS: Mapping[str, Mapping[str, str]] = {
    AS_IT_COMES: {},
    "eventsourcing, cache": _CACHE,
    SOLE_WRITER: _TRUSTED,
}
POSTGRES_VARIANTS: Mapping[str, Mapping[str, str]] = {
    AS_IT_COMES: {},
    "eventsourcing, cache": _CACHE,
    "eventsourcing, functions": _FUNCTIONS,
    "eventsourcing, cache, functions": {**_CACHE, **_FUNCTIONS},
    SOLE_WRITER: {**_TRUSTED, **_FUNCTIONS},
}
"""The settings that its documentation offers."""

_SAVED_AT_ONCE = 500  # with 20,000 the library's pipeline on Postgres never came to an end


class Counter(Aggregate):
    """The same counter as the one that pachyderm serves."""

    @event("Started")
    def __init__(self) -> None:
        self.count = 0

    def increment(self, amount: int) -> None:
        """Accept every increment."""
        if amount < 1:
            raise ValueError(amount)
        self.increase(amount)

    @event("Increased")
    def increase(self, amount: int) -> None:
        """Go up by `amount`."""
        self.count += amount


class Counters(Application[UUID]):
    """The counters of one database."""

    def start(self) -> UUID:
        """Make a counter."""
        counter = Counter()
        self.save(counter)
        return counter.id

    def increment(self, identifier: UUID, amount: int) -> None:
        """Load, decide, save."""
        counter: Counter = self.repository.get(identifier)
        counter.increment(amount)
        self.save(counter)

    def start_long(self, increments: int) -> UUID:
        """Make a counter that has been incremented so often."""
        counter = Counter()
        for number in range(1, increments + 1):
            counter.increment(1)
            if number % _SAVED_AT_ONCE == 0:
                self.save(counter)
        self.save(counter)
        return counter.id

    def count_of(self, identifier: UUID) -> int:
        """Return how far a counter has come."""
        counter: Counter = self.repository.get(identifier)
        return counter.count


@dataclass(frozen=True)
class PeerDatabase:
    """A database that the library writes to, and how it is told so."""

    database: str
    environment: Mapping[str, str]

    @classmethod
    def sqlite(cls, file: Path) -> "PeerDatabase":
        """Return the SQLite file at that path. The library asks for WAL itself, and FULL is SQLite's default."""
        return cls(str(file), {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(file)})

    @classmethod
    def postgres(cls, url: str) -> "PeerDatabase":
        """Return the Postgres database of that URL."""
        parts: dict[str, Any] = conninfo_to_dict(url)
        return cls(
            url,
            {
                "PERSISTENCE_MODULE": "eventsourcing.postgres",
                "POSTGRES_DBNAME": parts["dbname"],
                "POSTGRES_HOST": parts["host"],
                "POSTGRES_PORT": str(parts.get("port") or 5432),
                "POSTGRES_USER": parts["user"],
                "POSTGRES_PASSWORD": parts.get("password") or os.environ.get("PGPASSWORD", "none"),
            },
        )

    @property
    def variants(self) -> Mapping[str, Mapping[str, str]]:
        """The settings to choose from, by name."""
        return POSTGRES_VARIANTS if self.database.startswith("postgresql") else VARIANTS

    def application(self, variant: str) -> Counters:
        """Return an application on it."""
        return Counters(env={**self.environment, **self.variants[variant]})

    def count(self) -> int:
        """Return how many events there are, those that began an aggregate left out."""
        query = "SELECT count(*) FROM counters_events WHERE originator_version > 1"
        if self.database.startswith("postgresql"):
            with psycopg.connect(self.database) as postgres:
                row = postgres.execute(query).fetchone()
                return int(row[0]) if row else 0
        with closing(sqlite3.connect(self.database)) as connection:
            return int(connection.execute(query.replace("counters", "stored")).fetchone()[0])


class Peer:
    """The library with one of its variants, on a database of its own."""

    def __init__(self, where: PeerDatabase, entities: int, variant: str) -> None:
        """Make the entities."""
        self.name = variant
        self.database = where.database
        self._where = where
        self._application = where.application(variant)
        self._ids = [self._application.start() for _ in range(entities)]

    def send(self, entity: int) -> None:
        """Increment one counter."""
        self._application.increment(self._ids[entity], 1)

    def count(self) -> int:
        """Return how many increments there are."""
        return self._where.count()

    def close(self) -> None:
        """Close its connections."""
        self._application.close()


def beside_peers(ours: Series, series: Iterable[Series], *, at_least: float) -> tuple[Comparison, ...]:
    """Return how `ours` compares to the library as it comes, to its fastest setting, and to the sole writer.

    The target is held against the first two, which serve several processes.
    """
    theirs = {each.name: each for each in series if each.name in {*VARIANTS, *POSTGRES_VARIANTS}}
    sole_writer = theirs.pop(SOLE_WRITER)
    comes, best = theirs[AS_IT_COMES], fastest([*theirs.values()])
    peers = [comes] if comes == best else [comes, best]
    return (*(ratio(ours, peer, at_least=at_least) for peer in peers), ratio(ours, sole_writer))
