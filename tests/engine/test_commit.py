"""Group commit: who commits for whom, in which order, and that nobody waits for ever."""

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from pachyderm_cli.engine.commit import LARGEST_GROUP, GroupCommit
from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.failures import ConnectionLost
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


@pytest.fixture
def database() -> Database:
    """Return what the appends are written to."""
    return Database()


@pytest.fixture
def commits(database: Database) -> GroupCommit:
    """Return the group commit of that database."""
    return GroupCommit(database.write)


@pytest.fixture
def senders(commits: GroupCommit) -> Iterator[Senders]:
    """Return threads enough for the largest group and more."""
    with ThreadPoolExecutor(LARGEST_GROUP + 20) as pool:
        yield Senders(commits, pool)


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


def test_a_lone_append_is_written_at_once_and_alone() -> None:
    """It waits for no other thread: the caller's own thread writes it, each time."""
    written: list[tuple[int, list[Append]]] = []

    def write(group: Sequence[Append]) -> list[Outcome | StoreError]:
        written.append((threading.get_ident(), list(group)))
        return all_appended(group)

    commits = GroupCommit(write)
    appends = some_appends(3)
    assert [commits.append(each) for each in appends] == [Outcome.APPENDED] * 3
    assert written == [(threading.get_ident(), [each]) for each in appends]


def test_those_who_come_during_a_commit_share_the_next(
    commits: GroupCommit, database: Database, senders: Senders
) -> None:
    """They are written together, in the order in which they came, when the one under way is done."""
    first, *later = some_appends(6)
    futures = [senders.begin(first)]
    assert database.wait_for_a_group() == [first]
    futures += [senders.queue(each) for each in later]
    assert len(database.groups) == 1
    database.answer()
    assert database.wait_for_a_group() == later
    database.answer()
    assert [each.result(SECONDS) for each in futures] == [Outcome.APPENDED] * 6
    assert database.groups == [[first], later]
    assert_at_rest(commits)


def test_a_group_has_a_largest_size(commits: GroupCommit, database: Database, senders: Senders) -> None:
    """What does not fit waits for the commit after, first come first served."""
    first, *later = some_appends(LARGEST_GROUP + 11)
    futures = [senders.begin(first)]
    database.wait_for_a_group()
    futures += [senders.queue(each) for each in later]
    for _ in range(3):
        database.answer()
    assert [each.result(SECONDS) for each in futures] == [Outcome.APPENDED] * len(futures)
    assert database.groups == [[first], later[:LARGEST_GROUP], later[LARGEST_GROUP:]]
    assert_at_rest(commits)


def test_the_turn_is_handed_on(commits: GroupCommit, database: Database, senders: Senders) -> None:
    """Those who come while a shared commit is under way share the one after it, and so on."""
    appends = some_appends(10)
    futures = [senders.begin(appends[0])]
    database.wait_for_a_group()
    for pair in (appends[1:4], appends[4:7], appends[7:10]):
        futures += [senders.queue(each) for each in pair]
        database.answer()
        assert database.wait_for_a_group() == pair
    database.answer()
    assert [each.result(SECONDS) for each in futures] == [Outcome.APPENDED] * 10
    assert_at_rest(commits)


def test_the_acknowledged_need_not_wait_for_those_behind(
    commits: GroupCommit, database: Database, senders: Senders
) -> None:
    """Whoever committed is answered when that is done, though the next commit is still under way."""
    first, second = some_appends(2)
    begun = senders.begin(first)
    database.wait_for_a_group()
    queued = senders.queue(second)
    database.answer()
    database.wait_for_a_group()
    assert begun.result(SECONDS) is Outcome.APPENDED
    assert not queued.done()
    database.answer()
    assert queued.result(SECONDS) is Outcome.APPENDED
    assert_at_rest(commits)


