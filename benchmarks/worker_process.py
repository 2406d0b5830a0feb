"""A contender in a process of its own, which does as it is told by one word at a time."""

import gc
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection

from benchmarks.contenders.contender import WrongOutcome
from benchmarks.contenders.drainer import Drainer
from benchmarks.durability import read_back
from benchmarks.rounds import rate


class WorkerProcess:
    """A process that has started, and has its connections open."""

    def __init__(self, pipe: Connection) -> None:
        """Wait until it is ready. Raises EOFError here and later if it ends; it has told why on standard error."""
        self._pipe = pipe
        self._queued = 0
        self._pipe.recv()

    def drained(self, jobs: int) -> float:
        """Let it queue as many jobs, and return how many a second its worker then carries out. Raises WrongOutcome."""
        self._queued += jobs
        self._ask("queue", jobs)
        measured = rate(jobs, lambda: self._ask("drain"))
        done = self._ask("count")
        if done != self._queued:
            raise WrongOutcome(f"{done} jobs are done where {self._queued} were queued")
        return measured

    def settings(self) -> str:
        """Return the durable settings of its connections."""
        return str(self._ask("settings"))

    def _ask(self, word: str, jobs: int = 0) -> object:
        self._pipe.send((word, jobs))
        return self._pipe.recv()


@contextmanager
def worker_process(make: Callable[[str], Drainer], database: str, preloaded: str) -> Iterator[WorkerProcess]:
    """Give a process that drains what `make` makes of `database`.

    It is forked from one that has loaded the module `preloaded` and opened nothing.
    """
    context = get_context("forkserver")
    context.set_forkserver_preload([preloaded])
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, make, database), daemon=True)
    process.start()
    theirs.close()  # so that a worker that dies is noticed
    try:
        yield WorkerProcess(ours)
    finally:
        ours.close()
        process.join(timeout=10)


def _work(pipe: Connection, make: Callable[[str], Drainer], database: str) -> None:
    with closing(make(database)) as drainer, suppress(EOFError, ConnectionError):  # the other end fails by itself
        pipe.send("ready")
        while True:
            word, jobs = pipe.recv()
            pipe.send(_answer(drainer, word, jobs))


def _answer(drainer: Drainer, word: str, jobs: int) -> object:
    match word:
        case "queue":
            drainer.queue(jobs)
            gc.collect()
        case "drain":
            drainer.drain()
        case "count":
            return drainer.count_done()
        case "settings":
            return read_back(drainer.database)
    return None
