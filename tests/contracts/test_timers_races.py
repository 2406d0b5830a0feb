"""Timers that several deliver at a time, or while somebody cancels them: once, and before whatever comes behind."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest

from pachyderm_cli import Pachyderm
from pachyderm_cli.engine import overdue, sending
from pachyderm_cli.engine.deciding import Delivery, Prepared
from pachyderm_cli.engine.overdue import OverdueTimers
from pachyderm_cli.store import outbox
from pachyderm_cli.store.records import Held, Lease
from tests.support import courier
from tests.support.courier import Do, Forget, Order, Post, Remind, Tell
from tests.support.office import Office, log, raising

SECONDS = 60


@pytest.fixture
def office(store_url: str) -> Iterator[Office]:
    """Return a store for couriers, on each database."""
    with Office(store_url) as opened:
        yield opened


def set_timer(engine: Pachyderm, note: str = "rung", name: str = "t", orders: tuple[Order, ...] = ()) -> None:
    """Let a courier set a timer that is due at once."""
    errand = Do(note=note, orders=orders)
    engine.send("courier:@a", Do(note="set", orders=(Remind(name=name, errand=errand, after=0),)))


def when_deciding(monkeypatch: pytest.MonkeyPatch, note: str, act: Callable[[], object]) -> None:
    """Let `act` happen whenever a courier decides an errand with that note."""
    answers = courier.answers

    def acting(message: Do, log: tuple[str, ...]) -> object:
        if message.note == note:
            act()
        return answers(message, log)

    monkeypatch.setattr(courier, "answers", acting)


@pytest.mark.parametrize("seconds", [0.0, 0.02])
@pytest.mark.parametrize("engines", [1, 4])
def test_many_sends_that_find_one_overdue_timer(
    office: Office, monkeypatch: pytest.MonkeyPatch, engines: int, seconds: float
) -> None:
    """It is delivered once, before each of them, however slow its decision; they wait for one another, not in vain."""
    opened = [office.open() for _ in range(engines)]
    set_timer(opened[0], orders=(Post(text="t"),))
    when_deciding(monkeypatch, "rung", lambda: time.sleep(seconds))
    together = threading.Barrier(8, timeout=SECONDS)

    def send(at: int) -> int:
        together.wait()
        return opened[at % engines].send("courier:@a", Do(note=f"n{at}", given="rung")).version

    with ThreadPoolExecutor(8) as pool:
        versions = list(pool.map(send, range(8)))
    assert sorted(versions) == list(range(3, 11))
    assert log(opened[0], "courier:@a")[:2] == ["set", "rung"]
    timer, effect = office.rows()
    assert (timer["status"], effect["status"], office.world.heard) == ("done", "done", ["t"])


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_worker_and_sends_deliver_many_timers_in_due_order(office: Office, concurrency: int) -> None:
    """Each once, in the order in which they were due, whoever it was that delivered them."""
    engine, other = office.open(), office.open()
    reminders = tuple(Remind(name=f"t{at}", errand=Do(note=f"r{at:02}"), after=100 + at) for at in range(20))
    engine.send("courier:@a", Do(note="set", orders=reminders))
    office.pass_time(200)
    with ThreadPoolExecutor(3) as pool:
        working = pool.submit(lambda: list(engine.work(once=True, concurrency=concurrency)))
        sending_ = [pool.submit(other.send, "courier:@a", Do(note="n", given="r19")) for _ in range(2)]
        for each in sending_:
            each.result(SECONDS)
        working.result(SECONDS)
    assert [note for note in log(engine, "courier:@a") if note.startswith("r")] == [f"r{at:02}" for at in range(20)]
    assert {row["status"] for row in office.rows()} == {"done"}


def test_who_takes_a_timer_from_a_slow_holder_delivers_it_alone(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The slow one finds at its commit that it has lost the lease, and writes nothing."""
    slow, quick = office.open(), office.open()
    set_timer(slow)
    reached, go_on = threading.Event(), threading.Event()

    def wait_once() -> None:
        if not reached.is_set():
            reached.set()
            assert go_on.wait(SECONDS)

    when_deciding(monkeypatch, "rung", wait_once)
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(lambda: list(slow.work(once=True)))
        assert reached.wait(SECONDS)
        assert quick.send("courier:@a", Do(note="n", given="rung")).version == 3
        go_on.set()
        assert working.result(SECONDS) == []  # the send tells of it
    assert log(quick, "courier:@a") == ["set", "rung", "n"]
    assert office.only()["attempts"] == 2


