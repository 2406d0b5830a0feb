"""Eight processes sending to entities of their own in one Postgres database, against one of them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection

from benchmarks.contenders.contender import Contender, WrongOutcome, send_in_turn
from benchmarks.contenders.engine import Embedded, count_events
from benchmarks.contenders.raw_postgres import RawPostgres
from benchmarks.durability import read_back
from benchmarks.results import Figure, Series, ratio
from benchmarks.rounds import alternate, rate
from benchmarks.run import Run

PROCESSES = 8
_ENTITIES = 10  # of each process
_WARM_UP = 50
_NAME = "processes-postgres"


def on_postgres(run: Run) -> Figure:
    """Measure pachyderm; and the raw driver too, whose ratio is what the machine allows."""
    raw_url, url = run.places.postgres_database(), run.places.postgres_database()
    with closing(RawPostgres(raw_url, 0)), closing(Embedded(url)) as first:
        first.send(0)  # so that the tables are there
    with ExitStack() as stack:
        raw = stack.enter_context(_workers(_raw, raw_url))
        pachyderm = stack.enter_context(_workers(_embedded, url))
        turns = {**_turns("raw psycopg", raw, run), **_turns("pachyderm", pachyderm, run)}
        series = alternate(turns, "sends/s", run.sizes.rounds)
        for name, workers in (("raw psycopg", raw), ("pachyderm", pachyderm)):
            run.note(_NAME, f"{name}, each of {PROCESSES}", " / ".join(sorted({each.settings() for each in workers})))
    expected = 1 + PROCESSES * _WARM_UP + (PROCESSES + 1) * run.sizes.process_sends * run.sizes.rounds
    if count_events(url) != expected:
        raise WrongOutcome(f"pachyderm wrote {count_events(url)} events where {expected} were sent")
    return _figure(series)


def _figure(series: dict[str, Series]) -> Figure:
    raw_one, raw_all, one, everyone = series.values()
    return Figure(
        _NAME,
        f"{PROCESSES} processes, own entities, one Postgres",
        tuple(series.values()),
        (ratio(everyone, one, at_least=3), ratio(raw_all, raw_one)),
    )


def _turns(name: str, workers: "Sequence[_Worker]", run: Run) -> dict[str, Callable[[], float]]:
    sends = run.sizes.process_sends
    return {
        f"{name}, one process": lambda: rate(sends, lambda: _send(workers[:1], sends)),
        f"{name}, {PROCESSES} processes": lambda: rate(sends * len(workers), lambda: _send(workers, sends)),
    }


def _send(workers: "Sequence[_Worker]", sends: int) -> None:
    for each in workers:
        each.pipe.send(sends)
    for each in workers:
        each.pipe.recv()


@dataclass(frozen=True)
class _Worker:
    """A process that sends as many messages as it is told, and stops at 0 after it has told its settings."""

    pipe: Connection

    def settings(self) -> str:
        """Return the durable settings of its connections; with this it ends."""
        self.pipe.send(0)
        return str(self.pipe.recv())


@contextmanager
def _workers(make: Callable[[str, int], Contender], url: str) -> Iterator[list[_Worker]]:
    # Each is forked from a process that has loaded everything and opened nothing.
    context = get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.figures.processes"])
    pipes, processes = [], []
    try:
        for number in range(PROCESSES):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, make, url, number), daemon=True)
            process.start()
            theirs.close()  # so that a worker that dies is noticed
            pipes.append(_Worker(ours))
            processes.append(process)
        for each in pipes:
            each.pipe.recv()
        yield pipes
    finally:
        for each in pipes:
            each.pipe.close()
        for process in processes:
            process.join(timeout=10)


def _work(pipe: Connection, make: Callable[[str, int], Contender], url: str, number: int) -> None:
    contender = make(url, number)
    send_in_turn(contender, _WARM_UP, _ENTITIES)
    pipe.send("ready")
    with closing(contender), suppress(EOFError, ConnectionError):  # the other end fails by itself, and tells
        while sends := pipe.recv():
            send_in_turn(contender, sends, _ENTITIES)
            pipe.send("done")
        pipe.send(read_back(contender.database))


def _raw(url: str, _number: int) -> Contender:
    return RawPostgres(url, _ENTITIES, create=False)


def _embedded(url: str, number: int) -> Contender:
    return Embedded(url, f"p{number}-")
