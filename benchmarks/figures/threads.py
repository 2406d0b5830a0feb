"""Many threads sending through one engine, against the raw driver's one sender."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from threading import Barrier

from benchmarks.contenders.contender import Contender, require_count, send_in_turn, sending_rate
from benchmarks.contenders.engine import Embedded
from benchmarks.contenders.raw_postgres import RawPostgres
from benchmarks.contenders.raw_sqlite import RawSqlite
from benchmarks.results import Figure, ratio
from benchmarks.rounds import alternate, rate
from benchmarks.run import Run

THREADS = 64
ENTITIES = 640
_WARM_UP = ENTITIES


def on_sqlite(run: Run) -> Figure:
    """Measure on SQLite."""
    raw = RawSqlite(run.places.sqlite_file(), run.sizes.entities)
    return _measure(run, "threads-sqlite", "SQLite", raw, Embedded(run.places.sqlite_file()))


def on_postgres(run: Run) -> Figure:
    """Measure on Postgres."""
    raw = RawPostgres(run.places.postgres_database(), run.sizes.entities)
    return _measure(run, "threads-postgres", "Postgres", raw, Embedded(run.places.postgres_database()))


def _measure(run: Run, name: str, database: str, raw: Contender, pachyderm: Embedded) -> Figure:
    sizes = run.sizes
    each = sizes.thread_sends // THREADS
    with closing(raw), closing(pachyderm), _crew(pachyderm) as crew:
        crew.send(_WARM_UP // THREADS)
        send_in_turn(raw, _WARM_UP, sizes.entities)
        turns = {
            f"{raw.name}, one sender": lambda: sending_rate(raw, sizes.sends, sizes.entities),
            f"pachyderm, {THREADS} threads": lambda: rate(each * THREADS, lambda: crew.send(each)),
        }
        if hasattr(os, "sched_setaffinity"):
            # What of it is the interpreter going from core to core, with all that it has to fetch anew there.
            turns[f"pachyderm, {THREADS} threads on one core"] = lambda: rate(
                each * THREADS, lambda: crew.send(each, on_one_core=True)
            )
        series = alternate(turns, "sends/s", sizes.rounds)
        run.read_back(name, raw)
        run.read_back(name, pachyderm)
        require_count(raw, _WARM_UP + sizes.sends * sizes.rounds)
        require_count(pachyderm, _WARM_UP + each * THREADS * sizes.rounds * (len(series) - 1))
    one, many, *on_one_core = series.values()
    title = f"{THREADS} threads to {ENTITIES} entities, {database}"
    ratios = (ratio(many, one, at_least=2.5), *(ratio(its, one) for its in on_one_core))
    return Figure(name, title, (one, many, *on_one_core), ratios)


class _Crew:
    """Threads that stay, so that what they keep warm stays warm; each has entities of its own."""

    def __init__(self, pachyderm: Embedded, pool: ThreadPoolExecutor) -> None:
        self._pachyderm = pachyderm
        self._pool = pool

    def send(self, each: int, *, on_one_core: bool = False) -> None:
        """Let every thread send so many messages, to its entities in turn; all on the last core, if that is wanted."""
        cores = os.sched_getaffinity(0) if on_one_core else None
        # Nobody begins before all are there: so every thread has one part of the work.
        barrier = Barrier(THREADS)
        for done in [self._pool.submit(self._part, barrier, number, each, cores) for number in range(THREADS)]:
            done.result()

    def _part(self, barrier: Barrier, number: int, sends: int, cores: set[int] | None) -> None:
        if cores is not None:
            os.sched_setaffinity(0, {max(cores)})  # of this thread
        try:
            barrier.wait()
            for turn in range(sends):
                self._pachyderm.send(number + THREADS * (turn % (ENTITIES // THREADS)))
        finally:
            if cores is not None:
                os.sched_setaffinity(0, cores)


@contextmanager
def _crew(pachyderm: Embedded) -> Iterator[_Crew]:
    with ThreadPoolExecutor(THREADS) as pool:
        yield _Crew(pachyderm, pool)
