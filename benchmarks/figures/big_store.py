"""One sender into a store that holds many events of others, against an empty store."""

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from uuid import uuid4

from benchmarks.contenders.contender import require_count, send_in_turn
from benchmarks.contenders.engine import Embedded
from benchmarks.durability import read_back
from benchmarks.filling import fill
from benchmarks.results import Figure, ratio
from benchmarks.rounds import alternate, seconds
from benchmarks.run import Run

_EVENTS_EACH = 100


def on_sqlite(run: Run) -> Figure:
    """Measure on SQLite."""
    full = run.places.sqlite_file()
    figure = _measure(run, "big-store-sqlite", "SQLite", run.places.sqlite_file(), full)
    run.places.drop_sqlite(full)
    return figure


def on_postgres(run: Run) -> Figure:
    """Measure on Postgres."""
    full = run.places.postgres_database()
    figure = _measure(run, "big-store-postgres", "Postgres", run.places.postgres_database(), full)
    run.places.drop_postgres(full)
    return figure


def _measure(run: Run, name: str, database: str, empty: Path | str, full: Path | str) -> Figure:
    sizes = run.sizes
    fill(full, [uuid4() for _ in range(sizes.store_events // _EVENTS_EACH)], _EVENTS_EACH)
    stores = {"send, empty store": (Embedded(empty), 0), f"send, {sizes.store_events:,} events": (Embedded(full), 1)}
    with ExitStack() as stack:
        for each, _ in stores.values():
            stack.callback(each.close)
            send_in_turn(each, 2 * sizes.entities, sizes.entities)

        def turn(each: Embedded) -> float:
            return seconds(lambda: send_in_turn(each, sizes.sends, sizes.entities)) / sizes.sends * 1000

        turns = {label: partial(turn, each) for label, (each, _) in stores.items()}
        series = alternate(turns, "ms", sizes.rounds)
        for label, (each, there) in stores.items():
            run.note(name, label, read_back(each.database))
            begun = there * (sizes.store_events + 1)
            require_count(each, begun + 2 * sizes.entities + sizes.sends * sizes.rounds)
    before, after = series.values()
    title = f"send into a store of {sizes.store_events:,} events, {database}"
    return Figure(name, title, (before, after), (ratio(after, before, at_most=1.3),))
