"""What would come of a message: told in all detail, after the entity's own overdue timers, and never written."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from pachyderm_cli import Pachyderm
from pachyderm_cli.errors import NotFound, Rejected, VersionConflict
from tests.contracts.conftest import OpenEngine
from tests.support.courier import Do, Forget, Order, Pass, Post, Remind, Tell
from tests.support.office import Office
from tests.support.tally import Add, Note
from tests.support.travel import whole

PAST = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def office(store_url: str) -> Iterator[Office]:
    """Return a store for couriers, on each database."""
    with Office(store_url) as opened:
        yield opened


def remind(name: str, errand: Do, after: float = 3600) -> Remind:
    """Return the order to set a timer."""
    return Remind(name=name, errand=errand, after=after)


def test_effects_are_told_and_not_run(office: Office) -> None:
    """Each is named with its data: what is run, what is sent to whom, what is set for when."""
    engine = office.open()
    orders = (
        Tell(text="told"),
        Post(text="posted"),
        Pass(to="courier:@b", errand=Do(note="passed")),
        remind("t", Do(note="rung")),
    )
    found = engine.try_send(engine.request("courier:@a", Do(note="n", orders=orders)))
    assert [each.type for each in found.effects] == ["Told", "Posted", "Send", "Timer"]
    told, posted, sent, timer = found.effects
    assert (told.data, posted.data) == ('{"text":"told"}', '{"text":"posted"}')
    assert (sent.to, sent.message) == (engine.receiver("courier:@b"), "Do")
    assert (timer.timer, timer.after is not None and timer.after.total_seconds()) == ("t", 3600)
    assert (found.version, found.decided_at, found.timers, found.state.log) == (1, 0, 0, ("n",))
    assert office.world.heard == []
    assert list(engine.entities()) == []


OVERDUE: dict[str, tuple[Order, ...]] = {
    "two": (remind("late", Do(note="late"), 20), remind("early", Do(note="early"), 10)),
    "one that is rejected": (remind("t", Do(note="no", answer="refuse"), 10), remind("u", Do(note="u"), 20)),
    "one that fails": (remind("t", Do(note="no", answer="fail"), 10), remind("u", Do(note="u"), 20)),
    "one that leads to nothing": (remind("t", Do(note="no", answer="nothing"), 10),),
    "one that cancels another": (
        remind("t", Do(note="t", orders=(Forget(name="u"),)), 10),
        remind("u", Do(note="u"), 20),
    ),
    "one that replaces another": (
        remind("t", Do(note="t", orders=(remind("u", Do(note="later"), 9000),)), 10),
        remind("u", Do(note="u"), 20),
    ),
    "one that sets another for now": (
        remind("t", Do(note="t", orders=(remind("again", Do(note="again"), 0),)), 10),
        remind("u", Do(note="u"), 20),
    ),
    "one that sets another for before": (
        remind("t", Do(note="t", orders=(Remind(name="past", errand=Do(note="past"), at=PAST),)), 10),
        remind("u", Do(note="u"), 20),
    ),
    "one that is not due": (remind("t", Do(note="t"), 10), remind("u", Do(note="u"), 9000)),
    "a message with a time": (Pass(to="courier:@a", errand=Do(note="passed"), after=10),),
}


@pytest.mark.parametrize("orders", OVERDUE.values(), ids=OVERDUE)
def test_overdue_timers_come_first(office: Office, orders: tuple[Order, ...]) -> None:
    """The entity's own overdue timers are counted in as a send would deliver them, and stay as they are."""
    engine = office.open()
    engine.send("courier:@a", Do(note="set", orders=orders))
    office.pass_time(3600)
    before = whole(office.store_url)
    found = engine.try_send(engine.request("courier:@a", Do(note="n")))
    assert whole(office.store_url) == before
    sent = engine.send("courier:@a", Do(note="n"))
    assert (sent.version, sent.state, sent.events) == (found.version, found.state, found.events)
    assert found.decided_at == sent.version - 1
    assert found.timers == found.decided_at - 1


def test_a_timer_may_have_it_rejected(office: Office) -> None:
    """Where an overdue timer makes the message impossible, that is the answer; no row is touched."""
    engine = office.open()
    engine.send("courier:@a", Do(note="set", orders=(remind("t", Do(note="block"), 10),)))
    office.pass_time(60)
    before = whole(office.store_url)
    with pytest.raises(Rejected, match="block was noted"):
        engine.try_send(engine.request("courier:@a", Do(note="n", unless="block")))
    assert whole(office.store_url) == before


def test_at_a_version_timers_are_left_out(office: Office) -> None:
    """An older version is as it was: no timer that is overdue today is delivered to it."""
    engine = office.open()
    engine.send("courier:@a", Do(note="set", orders=(remind("t", Do(note="rung"), 10),)))
    office.pass_time(60)
    found = engine.try_send(engine.request("courier:@a", Do(note="n")), at_version=1)
    assert (found.decided_at, found.timers, found.state.log) == (1, 0, ("set", "n"))


def test_a_version_that_is_not_there(engine: Pachyderm) -> None:
    """Beyond the history, before it, and any but 0 of a new entity: there is nothing to decide on."""
    engine.send("tally:@a", Add())
    for reference, version in (("tally:@a", 2), ("tally:@a", -1), ("tally:@new", 1), ("tally:@new", -1)):
        with pytest.raises(NotFound):
            engine.try_send(engine.request(reference, Add()), at_version=version)
    assert engine.try_send(engine.request("tally:@new", Add()), at_version=0).version == 1


def test_an_expected_version_counts(engine: Pachyderm) -> None:
    """A request that expects another version is refused as its send would be."""
    engine.send("tally:@a", Add())
    with pytest.raises(VersionConflict):
        engine.try_send(engine.request("tally:@a", Add(), expect=0))
    assert engine.try_send(engine.request("tally:@a", Add(), expect=1)).version == 2
    assert engine.try_send(engine.request("tally:@a", Add(), expect=0), at_version=0).version == 1


def test_the_context_is_that_of_the_send(open_engine: OpenEngine) -> None:
    """With the same message id the decision sees the same reference, id and version."""
    engine = open_engine(clock=lambda: PAST)
    request = engine.request("tally:@a", Note(), message_id="01a20a00-0000-7000-8000-000000000001")
    found = engine.try_send(request)
    sent = engine.send("tally:@a", Note(), message_id=request.message_id)
    assert (found.version, found.state, found.events) == (sent.version, sent.state, sent.events)


def test_a_cache_behind_the_log_is_caught_up(open_engine: OpenEngine) -> None:
    """What another process wrote meanwhile is counted in."""
    here, there = open_engine(), open_engine()
    here.send("tally:@a", Add())
    there.send("tally:@a", Add(amount=5))
    found = here.try_send(here.request("tally:@a", Add()))
    assert (found.version, found.state.count) == (3, 7)
