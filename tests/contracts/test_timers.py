"""Timers: late rather than never, once, in due order; before any other message to their entity, worker or no worker."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from pachyderm_cli.errors import Rejected, VersionConflict
from tests.support import courier
from tests.support.courier import Do, Forget, Order, Pass, Remind
from tests.support.office import LEASE, Office, log
from tests.support.timers import remind, set_timers

PAST = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def office(store_url: str) -> Iterator[Office]:
    """Return a store for couriers, on each database."""
    with Office(store_url) as opened:
        yield opened


def test_a_timer_waits_for_its_time(office: Office) -> None:
    """It is in the outbox, due so long after the commit, nobody's; neither worker nor send delivers it before."""
    engine = office.open()
    sent = engine.send("courier:@a", Do(note="set", orders=(remind(after=1800),)))
    row = office.only()
    assert (row["type"], row["timer"], row["message"]) == ("Timer", "t", "Do")
    assert (row["status"], row["attempts"], row["lease"], row["to_id"]) == ("pending", 0, None, row["entity_id"])
    due = datetime.fromisoformat(row["due_at"]) - datetime.fromisoformat(row["created_at"])
    assert due == timedelta(seconds=1800)
    [result] = sent.effects
    assert (result.status, result.error, result.to) == ("pending", None, sent.entity)
    office.pass_time(1700)
    assert list(engine.work(once=True)) == []
    engine.send("courier:@a", Do(note="n"))
    assert log(engine, "courier:@a") == ["set", "n"]
    assert [each.timer for each in engine.inspect("courier:@a").timers] == ["t"]


def test_a_worker_delivers_it_when_it_is_due(office: Office) -> None:
    """Once; its message has the timer's id, and names the one that set it as its cause."""
    engine = office.open()
    sent = engine.send("courier:@a", Do(note="set", orders=(remind(),)))
    office.pass_time(3601)
    [worked] = engine.work(once=True)
    assert (worked.result.status, worked.attempt, worked.result.to) == ("done", 1, sent.entity)
    assert list(engine.work(once=True)) == []
    first, rung = engine.history("courier:@a")
    assert (rung.message_id, rung.caused_by) == (worked.result.id, first.message_id)
    assert office.only()["status"] == "done"
    assert engine.inspect("courier:@a").timers == ()


@pytest.mark.parametrize("cached", [0, 10])
def test_a_send_delivers_what_is_overdue_first(office: Office, cached: int) -> None:
    """The message is decided on the state that the timer led to, whether the entity was cached or not."""
    engine = office.open(cached=cached)
    set_timers(engine, remind())
    office.pass_time(3601)
    sent = engine.send("courier:@a", Do(note="n", given="rung"))
    assert (sent.version, sent.state.log) == (3, ("set", "rung", "n"))
    assert office.only()["status"] == "done"
    assert list(engine.work(once=True)) == []


def test_overdue_timers_come_late_once_and_in_the_order_in_which_they_were_due(office: Office) -> None:
    """Not in the order in which they were set; those due at one time in the order in which they were emitted."""
    for name, deliver in (("a", False), ("b", True)):
        engine, reference = office.open(), f"courier:@{name}"
        set_timers(engine, *(remind(f"t{at}", f"r{at}", after=100 - at) for at in range(5)), reference=reference)
        at_once = [Remind(name=f"p{at}", errand=Do(note=f"p{at}"), at=PAST + timedelta(at == 2)) for at in range(4)]
        engine.send(reference, Do(note="then", orders=tuple(at_once)))
        office.pass_time(86400)
        if deliver:
            assert {each.result.status for each in engine.work(once=True, concurrency=3)} == {"done"}
        engine.send(reference, Do(note="n"))
        expected = ["set", "then", "p0", "p1", "p3", "p2", "r4", "r3", "r2", "r1", "r0", "n"]
        assert log(engine, reference) == expected


def test_setting_the_same_name_again_replaces_it(office: Office) -> None:
    """In a later message or in the same one: one timer of a name is left, the last."""
    engine = office.open()
    set_timers(engine, remind("t", "first", 100))
    set_timers(engine, remind("t", "second", 200), remind("u", "other", 50), remind("t", "third", 300))
    assert [each.timer for each in engine.timers("courier:@a")] == ["u", "t"]
    office.pass_time(1000)
    list(engine.work(once=True))
    assert log(engine, "courier:@a") == ["set", "set", "other", "third"]


def test_a_cancelled_timer_is_not_delivered(office: Office) -> None:
    """Cancelling one that is not there does nothing; one that is set after its cancelling stays."""
    engine = office.open()
    set_timers(engine, remind("t"), remind("u"), Forget(name="u"), Forget(name="none"))
    set_timers(engine, Forget(name="t"), Forget(name="none"))
    assert list(engine.timers()) == []
    set_timers(engine, Forget(name="t"), remind("t", "after all"))
    office.pass_time(3601)
    list(engine.work(once=True))
    assert log(engine, "courier:@a") == ["set", "set", "set", "after all"]


