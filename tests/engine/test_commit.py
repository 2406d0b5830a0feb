"""Group commit: who commits for whom, in which order, and that nobody waits for ever."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pachyderm_cli.engine.commit import LARGEST_GROUP, GroupCommit
from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.failures import ConnectionLost
from pachyderm_cli.store.records import Append, Outcome
from tests.support.appends import an_append, an_entity
from tests.support.commits import SECONDS, Database, Senders, all_appended, assert_at_rest, some_appends


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


@pytest.mark.parametrize("number", [2, 7])
def test_the_members_of_a_group_wake_one_another_in_their_order(
    commits: GroupCommit, database: Database, senders: Senders, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Who committed wakes the next, that one the one after it, and the last wakes who commits for the queue."""
    passed_on: list[Append] = []
    original = GroupCommit._pass_on

    def pass_on(self: GroupCommit, own: Any) -> None:
        assert own.has_turn
        passed_on.append(own.append)
        original(self, own)

    monkeypatch.setattr(GroupCommit, "_pass_on", pass_on)
    first, *group = some_appends(number + 1)
    behind = some_appends(2)
    futures = [senders.begin(first)]
    database.wait_for_a_group()
    futures += [senders.queue(each) for each in group]
    database.answer()
    assert database.wait_for_a_group() == group
    futures += [senders.queue(each) for each in behind]
    database.answer()
    assert database.wait_for_a_group() == behind
    assert passed_on == [first, *group]
    database.answer()
    assert [each.result(SECONDS) for each in futures] == [Outcome.APPENDED] * (number + 3)
    assert passed_on == [first, *group, *behind]
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


def test_who_comes_while_a_group_is_woken_waits_for_its_turn(
    commits: GroupCommit, database: Database, senders: Senders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No commit begins before the group's last thread is awake, and then it begins at once."""
    first, *group = some_appends(4)
    behind = an_append(an_entity())
    reached, held = threading.Event(), threading.Event()
    original = GroupCommit._pass_on

    def pass_on(self: GroupCommit, own: Any) -> None:
        if own.append is group[1]:
            reached.set()
            assert held.wait(SECONDS)
        original(self, own)

    monkeypatch.setattr(GroupCommit, "_pass_on", pass_on)
    futures = [senders.begin(first)]
    database.wait_for_a_group()
    futures += [senders.queue(each) for each in group]
    database.answer()
    database.answer()
    assert reached.wait(SECONDS)
    assert futures[1].result(SECONDS) is Outcome.APPENDED
    futures.append(senders.queue(behind))
    assert database.groups == [[first], group]
    assert not futures[3].done()
    held.set()
    database.answer()
    assert [each.result(SECONDS) for each in futures] == [Outcome.APPENDED] * 5
    assert database.groups == [[first], group, [behind]]
    assert_at_rest(commits)
