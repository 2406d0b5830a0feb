"""The worker: it claims what is due, several at a time, holds up nothing behind a slow one, and ends when told to."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pachyderm_cli import Pachyderm
from pachyderm_cli.engine import worker as worker_module
from pachyderm_cli.engine.relay import Relay
from pachyderm_cli.engine.results import Worked
from pachyderm_cli.errors import StoreError, UsageError
from pachyderm_cli.store import outbox
from tests.support.commits import wait_until
from tests.support.courier import Do, Pass, Post, Remind, Tell
from tests.support.modules import COUNTER, write
from tests.support.office import Office, log, raising

SECONDS = 60


@pytest.fixture
def office(store_url: str) -> Iterator[Office]:
    """Return a store for couriers, on each database."""
    with Office(store_url) as opened:
        yield opened


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Return threads for workers that go on."""
    with ThreadPoolExecutor(4) as threads:
        yield threads


class Gate:
    """An effect that begins and waits; what is told to go on goes on."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.open = threading.Event()

    def __call__(self) -> None:
        """Begin, and wait."""
        self.begun.release()
        assert self.open.wait(SECONDS)


def leave(engine: Pachyderm, *texts: str, to: str = "courier:@a") -> None:
    """Leave effects to workers, in that order."""
    engine.send(to, Do(note="n", orders=tuple(Post(text=text) for text in texts)), effects=False)


def going_on(
    engine: Pachyderm, pool: ThreadPoolExecutor, **options: Any
) -> tuple[Future[list[Worked]], threading.Event]:
    """Start a worker that goes on until the event is set."""
    stop = threading.Event()
    return pool.submit(lambda: list(engine.work(stop=stop, **options))), stop


@pytest.mark.parametrize("concurrency", [0, -1])
def test_a_worker_does_something_at_a_time(office: Office, concurrency: int) -> None:
    """Fewer than one effect at a time is refused before anything is claimed."""
    with pytest.raises(UsageError, match="concurrency is a number of effects from 1"):
        office.open().work(concurrency=concurrency)


@pytest.mark.parametrize("concurrency", [1, 4])
def test_once_ends_when_nothing_more_is_due(office: Office, concurrency: int) -> None:
    """It does what is due, and what becomes due by it; what is due later is left. A store need not be there."""
    engine = office.open()
    assert list(engine.work(once=True, concurrency=concurrency)) == []
    office.world.failing = {"bad"}
    leave(engine, *(str(at) for at in range(300)), "bad")
    onwards = Pass(to="courier:@b", errand=Do(note="m", orders=(Post(text="far"), Tell(text="once"))))
    later = Remind(name="t", errand=Do(note="rung"), after=3600)
    engine.send("courier:@a", Do(note="n", orders=(onwards, later)), effects=False)
    worked = list(engine.work(once=True, concurrency=concurrency))
    assert sorted(each.result.type for each in worked) == ["Posted"] * 302 + ["Send", "Told"]
    assert sorted(office.world.heard) == sorted([*(str(at) for at in range(300)), "bad", "far", "once"])
    assert sorted({row["status"] for row in office.rows()}) == ["done", "pending"]


def test_each_attempt_is_told_of_with_what_came_of_it(office: Office) -> None:
    """Whose effect it was, at which version, which attempt, how long it took; for what is run beside it no time."""
    engine = office.open()
    office.world.failing = {"bad"}
    leave(engine, "good", "bad")
    passing = Pass(to="courier:@b", errand=Do(note="m", orders=(Tell(text="once"),)))
    engine.send("courier:@a", Do(note="n", orders=(passing,)), effects=False)
    a, b = (engine.receiver(f"courier:@{name}") for name in "ab")
    worked = {each.result.type + str(each.result.status): each for each in engine.work(once=True, concurrency=1)}
    assert {kind: (each.entity, each.version, each.attempt) for kind, each in worked.items()} == {
        "Posteddone": (a, 1, 1),
        "Postedpending": (a, 1, 1),
        "Senddone": (a, 2, 1),
        "Tolddone": (b, 1, 1),
    }
    assert str(worked["Postedpending"].result.error).startswith("RuntimeError: bad fails")
    assert worked["Senddone"].result.to == b
    assert worked["Tolddone"].seconds is None
    assert all(each.seconds is not None and each.seconds >= 0 for kind, each in worked.items() if kind != "Tolddone")


def test_as_many_are_carried_out_at_a_time_as_it_was_told(office: Office, pool: ThreadPoolExecutor) -> None:
    """Not one more, however many are claimed."""
    engine, gate = office.open(), Gate()
    texts = [str(at) for at in range(9)]
    office.world.acts = dict.fromkeys(texts, gate)
    leave(engine, *texts)
    done, stop = going_on(engine, pool, concurrency=3)
    for _ in range(3):
        assert gate.begun.acquire(timeout=SECONDS)
    assert not gate.begun.acquire(timeout=0.3)
    assert len(office.world.heard) == 3
    gate.open.set()
    wait_until(lambda: len(office.world.heard) == 9)
    stop.set()
    assert len(done.result(SECONDS)) == 9


def test_a_slow_effect_holds_up_no_other(office: Office, pool: ThreadPoolExecutor) -> None:
    """While it runs, what becomes due is claimed and carried out by the threads that are free."""
    engine, gate = office.open(), Gate()
    office.world.acts["slow"] = gate
    leave(engine, "slow", "quick")
    done, stop = going_on(engine, pool, concurrency=2)
    assert gate.begun.acquire(timeout=SECONDS)
    for at in range(3):
        leave(engine, str(at))
        wait_until(lambda at=at: str(at) in office.world.heard)  # type: ignore[misc]  # a lambda's default is not inferred
    gate.open.set()
    stop.set()
    assert {str(each.result.status) for each in done.result(SECONDS)} == {"done"}


@pytest.mark.parametrize("how", ["stop", "close"])
def test_when_it_is_told_to_end_what_is_under_way_is_ended_and_the_rest_left(
    office: Office, pool: ThreadPoolExecutor, how: str
) -> None:
    """What was claimed and not begun is due again at once, with no attempt counted, and nobody's."""
    engine, gate = office.open(), Gate()
    texts = [str(at) for at in range(4)]
    office.world.acts["0"] = gate
    leave(engine, *texts)
    stop = threading.Event()
    if how == "stop":
        done = pool.submit(lambda: list(engine.work(stop=stop, concurrency=1)))
    else:
        generator = engine.work(concurrency=1)
        done = pool.submit(lambda: [next(generator)])
    assert gate.begun.acquire(timeout=SECONDS)
    stop.set()
    gate.open.set()
    worked = done.result(SECONDS)
    if how == "close":
        generator.close()
    ran = len(office.world.heard)
    assert [str(each.result.status) for each in worked][:1] == ["done"]
    found = [(row["status"], row["attempts"], row["lease"]) for row in office.rows()]
    assert found == [("done", 1, None)] * ran + [("pending", 0, None)] * (4 - ran)
    assert [each.attempt for each in engine.work(once=True)] == [1] * (4 - ran)