def test_what_is_overdue_comes_before_the_message_that_would_cancel_it(office: Office) -> None:
    """Its time was before."""
    engine = office.open()
    set_timers(engine, remind("t"))
    office.pass_time(3601)
    set_timers(engine, Forget(name="t"), remind("t", "later"))
    assert log(engine, "courier:@a") == ["set", "rung", "set"]
    assert [each.status for each in engine.timers()] == ["pending"]


@pytest.mark.parametrize("by", ["worker", "send"])
def test_a_timer_may_set_itself_again(office: Office, by: str) -> None:
    """A clock that ticks: each tick sets the next one, of the same name."""
    engine = office.open()
    tick = Do(note="tick", orders=(remind("clock", "tock", 100, orders=(remind("clock", "tick", 100),)),))
    set_timers(engine, Remind(name="clock", errand=tick, after=100))
    for _ in range(3):
        office.pass_time(101)
        if by == "worker":
            assert [each.result.status for each in engine.work(once=True)] == ["done"]
        else:
            engine.send("courier:@a", Do(note="n", answer="nothing"))
    assert log(engine, "courier:@a") == ["set", "tick", "tock", "tick"]
    assert [row["status"] for row in office.rows()] == ["done"] * 3


def test_timers_that_are_overdue_as_soon_as_they_are_set_come_first_too(office: Office) -> None:
    """What a timer sets in the past, or for now, is delivered before the message as well, one after the other."""
    engine = office.open()
    chain: tuple[Order, ...] = ()
    for at in range(5):
        chain = (remind(f"t{at % 2}", f"r{at}", 0, orders=chain),)
    set_timers(engine, *chain)
    engine.send("courier:@a", Do(note="n"))
    assert log(engine, "courier:@a") == ["set", "r4", "r3", "r2", "r1", "r0", "n"]


def test_a_rejected_timer_is_recorded_and_not_tried_again(office: Office) -> None:
    """The message that came behind it is handled all the same."""
    engine = office.open()
    set_timers(engine, Remind(name="t", errand=Do(note="too late", answer="refuse"), after=0))
    assert engine.send("courier:@a", Do(note="n")).version == 2
    assert (office.only()["status"], office.only()["error"]) == ("rejected", "too late")
    assert list(engine.work(once=True)) == []


def test_a_timer_that_leads_to_nothing_is_done(office: Office) -> None:
    """It is delivered once, though there is no event of it."""
    engine = office.open()
    set_timers(engine, Remind(name="t", errand=Do(note="n", answer="nothing"), after=0))
    assert engine.send("courier:@a", Do(note="n")).version == 2
    assert office.only()["status"] == "done"


def test_a_timer_that_fails_stands_in_nobody_s_way(office: Office) -> None:
    """It is tried again after a pause, as any effect, and parked in the end; sends and other timers go on."""
    engine = office.open()
    bad = Remind(name="bad", errand=Do(note="oh", answer="fail"), after=0)
    set_timers(engine, bad, remind("good", "rung", 1))
    office.pass_time(2)
    assert engine.send("courier:@a", Do(note="n")).state.log == ("set", "rung", "n")
    row = office.rows()[0]
    assert (row["status"], row["attempts"], row["lease"]) == ("pending", 1, None)
    assert "RuntimeError: oh" in row["error"]
    assert engine.send("courier:@a", Do(note="m")).version == 4
    assert office.rows()[0]["attempts"] == 1
    for _ in range(9):
        office.pass_time(7200)
        engine.send("courier:@a", Do(note="m"))
    assert (office.rows()[0]["status"], office.rows()[0]["attempts"]) == ("parked", 8)
    assert [each.timer for each in engine.timers("courier:@a")] == ["bad"]
    set_timers(engine, Forget(name="bad"))
    assert list(engine.timers()) == []


@pytest.mark.parametrize("cached", [0, 10])
def test_timers_that_another_engine_set_are_seen(office: Office, cached: int) -> None:
    """Though this one had found that the entity has none, and keeps that in mind with its state."""
    mine, theirs = office.open(cached=cached), office.open()
    for _ in range(2):
        mine.send("courier:@a", Do(note="n"))
    set_timers(theirs, remind(after=0))
    assert mine.send("courier:@a", Do(note="m", given="rung")).state.log == ("n", "n", "set", "rung", "m")
    set_timers(theirs, remind(note="again", after=0))
    with pytest.raises(Rejected, match="again was noted"):
        mine.send("courier:@a", Do(note="m", unless="again"))
    set_timers(theirs, remind(note="thrice", after=0))
    assert mine.send("courier:@a", Do(note="m", answer="nothing")).state.log[-1] == "thrice"