def test_an_outcome_goes_to_its_own_append(commits: GroupCommit, database: Database, senders: Senders) -> None:
    """Each thread is told what became of its append, and an error of one is raised for that one alone."""
    first, *later = some_appends(5)
    senders.begin(first)
    database.wait_for_a_group()
    futures = [senders.queue(each) for each in later]
    refused = StoreError("refused")
    database.answer()
    database.wait_for_a_group()
    database.answer(lambda _: [Outcome.CONFLICT, refused, Outcome.APPENDED, Outcome.MESSAGE_ID_USED])
    assert futures[1].exception(SECONDS) is refused
    told = [futures[at].result(SECONDS) for at in (0, 2, 3)]
    assert told == [Outcome.CONFLICT, Outcome.APPENDED, Outcome.MESSAGE_ID_USED]
    assert_at_rest(commits)


@pytest.mark.parametrize("error", [StoreError("the disk is full"), ConnectionLost("gone"), RuntimeError("a fault")])
def test_a_failing_commit_is_told_to_all_of_its_group(
    commits: GroupCommit, database: Database, senders: Senders, error: Exception
) -> None:
    """Every member is told, and nobody else: the group before it and the one after it work."""

    def fail(_: Sequence[Append]) -> list[Outcome | StoreError]:
        raise error

    before, *group, after = some_appends(5)
    first = senders.begin(before)
    database.wait_for_a_group()
    failing = [senders.queue(each) for each in group]
    database.answer()
    database.wait_for_a_group()
    last = senders.queue(after)
    database.answer(fail)
    assert [each.exception(SECONDS) for each in failing] == [error] * 3
    assert database.wait_for_a_group() == [after]
    database.answer()
    assert [first.result(SECONDS), last.result(SECONDS)] == [Outcome.APPENDED] * 2
    assert_at_rest(commits)


def test_a_lone_append_that_fails_leaves_no_trace(commits: GroupCommit, database: Database) -> None:
    """The error is raised, and the next append is written as if nothing had been."""

    def fail(_: Sequence[Append]) -> list[Outcome | StoreError]:
        raise StoreError("the disk is full")

    database.answer(fail)
    with pytest.raises(StoreError, match="disk is full"):
        commits.append(an_append(an_entity()))
    assert_at_rest(commits)


def test_too_few_outcomes_leave_nobody_waiting(commits: GroupCommit, database: Database, senders: Senders) -> None:
    """A `write` that breaks its contract is an error for its whole group, not an endless wait for some."""
    first, *later = some_appends(4)
    senders.begin(first)
    database.wait_for_a_group()
    futures = [senders.queue(each) for each in later]
    database.answer()
    database.wait_for_a_group()
    database.answer(lambda group: all_appended(group[:-1]))
    assert [type(each.exception(SECONDS)) for each in futures] == [ValueError] * 3
    assert_at_rest(commits)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_an_interrupted_commit_leaves_nobody_waiting(
    commits: GroupCommit, database: Database, senders: Senders, interruption: type[BaseException]
) -> None:
    """The thread that was committing is interrupted; its group does not know the outcome, the next is written."""

    def interrupt(_: Sequence[Append]) -> list[Outcome | StoreError]:
        raise interruption

    first, leading, *led, behind = some_appends(5)
    begun = senders.begin(first)
    database.wait_for_a_group()
    leader, *others = [senders.queue(each) for each in (leading, *led)]
    database.answer()
    assert database.wait_for_a_group() == [leading, *led]
    last = senders.queue(behind)
    database.answer(interrupt)
    assert isinstance(leader.exception(SECONDS), interruption)
    assert [type(each.exception(SECONDS)) for each in others] == [ConnectionLost] * 2
    assert database.wait_for_a_group() == [behind]
    database.answer()
    assert [begun.result(SECONDS), last.result(SECONDS)] == [Outcome.APPENDED] * 2
    assert_at_rest(commits)


def test_a_lone_append_that_is_interrupted_leaves_no_trace(commits: GroupCommit, database: Database) -> None:
    """Ctrl-C during a commit comes through as it is, and the next append is written."""

    def interrupt(_: Sequence[Append]) -> list[Outcome | StoreError]:
        raise KeyboardInterrupt

    database.answer(interrupt)
    with pytest.raises(KeyboardInterrupt):
        commits.append(an_append(an_entity()))
    assert_at_rest(commits)


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


