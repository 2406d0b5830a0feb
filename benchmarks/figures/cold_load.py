"""Loading an entity with a long history and no snapshot, with nothing of it in this process's memory."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg

from benchmarks.contenders.contender import WrongOutcome
from benchmarks.contenders.engine import open_engine
from benchmarks.contenders.peer import PeerDatabase
from benchmarks.durability import read_back
from benchmarks.filling import fill, named
from benchmarks.results import Figure, itself, ratio
from benchmarks.rounds import alternate, rate
from benchmarks.run import Run

_REFERENCE = "counter:@long"
_SELECT = (
    "SELECT version, type, data FROM pachyderm_events WHERE network = 'default' AND entity_id = '{}' ORDER BY version"
)


def on_sqlite(run: Run) -> Figure:
    """Measure on SQLite."""
    peer = PeerDatabase.sqlite(run.places.sqlite_file())
    return _measure(run, "cold-load-sqlite", "SQLite", run.places.sqlite_file(), peer)


def on_postgres(run: Run) -> Figure:
    """Measure on Postgres."""
    peer = PeerDatabase.postgres(run.places.postgres_database())
    return _measure(run, "cold-load-postgres", "Postgres", run.places.postgres_database(), peer)


def _measure(run: Run, name: str, database: str, where: Path | str, peer: PeerDatabase) -> Figure:
    events = run.sizes.cold_events
    identifier = named(where, _REFERENCE)
    fill(where, [identifier], events)
    with closing(peer.application("eventsourcing")) as application:
        long = application.start_long(events)

    def pachyderm() -> None:
        with open_engine(where) as engine:
            _require(engine.state(_REFERENCE).count, events)
            run.note(name, "pachyderm", read_back(str(where)))

    def eventsourcing() -> None:
        with closing(peer.application("eventsourcing")) as application:
            _require(application.count_of(long), events)
            run.note(name, "eventsourcing", read_back(peer.database))

    turns: dict[str, Callable[[], object]] = {
        "raw driver and json": lambda: _require(_fold(where, str(identifier)), events),
        "eventsourcing": eventsourcing,
        "pachyderm": pachyderm,
    }
    for each in turns.values():
        each()
    rates = {label: lambda turn=turn: rate(events, turn) for label, turn in turns.items()}
    series = alternate(rates, "events/s", run.sizes.cold_rounds)
    ours = series["pachyderm"]
    comparisons = (
        ratio(ours, series["eventsourcing"], at_least=8),
        itself(ours, at_least=200_000),
        ratio(ours, series["raw driver and json"]),
    )
    return Figure(name, f"cold load of {events:,} events, no snapshot, {database}", tuple(series.values()), comparisons)


def _fold(where: Path | str, identifier: str) -> int:
    """Return the sum of the events' amounts, with the least code."""
    if isinstance(where, str):
        with psycopg.connect(where) as postgres:
            return sum(json.loads(data)["amount"] for _, _, data in postgres.execute(_SELECT.format(identifier)))
    with closing(sqlite3.connect(where)) as connection:
        return sum(json.loads(data)["amount"] for _, _, data in connection.execute(_SELECT.format(identifier)))


def _require(found: int, expected: int) -> None:
    if found != expected:
        raise WrongOutcome(f"{found} events were loaded, not {expected}")
