"""Marking effects done by the next append: early enough for all who look, never lost without the process."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from pachyderm_cli.errors import StoreError
from pachyderm_cli.store import acknowledgements, outbox
from pachyderm_cli.store.append import append
from pachyderm_cli.store.records import EffectStatus, Held, NewSnapshot, Outcome
from pachyderm_cli.store.store import Store
from tests.support.appends import an_append, an_entity, versions
from tests.support.effects import NETWORK, a_lease, an_effect, claim, one, queue, set_time
from tests.support.raw import connected, execute

PAST = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing but an append or a reader have marks written."""
    monkeypatch.setattr(acknowledgements, "_TICK", 3600)


def carried_out(store: Store, count: int = 1) -> list[Held]:
    """Queue effects under leases of this process, as if they had been carried out just now."""
    held = []
    for _ in range(count):
        lease = a_lease()
        effect = an_effect(lease=lease)
        queue(store, effect)
        held.append(Held(effect.id, lease))
    for each in held:
        outbox.acknowledge(store, NETWORK, each)
    return held


def statuses(store_url: str, held: list[Held]) -> list[str]:
    """Return the statuses of the effects as another process sees them."""
    other = Store(store_url)
    found = [str(one(other, each.id).status) for each in held]
    other.close()
    return found


def test_the_next_append_marks_them(store: Store, store_url: str, patient: None) -> None:
    """One effect or several; until then other processes see them pending."""
    for count in (1, 3):
        held = carried_out(store, count)
        assert statuses(store_url, held) == ["pending"] * count
        assert append(store, NETWORK, [an_append(an_entity())]) == [Outcome.APPENDED]
        assert statuses(store_url, held) == ["done"] * count


@pytest.mark.parametrize(
    "more",
    [
        lambda: {"outbox": (an_effect(), an_effect(1, lease=a_lease()))},
        lambda: {"cancels": ("t",)},
        lambda: {"snapshot": NewSnapshot(1, "f", "{}")},
        lambda: {"lookup": NewSnapshot(1, "f", "{}")},
    ],
    ids=["effects", "timers", "snapshot", "lookup"],
)
@pytest.mark.parametrize("count", [1, 2])
def test_any_append_takes_them_along(
    store: Store, store_url: str, patient: None, more: Callable[[], dict[str, Any]], count: int
) -> None:
    """Whatever else it writes, to a new entity and to one that is there."""
    entity = an_entity()
    for version in (0, 1):
        held = carried_out(store, count)
        assert append(store, NETWORK, [an_append(entity, version, **more())]) == [Outcome.APPENDED]
        assert statuses(store_url, held) == ["done"] * count
    assert versions(store, NETWORK, entity) == [1, 2]


def test_a_group_of_appends_takes_them_along(store: Store, store_url: str, patient: None) -> None:
    """Each append gets its own outcome, in its place."""
    there = an_entity()
    append(store, NETWORK, [an_append(there)])
    held = carried_out(store, 2)
    appends = [an_append(there, 1), an_append(there), an_append(an_entity())]
    assert append(store, NETWORK, appends) == [Outcome.APPENDED, Outcome.CONFLICT, Outcome.APPENDED]
    assert statuses(store_url, held) == ["done"] * 2


def test_an_append_that_comes_too_late_marks_them_all_the_same(store: Store, store_url: str, patient: None) -> None:
    """What they are done with has nothing to do with what the append says."""
    held = carried_out(store)
    assert append(store, NETWORK, [an_append(an_entity(), 7)]) == [Outcome.CONFLICT]
    assert statuses(store_url, held) == ["done"]


def test_an_append_that_fails_leaves_them_to_the_next(store: Store, store_url: str, patient: None) -> None:
    """A message id that is used already rolls everything back."""
    message_id = uuid4()
    append(store, NETWORK, [an_append(an_entity(), message_id=message_id)])
    held = carried_out(store)
    assert append(store, NETWORK, [an_append(an_entity(), message_id=message_id)]) == [Outcome.MESSAGE_ID_USED]
    assert statuses(store_url, held) == ["pending"]
    append(store, NETWORK, [an_append(an_entity())])
    assert statuses(store_url, held) == ["done"]


def test_without_an_append_they_are_marked_soon(store: Store, store_url: str) -> None:
    """By a thread of the store's own, which starts again after it was stopped."""
    for _ in range(2):
        held = carried_out(store, 3)
        while "pending" in (found := statuses(store_url, held)):  # the test's own timeout ends it
            pass
        assert found == ["done"] * 3
        store.close()


