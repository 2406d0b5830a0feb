"""Interrupted group commits: whoever is interrupted, and wherever, nobody else waits for ever."""

import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import FrameType
from typing import Any

import pytest

from pachyderm_cli.engine import commit as commit_module
from pachyderm_cli.engine.commit import GroupCommit
from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.failures import ConnectionLost
from pachyderm_cli.store.records import Append, Outcome
from tests.support.appends import an_append, an_entity
from tests.support.commits import (
    SECONDS,
    Database,
    Interrupted,
    Senders,
    all_appended,
    assert_at_rest,
    interruptible,
    some_appends,
    wait_until,
)


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


@pytest.mark.parametrize("place", [1, 2, 3, 4])
@pytest.mark.parametrize("is_awaited", [False, True])
def test_a_wait_that_is_interrupted_during_its_commit_hurts_nobody(
    commits: GroupCommit, database: Database, senders: Senders, *, place: int, is_awaited: bool
) -> None:
    """A member of a group that another thread commits may leave; it is written, and left out when they are woken.

    So it is next to the one that commits, in the middle and at the end, whether others wait behind the group or not.
    """
    first, *group = some_appends(6)
    behind = an_append(an_entity())
    futures = [senders.begin(first)]
    database.wait_for_a_group()
    futures += [senders.queue(each) for each in group[:place]]

    def interrupt_it() -> None:
        wait_until(lambda: len(commits._queue) == place + 1)
        futures.extend(senders.queue(each) for each in group[place + 1 :])
        database.answer()
        assert database.wait_for_a_group() == group
        if is_awaited:
            futures.append(senders.queue(behind))
        interrupt()

    with interruptible() as interrupt, ThreadPoolExecutor(1) as pool:
        interrupting = pool.submit(interrupt_it)
        with pytest.raises(Interrupted):
            commits.append(group[place])
        interrupting.result(SECONDS)
    database.answer()
    if is_awaited:
        assert database.wait_for_a_group() == [behind]
        database.answer()
    assert [each.result(SECONDS) for each in futures] == [Outcome.APPENDED] * (5 + is_awaited)
    assert_at_rest(commits)


def test_a_turn_that_came_to_an_interrupted_thread_is_handed_on(
    commits: GroupCommit, database: Database, senders: Senders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that is interrupted just as it is to commit for others lets the next of them do so."""
    first, leading, *led = some_appends(4)
    original = GroupCommit._take_group

    def take_group(self: GroupCommit) -> None:
        if self._queue[0].append is leading:
            raise KeyboardInterrupt
        original(self)

    monkeypatch.setattr(GroupCommit, "_take_group", take_group)
    begun = senders.begin(first)
    database.wait_for_a_group()
    leader, *others = [senders.queue(each) for each in (leading, *led)]
    database.answer()
    assert isinstance(leader.exception(SECONDS), KeyboardInterrupt)
    assert database.wait_for_a_group() == led
    database.answer()
    assert [each.result(SECONDS) for each in (begun, *others)] == [Outcome.APPENDED] * 3
    assert_at_rest(commits)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_thread_that_is_interrupted_before_it_wakes_the_next_wakes_it_all_the_same(
    commits: GroupCommit, database: Database, senders: Senders, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    """Between the commit and passing on the turn, whoever has it; the others are told that they are written."""
    first, *group = some_appends(4)
    behind = an_append(an_entity())
    interruptions = [KeyboardInterrupt()]
    original = GroupCommit._pass_on

    def pass_on(self: GroupCommit, own: Any) -> None:
        if own.append is group[place] and interruptions:
            raise interruptions.pop()
        original(self, own)

    monkeypatch.setattr(GroupCommit, "_pass_on", pass_on)
    begun = senders.begin(first)
    database.wait_for_a_group()
    futures = [senders.queue(each) for each in group]
    database.answer()
    database.wait_for_a_group()
    others = [begun, *futures[:place], *futures[place + 1 :], senders.queue(behind)]
    database.answer()
    assert isinstance(futures[place].exception(SECONDS), KeyboardInterrupt)
    database.answer()
    assert [each.result(SECONDS) for each in others] == [Outcome.APPENDED] * 4
    assert database.groups == [[first], group, [behind]]
    assert_at_rest(commits)


class Interruption:
    """Interrupts the thread that it is switched on in, once, after so many calls in the module under test."""

    def __init__(self, after: int) -> None:
        self._left = after
        self.came = False

    def look(self, frame: FrameType, event: str, _argument: object) -> None:
        """Serve as the thread's profiler: a signal's handler, too, runs after calls."""
        if event == "c_call" or frame.f_code.co_filename != commit_module.__file__:
            return
        if self._left == 0:
            self.came = True
            raise Interrupted
        self._left -= 1


def came_through(place: int, interruption: Interruption) -> bool:
    """Commit for one thread, and five that wait, the one in this place interrupted; return whether it was.

    Every other thread has to be told what became of its append.
    """
    begun, others_wait = threading.Event(), threading.Event()

    def write(group: Sequence[Append]) -> list[Outcome | StoreError]:
        if not begun.is_set():
            begun.set()
            assert others_wait.wait(SECONDS)
        return all_appended(group)

    commits = GroupCommit(write)

    def interrupted(append: Append) -> Outcome:
        sys.setprofile(interruption.look)
        try:
            return commits.append(append)
        finally:
            sys.setprofile(None)

    futures: list[Future[Outcome]] = []

    def under_way() -> int:
        return sum(not each.done() for each in futures)

    with ThreadPoolExecutor(6) as pool:
        for index, append in enumerate(some_appends(6)):
            future = pool.submit(interrupted if index == place else commits.append, append)
            futures.append(future)
            # The lambda is done with before the next turn of the loop.
            wait_until(lambda: future.done() or (begun.is_set() and len(commits._queue) == under_way() - 1))  # noqa: B023
        others_wait.set()
        for index, future in enumerate(futures):
            error = future.exception(SECONDS)
            assert error is None or isinstance(error, Interrupted if index == place else ConnectionLost)
    assert_at_rest(commits)
    return interruption.came


@pytest.mark.parametrize("place", [0, 1, 2, 3, 5])
def test_an_interruption_after_any_call_hurts_nobody(place: int) -> None:
    """Alone, committing for others, or waiting for them: wherever a thread is interrupted, the others are answered."""
    after = 0
    while came_through(place, Interruption(after)):
        after += 1
    assert after > 10
