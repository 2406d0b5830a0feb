"""Group commits for tests: a database that answers when told to, and threads that queue up in a known order."""

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from pachyderm_cli.engine.commit import GroupCommit
from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.records import Append, Outcome
from tests.support.appends import an_append, an_entity

SECONDS = 60
Answer = Callable[[Sequence[Append]], list[Outcome | StoreError]]


def all_appended(group: Sequence[Append]) -> list[Outcome | StoreError]:
    """Answer as a database that takes everything."""
    return [Outcome.APPENDED for _ in group]


class Database:
    """A `write` that keeps each group until it is told what to answer."""

    def __init__(self) -> None:
        self.groups: list[list[Append]] = []
        self._begun = threading.Semaphore(0)
        self._answers: list[Answer] = []
        self._answered = threading.Semaphore(0)

    def write(self, group: Sequence[Append]) -> list[Outcome | StoreError]:
        """Note the group, and answer when told to."""
        self.groups.append(list(group))
        self._begun.release()
        assert self._answered.acquire(timeout=SECONDS)
        return self._answers.pop(0)(group)

    def wait_for_a_group(self) -> list[Append]:
        """Return the next group, once its commit has begun."""
        assert self._begun.acquire(timeout=SECONDS)
        return self.groups[-1]

    def answer(self, answer: Answer = all_appended) -> None:
        """Let the commit that is under way, or the next, end so."""
        self._answers.append(answer)
        self._answered.release()


class Senders:
    """Threads that append, and are known to be in the queue in the order in which they were started."""

    def __init__(self, commits: GroupCommit, pool: ThreadPoolExecutor) -> None:
        self._commits = commits
        self._pool = pool

    def begin(self, append: Append) -> Future[Outcome]:
        """Start an append that finds nobody committing."""
        return self._pool.submit(self._commits.append, append)

    def queue(self, append: Append) -> Future[Outcome]:
        """Start an append behind a commit that is under way, and return when it waits."""
        before = len(self._commits._queue)
        future = self._pool.submit(self._commits.append, append)
        wait_until(lambda: len(self._commits._queue) == before + 1)
        return future


def wait_until(true: Callable[[], bool]) -> None:
    """Return once it is so."""
    tick = threading.Event()
    for _ in range(SECONDS * 1000):
        if true():
            return
        tick.wait(0.001)
    raise AssertionError("it never came to that")


def some_appends(number: int) -> list[Append]:
    """Return so many appends, each to an entity of its own."""
    return [an_append(an_entity()) for _ in range(number)]


def assert_at_rest(commits: GroupCommit) -> None:
    """Nobody waits, nobody has the turn, and an append is written at once by the thread that brings it."""
    assert not commits._queue
    assert not commits._committing
    written: list[int] = []

    def write(group: Sequence[Append]) -> list[Outcome | StoreError]:
        written.append(threading.get_ident())
        return all_appended(group)

    commits._write = write
    assert commits.append(an_append(an_entity())) is Outcome.APPENDED
    assert written == [threading.get_ident()]


class Interrupted(BaseException):
    """What the signal raises in the main thread: no Ctrl-C, which would end the tests if it came too late."""


@contextmanager
def interruptible() -> Iterator[Callable[[], None]]:
    """Give a function that interrupts the main thread, as Ctrl-C would, whatever it waits for."""
    main = threading.main_thread().ident
    assert main is not None

    def raise_it(_number: int, _frame: Any) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGUSR1, raise_it)
    try:
        yield lambda: signal.pthread_kill(main, signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)