def test_the_thread_ends_when_nothing_comes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a store that nobody closes is not held for ever."""
    monkeypatch.setattr(acknowledgements, "_TICK", 0.001)
    carried_out(store)
    while any(each.name == "pachyderm-acknowledgements" for each in threading.enumerate()):
        pass
    [held] = carried_out(store)
    store.acknowledgements.flush()
    assert one(store, held.id).status is EffectStatus.DONE


@pytest.mark.parametrize(
    "look",
    [
        lambda store, held, _: [one(store, held.id).status],
        lambda store, _, entity: [each.status for each in outbox.effects_of_entity(store, NETWORK, entity.id)],
        lambda store, *_: [
            each.status for each in outbox.effects_with_status(store, NETWORK, EffectStatus.PENDING) if each.attempts
        ],
        lambda store, held, _: [] if not outbox.discard(store, NETWORK, held.id, "no") else ["discarded"],
    ],
    ids=["by id", "of an entity", "by status", "discard"],
)
def test_whoever_looks_by_the_same_store_finds_them_done(
    store: Store, patient: None, look: Callable[..., list[str]]
) -> None:
    """As if they had been marked at once."""
    lease, entity = a_lease(), an_entity()
    effect = an_effect(lease=lease)
    queue(store, effect, entity=entity)
    held = Held(effect.id, lease)
    outbox.acknowledge(store, NETWORK, held)
    assert set(look(store, held, entity)) <= {EffectStatus.DONE}
    assert one(store, effect.id).status is EffectStatus.DONE


def test_whoever_looks_while_an_append_takes_them_along_finds_them_done(store: Store, patient: None) -> None:
    """Another thread's append may have them, and not be through."""
    held = carried_out(store, 2)
    with store.acknowledgements.taken() as taken:
        assert [each.held for each in taken] == held
        assert [one(store, each.id).status for each in held] == ["done"] * 2


def test_closing_writes_them(store: Store, store_url: str, patient: None) -> None:
    """And a store that is closed may be used again."""
    held = carried_out(store, 2)
    store.close()
    assert statuses(store_url, held) == ["done"] * 2
    assert append(store, NETWORK, [an_append(an_entity())]) == [Outcome.APPENDED]


def test_one_whose_lease_was_lost_is_not_marked(store: Store, store_url: str, patient: None) -> None:
    """Who has claimed it since says what becomes of it; its neighbour is marked."""
    lost, kept = carried_out(store, 2)
    set_time(store_url, lost.id, PAST)
    other = Store(store_url)
    assert [each.id for each in claim(other)] == [lost.id]
    append(store, NETWORK, [an_append(an_entity())])
    assert statuses(store_url, [lost, kept]) == ["pending", "done"]
    other.close()


