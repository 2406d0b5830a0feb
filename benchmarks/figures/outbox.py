"""How fast one worker process empties a queue of jobs that do nothing: pachyderm's, and procrastinate's."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial

from benchmarks.contenders.drainer import Drainer
from benchmarks.contenders.outbox import Outbox
from benchmarks.contenders.task_queue import DEFAULT, VARIANTS, TaskQueue
from benchmarks.results import Figure, Series, fastest, ratio
from benchmarks.rounds import alternate
from benchmarks.run import Run
from benchmarks.worker_process import worker_process

_WARM_UP = 100
_OURS: Mapping[str, Callable[[str], Drainer]] = {
    "pachyderm": Outbox,
    "pachyderm, messages between entities": partial(Outbox, messages=True),
}


def on_sqlite(run: Run) -> Figure:
    """Measure pachyderm alone on SQLite."""
    series = _measure(run, "outbox-sqlite", lambda: str(run.places.sqlite_file()), _OURS)
    title = f"one worker process, {run.sizes.jobs:,} queued effects that do nothing, SQLite"
    return Figure("outbox-sqlite", title, tuple(series.values()), ())


def on_postgres(run: Run) -> Figure:
    """Measure on Postgres, each contender with a database of its own."""
    theirs: dict[str, Callable[[str], Drainer]] = {each: partial(TaskQueue, variant=each) for each in VARIANTS}
    series = _measure(run, "outbox-postgres", run.places.postgres_database, {**theirs, **_OURS})
    ours, default = series["pachyderm"], series[DEFAULT]
    peer = fastest([series[each] for each in theirs])
    title = f"one worker process, {run.sizes.jobs:,} queued jobs that do nothing, Postgres"
    comparisons = (ratio(ours, peer, at_least=3), *([] if peer is default else [ratio(ours, default)]))
    return Figure("outbox-postgres", title, tuple(series.values()), comparisons)


def _measure(
    run: Run, figure: str, database: Callable[[], str], make: Mapping[str, Callable[[str], Drainer]]
) -> dict[str, Series]:
    """Return the rates of the contenders, each in a process of its own."""
    with ExitStack() as stack:
        workers = {name: stack.enter_context(worker_process(each, database(), __name__)) for name, each in make.items()}
        for each in workers.values():
            each.drained(_WARM_UP)
        turns = {name: partial(each.drained, run.sizes.jobs) for name, each in workers.items()}
        series = alternate(turns, "jobs/s", run.sizes.drain_rounds)
        for name, each in workers.items():
            run.note(figure, name, each.settings())
    return series