def test_an_interrupted_wait_takes_its_append_out_of_the_queue(
    commits: GroupCommit, database: Database, senders: Senders
) -> None:
    """A thread that gives up while it waits is not written, and those before and behind it are."""
    first, given_up, behind = some_appends(3)
    begun = senders.begin(first)
    database.wait_for_a_group()
    futures: list[Future[Outcome]] = []

    def interrupt_it() -> None:
        wait_until(lambda: len(commits._queue) == 1)
        futures.append(senders.queue(behind))
        interrupt()

    with interruptible() as interrupt, ThreadPoolExecutor(1) as pool:
        interrupting = pool.submit(interrupt_it)
        with pytest.raises(Interrupted):
            commits.append(given_up)
        interrupting.result(SECONDS)
    database.answer()
    assert database.wait_for_a_group() == [behind]
    database.answer()
    assert [begun.result(SECONDS), futures[0].result(SECONDS)] == [Outcome.APPENDED] * 2
    assert_at_rest(commits)


def test_a_wait_that_is_interrupted_during_its_commit_hurts_nobody(
    commits: GroupCommit, database: Database, senders: Senders
) -> None:
    """A member of a group that another thread commits may leave; the group is written, and the turn handed on."""
    first, leading, leaving, behind = some_appends(4)
    begun = senders.begin(first)
    database.wait_for_a_group()
    leader = senders.queue(leading)
    futures: list[Future[Outcome]] = []

    def interrupt_it() -> None:
        wait_until(lambda: len(commits._queue) == 2)
        database.answer()
        assert database.wait_for_a_group() == [leading, leaving]
        futures.append(senders.queue(behind))
        interrupt()

    with interruptible() as interrupt, ThreadPoolExecutor(1) as pool:
        interrupting = pool.submit(interrupt_it)
        with pytest.raises(Interrupted):
            commits.append(leaving)
        interrupting.result(SECONDS)
    database.answer()
    assert database.wait_for_a_group() == [behind]
    database.answer()
    assert [each.result(SECONDS) for each in (begun, leader, *futures)] == [Outcome.APPENDED] * 3
    assert_at_rest(commits)


def test_a_turn_that_came_to_an_interrupted_thread_is_handed_on(
    commits: GroupCommit, database: Database, senders: Senders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that is interrupted just as it is to commit for others lets the next of them do so."""
    first, leading, *led = some_appends(4)
    original = GroupCommit._commit_group

    def commit_group(self: GroupCommit, own: Any) -> None:
        if own.append is leading:
            raise KeyboardInterrupt
        original(self, own)

    monkeypatch.setattr(GroupCommit, "_commit_group", commit_group)
    begun = senders.begin(first)
    database.wait_for_a_group()
    leader, *others = [senders.queue(each) for each in (leading, *led)]
    database.answer()
    assert isinstance(leader.exception(SECONDS), KeyboardInterrupt)
    assert database.wait_for_a_group() == led
    database.answer()
    assert [each.result(SECONDS) for each in (begun, *others)] == [Outcome.APPENDED] * 3
    assert_at_rest(commits)


def test_many_threads_are_all_answered() -> None:
    """Whatever the timing, each append is written exactly once, by one writer at a time, and told its outcome."""
    writing = threading.Lock()
    written: list[Append] = []
    outcomes = list(Outcome)

    def outcome(append: Append) -> Outcome:
        return outcomes[append.message_id.int % len(outcomes)]

    def write(group: Sequence[Append]) -> list[Outcome | StoreError]:
        assert writing.acquire(blocking=False)
        try:
            assert 1 <= len(group) <= LARGEST_GROUP
            written.extend(group)
            return [outcome(each) for each in group]
        finally:
            writing.release()

    commits = GroupCommit(write)
    together = threading.Barrier(32, timeout=SECONDS)

    def work(_: int) -> list[Append]:
        together.wait()
        appends = some_appends(50)
        for each in appends:
            assert commits.append(each) is outcome(each)
        return appends

    with ThreadPoolExecutor(32) as pool:
        asked = [each for appends in pool.map(work, range(32)) for each in appends]
    assert sorted(each.message_id for each in written) == sorted(each.message_id for each in asked)
    assert_at_rest(commits)