def test_a_store_that_cannot_be_written_keeps_them_and_says_so(
    store: Store, patient: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither reading nor closing fails over it: they are run again when their leases run out."""
    [held] = carried_out(store)

    def fail(*_: object, **__: object) -> None:
        raise StoreError("out of order")

    with monkeypatch.context() as broken:
        broken.setattr(store, "write", fail)
        assert one(store, held.id).status is EffectStatus.PENDING
        store.close()
    assert caplog.messages == ["effects that were carried out are not marked done yet: out of order"]
    assert one(store, held.id).status is EffectStatus.DONE


def test_an_append_that_takes_its_time_does_not_keep_them_from_being_marked(store: Store, store_url: str) -> None:
    """It may wait for another's lock longer than their leases last; the thread goes on."""
    held = carried_out(store, 2)
    with store.acknowledgements.taken():
        while "pending" in (found := statuses(store_url, held)):  # the test's own timeout ends it
            pass
        assert found == ["done"] * 2


def test_those_of_an_append_that_was_interrupted_are_marked(store: Store, store_url: str, patient: None) -> None:
    """Whatever it had begun to do with them."""
    held = carried_out(store, 2)
    store.acknowledgements.taken().__enter__()
    assert append(store, NETWORK, [an_append(an_entity())]) == [Outcome.APPENDED]
    store.close()
    assert statuses(store_url, held) == ["done"] * 2


@pytest.mark.parametrize("error", [RuntimeError("can't start new thread"), KeyboardInterrupt()])
def test_where_no_thread_is_to_be_had_the_next_append_marks_them(
    store: Store, store_url: str, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """And closing does; one that comes later may have a thread again."""

    def fail(_: threading.Thread) -> None:
        raise error

    with monkeypatch.context() as broken, suppress(KeyboardInterrupt):
        broken.setattr(threading.Thread, "start", fail)
        carried_out(store)
    append(store, NETWORK, [an_append(an_entity())])
    held = carried_out(store)
    store.close()
    assert statuses(store_url, held) == ["done"]
    assert [each.status for each in outbox.effects_with_status(store, NETWORK, EffectStatus.PENDING)] == []


@pytest.mark.postgres
def test_a_lost_connection_keeps_nobody_from_reading_or_closing(postgres_url: str, patient: None) -> None:
    """What is idle may be cut by a failover; the marks are written on a fresh connection."""
    for look in (lambda store, held: one(store, held.id).status, lambda store, _: store.close()):
        store = Store(postgres_url)
        [held] = carried_out(store)
        cut = text("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        execute(postgres_url, text(f"{cut} AND datname = current_database()"))
        look(store, held)
        assert statuses(postgres_url, [held]) == ["done"]
        store.close()


def test_readers_do_not_wait_for_a_writer(sqlite_url: str, patient: None) -> None:
    """While another process writes to the SQLite file, they see what is there."""
    store = Store(sqlite_url)
    [held] = carried_out(store)
    with connected(sqlite_url) as other:
        other.exec_driver_sql("BEGIN IMMEDIATE")
        assert one(store, held.id).status is EffectStatus.PENDING
        assert outbox.next_due(store, NETWORK) is not None
    assert one(store, held.id).status is EffectStatus.DONE
    assert outbox.next_due(store, NETWORK) is None
    store.close()


def in_a_program(store: Store, store_url: str, rest: str) -> tuple[int, str, str]:
    """Acknowledge an effect in a process of its own, run the `rest` of its script there; return how it ended.

    That is: its exit status, what it printed, and what became of the effect.
    """
    lease = a_lease()
    effect = an_effect(lease=lease)
    queue(store, effect)
    script = f"""
import os
from uuid import UUID
from pachyderm_cli.store import acknowledgements, outbox
from pachyderm_cli.store.records import Held, Lease
from pachyderm_cli.store.store import Store
acknowledgements._TICK = 3600
store = Store({store_url!r})
held = Held(UUID({str(effect.id)!r}), Lease(UUID({str(lease.token)!r}), 30))
outbox.acknowledge(store, {NETWORK!r}, held)
{rest}
"""
    ended = subprocess.run([sys.executable, "-c", script], check=False, timeout=60, capture_output=True, text=True)
    return ended.returncode, ended.stdout, one(store, effect.id).status


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_leaves_its_parents_alone(store: Store, store_url: str) -> None:
    """It has none of its own, and its parent's are its parent's to write."""
    fork = f"""
child = os.fork()
if not child:
    store.close()
    os._exit(0)
os.waitpid(child, 0)
other = Store({store_url!r})
print(outbox.effects_between(other, {NETWORK!r}, held.id, held.id, 1)[0].status)
"""
    assert in_a_program(store, store_url, fork) == (0, "pending\n", EffectStatus.DONE)


def test_a_program_that_closes_nothing_has_them_written(store: Store, store_url: str) -> None:
    """When it ends by itself, also by an exception."""
    assert in_a_program(store, store_url, "raise SystemExit(5)") == (5, "", EffectStatus.DONE)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_process_of_multiprocessing_has_them_written(store: Store, store_url: str) -> None:
    """It ends without what `atexit` has."""
    lease = a_lease()
    effect = an_effect(lease=lease)
    queue(store, effect)
    in_child = f"""
import multiprocessing
def work():
    held = Held(UUID({str(effect.id)!r}), Lease(UUID({str(lease.token)!r}), 30))
    outbox.acknowledge(Store({store_url!r}), {NETWORK!r}, held)
child = multiprocessing.get_context("fork").Process(target=work)
child.start()
child.join()
print(child.exitcode)
"""
    assert in_a_program(store, store_url, in_child) == (0, "0\n", EffectStatus.DONE)
    assert one(store, effect.id).status is EffectStatus.DONE


def test_a_process_that_is_killed_leaves_them_to_whoever_claims_them_next(store: Store, store_url: str) -> None:
    """At least once means that it may have been carried out already."""
    assert in_a_program(store, store_url, "os._exit(9)") == (9, "", EffectStatus.PENDING)