def test_a_send_waits_for_a_holder_that_is_about_to_end_it(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes nothing from it: the timer is attempted once, and the message comes behind it."""
    engine, other = office.open(), office.open()
    set_timer(engine)
    monkeypatch.setattr(overdue, "_LOOKS", 10_000)
    reached, go_on = threading.Event(), threading.Event()
    looks = threading.Semaphore(0)

    def hold() -> None:
        reached.set()
        assert go_on.wait(SECONDS)

    def look(attempt: int) -> None:
        looks.release()
        sending.pause(attempt)

    when_deciding(monkeypatch, "rung", hold)
    monkeypatch.setattr(overdue, "pause", look)
    with ThreadPoolExecutor(2) as pool:
        working = pool.submit(lambda: list(engine.work(once=True)))
        assert reached.wait(SECONDS)
        sent = pool.submit(other.send, "courier:@a", Do(note="n", given="rung"))
        for _ in range(4):
            assert looks.acquire(timeout=SECONDS)
        go_on.set()
        assert sent.result(SECONDS).version == 3
        working.result(SECONDS)
    assert office.only()["attempts"] == 1


def test_a_message_that_cancels_a_timer_while_it_is_delivered(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the two is first: where it is the message, the timer's delivery writes nothing any more."""
    engine, other = office.open(), office.open()
    set_timer(engine)
    monkeypatch.setattr(OverdueTimers, "fire", lambda *_: (False, True))  # the message does not see it

    def cancel() -> None:
        if office.only()["status"] == "pending":
            other.send("courier:@a", Do(note="no", orders=(Forget(name="t"),)))

    when_deciding(monkeypatch, "rung", cancel)
    assert list(engine.work(once=True)) == []
    assert office.only()["status"] == "discarded"
    assert log(engine, "courier:@a") == ["set", "no"]


@pytest.mark.parametrize("cached", [0, 10])
def test_no_rejection_is_decided_on_a_state_before_a_timer(
    office: Office, monkeypatch: pytest.MonkeyPatch, cached: int
) -> None:
    """Where another delivers the timer just between reading the state and looking for timers, it is decided anew."""
    mine, theirs = office.open(cached=cached), office.open()
    set_timer(mine)
    fire = OverdueTimers.fire
    seen: list[str] = []

    def overtaken(timers: OverdueTimers, delivery: Delivery) -> tuple[bool, bool]:
        seen.append("look")
        if len(seen) == 1:
            theirs.send("courier:@a", Do(note="theirs"))
        return fire(timers, delivery)

    monkeypatch.setattr(OverdueTimers, "fire", overtaken)
    assert mine.send("courier:@a", Do(note="n", given="rung")).state.log == ("set", "rung", "theirs", "n")


def test_what_timers_set_off_is_carried_out_though_the_message_turns_out_to_be_known(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where another process sent the same message id just then, the timers before it are this one's all the same."""
    mine, theirs, message_id = office.open(), office.open(), uuid4()
    set_timer(mine, orders=(Tell(text="t"), Post(text="p")))
    appended, late = sending.Sender._appended, [True]

    def overtaken(sender: sending.Sender, delivery: Delivery, prepared: Prepared) -> bool:
        if delivery.id == message_id and late:
            late.clear()
            theirs.send("courier:@a", Do(note="n"), message_id=message_id)
        return appended(sender, delivery, prepared)

    monkeypatch.setattr(sending.Sender, "_appended", overtaken)
    sent = mine.send("courier:@a", Do(note="n"), message_id=message_id)
    assert (sent.duplicate, sent.version) == (True, 3)
    assert office.world.heard == ["t", "p"]
    assert {row["status"] for row in office.rows()} == {"done"}


def test_a_timer_that_ends_every_sender_is_parked(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its attempts are counted before they are made; then sends go on without it."""
    engine = office.open()
    set_timer(engine)
    when_deciding(monkeypatch, "rung", raising(KeyboardInterrupt()))
    for _ in range(8):
        with pytest.raises(KeyboardInterrupt):
            office.open().send("courier:@a", Do(note="n"))
        office.end_leases()
    assert engine.send("courier:@a", Do(note="n")).version == 2
    assert (office.only()["status"], office.only()["error"]) == (
        "parked",
        "the process ended while it was tried, 8 times",
    )


def test_one_whose_attempts_are_used_up_is_not_taken_from_who_makes_the_last(office: Office) -> None:
    """A send goes on without it as long as that lease holds, and parks nothing."""
    engine = office.open()
    set_timer(engine)
    office.change(
        office.only()["id"], attempts=8, lease=str(UUID(int=7)), next_attempt_at="2100-01-01T00:00:00.000000Z"
    )
    assert engine.send("courier:@a", Do(note="n")).version == 2
    assert (office.only()["status"], office.only()["attempts"]) == ("pending", 8)
    held = Held(UUID(office.only()["id"]), Lease(UUID(int=7), 30))
    assert outbox.finish(engine._store, "default", held)


def test_timers_that_set_themselves_for_now_end_at_some_point(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message does not wait for ever behind an endless row of them; the rest comes with the next."""
    monkeypatch.setattr(sending, "_MOST_ROUNDS", 3)
    engine = office.open()
    endless: tuple[Order, ...] = ()
    for at in range(12):
        endless = (Remind(name="t", errand=Do(note=f"r{at}", orders=endless), after=0),)
    engine.send("courier:@a", Do(note="set", orders=endless))
    engine.send("courier:@a", Do(note="n"))
    assert log(engine, "courier:@a") == ["set", "r11", "r10", "r9", "r8", "n"]
    engine.send("courier:@a", Do(note="n"))
    assert log(engine, "courier:@a")[6:] == ["r7", "r6", "r5", "r4", "n"]


def test_a_timer_that_was_ended_by_hand_before_it_could_be_taken(office: Office) -> None:
    """Who finds it gone between looking and taking goes on without it."""
    engine = office.open()
    set_timer(engine)
    identifier = UUID(office.only()["id"])
    assert engine.discard_effect(identifier, "by hand").status == "discarded"
    assert not outbox.seize(engine._store, "default", Held(identifier, Lease(uuid4(), 30)))
    assert engine.send("courier:@a", Do(note="n")).version == 2