def test_a_worker_that_was_told_to_end_before_it_began_does_nothing(office: Office) -> None:
    """And claims nothing."""
    engine = office.open()
    leave(engine, "t")
    stop = threading.Event()
    stop.set()
    assert list(engine.work(stop=stop)) == []
    assert (office.world.heard, office.only()["lease"]) == ([], None)


def test_a_worker_that_goes_on_finds_what_comes_later(office: Office, pool: ThreadPoolExecutor) -> None:
    """Also what was sent before its time, as soon as that has come, and though the store is made only now."""
    engine = office.open()
    done, stop = going_on(engine, pool)
    leave(engine, "t")
    wait_until(lambda: office.world.heard == ["t"])
    reminder = Remind(name="t", errand=Do(note="rung"), after=0.2)
    engine.send("courier:@a", Do(note="n", orders=(reminder,)))
    wait_until(lambda: "rung" in log(engine, "courier:@a"))
    stop.set()
    assert [each.result.type for each in done.result(SECONDS)] == ["Posted", "Timer"]


def test_a_store_that_fails_ends_a_worker_that_works_once_and_no_other(
    office: Office, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error is raised, or the claim is tried again after a pause."""
    engine = office.open()
    leave(engine, "t")
    claim, failures = outbox.claim, [StoreError("is locked")] * 3

    def failing(*arguments: Any) -> Any:
        if failures:
            raise failures.pop()
        return claim(*arguments)

    monkeypatch.setattr(outbox, "claim", failing)
    monkeypatch.setattr(worker_module, "_IDLE_PAUSE", 0.01)
    with pytest.raises(StoreError, match="is locked"):
        list(engine.work(once=True))
    done, stop = going_on(engine, pool)
    wait_until(lambda: office.world.heard == ["t"])
    stop.set()
    assert [str(each.result.status) for each in done.result(SECONDS)] == ["done"]


def test_a_fault_of_pachyderm_s_own_ends_the_worker_with_its_error(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not passed over; nothing hangs, and what was not begun is left to others."""
    engine = office.open()
    leave(engine, "a", "b", "c")
    with monkeypatch.context() as patched:
        patched.setattr(Relay, "carry_out", raising(AssertionError("a fault")))
        with pytest.raises(AssertionError, match="a fault"):
            list(engine.work(once=True, concurrency=1))
    office.end_leases()
    list(engine.work(once=True))
    assert sorted(office.world.heard) == ["a", "b", "c"]


def test_what_no_code_here_carries_out_is_left_alone(office: Office, tmp_path: Path) -> None:
    """Effects of types that are not there or cannot be loaded stay as they are; the worker can say which those are."""
    engine = office.open()
    leave(engine, "t")
    leave(engine, "u", to="porter:@b")
    write(tmp_path, {"counter": COUNTER, "courier": "import nothing_of_that_name\n"})
    (tmp_path / "pachyderm.toml").touch()
    with Pachyderm.open(tmp_path, store=office.store_url) as other:
        assert list(other.work(once=True)) == []
        assert other.unreadable_types() == ["courier"]
        problems = " ".join(str(each.unreadable) for each in other.effects())
        assert "there is no entity type 'porter'" in problems
        assert "nothing_of_that_name" in problems
    assert {(row["status"], row["attempts"], row["lease"]) for row in office.rows()} == {("pending", 0, None)}
    assert (engine.unreadable_types(), len(list(engine.work(once=True)))) == ([], 2)


def test_timers_of_one_entity_keep_their_order_among_many_threads(office: Office) -> None:
    """Each waits for those that were due before it, whichever thread has it."""
    engine = office.open()
    reminders = tuple(Remind(name=f"t{at}", errand=Do(note=f"r{at:02}"), after=100 + at) for at in range(30))
    for name in "ab":
        engine.send(f"courier:@{name}", Do(note="set", orders=reminders))
    office.pass_time(200)
    worked = list(engine.work(once=True, concurrency=8))
    assert {str(each.result.status) for each in worked} == {"done"}
    for name in "ab":
        assert log(engine, f"courier:@{name}") == ["set", *(f"r{at:02}" for at in range(30))]