def test_a_timer_that_a_dead_worker_holds_is_delivered_by_a_send(office: Office) -> None:
    """Long before its lease has run out, and then no worker delivers it again."""
    engine = office.open()
    set_timers(engine, remind("t", "rung", 0), remind("u", "rung too", 0))
    for row in office.rows():
        office.change(row["id"], lease=str(UUID(int=7)), next_attempt_at="2100-01-01T00:00:00.000000Z")
    assert engine.send("courier:@a", Do(note="n", given="rung")).state.log == ("set", "rung", "rung too", "n")
    assert {row["status"] for row in office.rows()} == {"done"}


def test_a_timer_that_is_held_before_its_time_is_left_alone(office: Office) -> None:
    """A lease makes nothing overdue."""
    engine = office.open()
    set_timers(engine, remind(after=3600))
    office.change(office.only()["id"], lease=str(UUID(int=7)))
    assert engine.send("courier:@a", Do(note="n")).version == 2


def test_the_version_that_a_message_expects_counts_the_timers_before_it(office: Office) -> None:
    """Who had not seen that the timer was due is told, and the timer stands."""
    engine = office.open()
    set_timers(engine, remind(after=0))
    with pytest.raises(VersionConflict):
        engine.send("courier:@a", Do(note="n"), expect=1)
    assert engine.send("courier:@a", Do(note="n"), expect=2).version == 3


def test_a_message_with_a_time_is_delivered_then(office: Office) -> None:
    """To another entity it is a worker's to deliver; to the entity itself it is as good as a timer."""
    engine = office.open()
    passes = [Pass(to=f"courier:@{name}", errand=Do(note=name), after=60) for name in "ab"]
    engine.send("courier:@a", Do(note="set", orders=tuple(passes)))
    assert [each.timer for each in engine.timers("courier:@a")] == ["", ""]
    assert list(engine.work(once=True)) == []
    office.pass_time(61)
    engine.send("courier:@b", Do(note="n"))
    engine.send("courier:@a", Do(note="n", given="a"))
    assert [len(list(engine.work(once=True))), log(engine, "courier:@b")] == [1, ["n", "b"]]


@pytest.mark.parametrize("types", [("courier", "porter"), ("porter", "courier")])
def test_two_types_of_one_history_see_each_other_s_timers(office: Office, types: tuple[str, str]) -> None:
    """A timer that the one set is delivered by it before a message to the other, which may also cancel it."""
    engine = office.open()
    entity = engine.receiver("courier:new").id
    mine, theirs = (f"{name}:{entity}" for name in types)
    for _ in range(2):
        engine.send(theirs, Do(note="n"))
    set_timers(engine, remind(after=0), reference=mine)
    engine.send(theirs, Do(note="m", given="rung"))
    set_timers(engine, remind(), reference=mine)
    set_timers(engine, Forget(name="t"), reference=theirs)
    assert log(engine, mine) == ["n", "n", "set", "rung", "m", "set", "set"]
    assert [event.entity.type for event in engine.history(mine)][3] == types[0]
    assert list(engine.timers()) == []


def test_a_timer_whose_code_is_not_here_is_left_to_others(office: Office) -> None:
    """A send to its entity by another type goes on without it, and takes it from nobody."""
    engine = office.open()
    entity = engine.receiver("courier:new").id
    set_timers(engine, remind(after=0), reference=f"porter:{entity}")
    office.pass_time(5)
    alone = office.open(modules={"courier": courier})
    alone.send(f"courier:{entity}", Do(note="n"))
    assert (office.only()["status"], office.only()["attempts"]) == ("pending", 0)
    assert list(alone.work(once=True)) == []
    engine.send(f"courier:{entity}", Do(note="m"))
    assert log(engine, f"courier:{entity}") == ["set", "n", "rung", "m"]


def test_timers_of_another_network_are_left_alone(office: Office) -> None:
    """An entity of the same name there has its own."""
    here, there = office.open(network="here"), office.open(network="there")
    for engine in (here, there):
        set_timers(engine, remind(after=0))
    here.send("courier:@a", Do(note="n"))
    assert (log(here, "courier:@a"), log(there, "courier:@a")) == (["set", "rung", "n"], ["set"])


def test_looking_delivers_nothing(office: Office) -> None:
    """State, history, inspection and replay show what is in the log."""
    engine = office.open()
    set_timers(engine, remind(after=0))
    office.pass_time(LEASE)
    assert engine.state("courier:@a").log == ("set",)
    assert len(engine.inspect("courier:@a").timers) == 1
    assert engine.replay("courier:@a").version == 1


def test_a_mutable_state_is_not_spoilt_by_timers(office: Office) -> None:
    """What each decision scribbles on its own state reaches neither the timer's nor the message's."""
    engine = office.open(snapshots_every=2)
    for at in range(3):
        set_timers(engine, remind(note=f"r{at}", after=0), reference="porter:@a")
    engine.send("porter:@a", Do(note="n"))
    assert engine.state("porter:@a") == ["set", "r0", "set", "r1", "set", "r2", "n"]
    assert engine.replay("porter:@a").state == engine.state("porter:@a")
