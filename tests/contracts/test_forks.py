"""Copies of histories: events only, into an entity that is not there, with where they came from."""

from collections.abc import Iterator

import pytest

from pachyderm_cli import Pachyderm, Reference
from pachyderm_cli.errors import EntityFailed, MessageIdConflict, NotFound, UsageError, VersionConflict
from pachyderm_cli.store.records import Origin
from pachyderm_cli.store.schema import events, forks, outbox
from tests.contracts.conftest import OpenEngine
from tests.support.clocks import START, STEP
from tests.support.courier import Do, Post, Remind
from tests.support.office import Office
from tests.support.tally import Add, AddAll, Keep
from tests.support.travel import whole


@pytest.fixture
def office(store_url: str) -> Iterator[Office]:
    """Return a store for couriers, on each database."""
    with Office(store_url) as opened:
        yield opened


def test_events_alone_are_copied(office: Office) -> None:
    """A copy has the events, and neither the effects nor the timers that they came with; nothing is carried out."""
    engine = office.open()
    orders = (Post(text="posted"), Remind(name="t", errand=Do(note="rung"), after=3600))
    original = engine.send("courier:@a", Do(note="n", orders=orders))
    assert engine.inspect("courier:@a").effects == ()  # it is told that the letter was posted: nobody writes after it
    before = whole(office.store_url)
    forked = engine.fork("courier:@a")
    after = whole(office.store_url)
    assert {name for name in before if before[name] != after[name]} == {
        "pachyderm_entities",
        events.name,
        forks.name,
    }
    assert len(after[outbox.name]) == 2
    assert forked.state == original.state
    assert engine.inspect(forked.entity).timers == engine.inspect(forked.entity).effects == ()
    office.pass_time(4000)
    assert engine.send(forked.entity, Do(note="mine")).state.log == ("n", "mine")
    assert office.world.heard == ["posted"]


def test_its_origin_is_recorded(open_engine: OpenEngine) -> None:
    """The new entity knows whose history it has, up to which version and since when; others have no origin."""
    engine = open_engine()
    original = engine.send("tally:@a", AddAll(amounts=(1, 2, 3)))  # the clock's first look
    forked = engine.fork("tally:@a", to_version=2, to="tally:@b")
    assert forked.entity == engine.find("tally:@b").entity
    assert forked.origin == Origin(original.entity, 2, START + STEP)
    assert engine.inspect("tally:@b").origin == forked.origin
    assert engine.inspect("tally:@a").origin is None


def test_the_log_stays_whole(engine: Pachyderm) -> None:
    """Versions have no gap, positions go up and are nobody else's; each copy names its original's message."""
    engine.send("tally:@a", AddAll(amounts=(1, 2)))
    engine.send("tally:@a", Keep(value="k"))
    engine.send("tally:@other", Add())
    originals = list(engine.history("tally:@a"))
    forked = engine.fork("tally:@a")
    copies = list(engine.history(forked.entity))
    assert [each.version for each in copies] == [1, 2, 3]
    positions = [each.position for each in [*originals, *engine.history("tally:@other"), *copies]]
    assert positions == sorted(set(positions))
    same = [(each.type, each.data, each.type_version, each.message, each.recorded_at) for each in originals]
    assert [(each.type, each.data, each.type_version, each.message, each.recorded_at) for each in copies] == same
    assert [each.caused_by for each in copies] == [each.message_id for each in originals]
    assert len({each.message_id for each in copies}) == 1
    assert list(engine.history("tally:@a")) == originals
    assert engine.find().entity == forked.entity  # written to last
    assert engine.send(forked.entity, Add()).version == 4


def test_a_target_that_is_there_is_refused(engine: Pachyderm, store_url: str) -> None:
    """Neither the original nor another entity is overwritten; nothing is written then."""
    engine.send("tally:@a", Add())
    engine.send("tally:@b", Add(amount=7))
    before = whole(store_url)
    for target in ("tally:@a", "tally:@b"):
        with pytest.raises(VersionConflict, match="is there already"):
            engine.fork("tally:@a", to=target)
    assert whole(store_url) == before


def test_copies_of_one_history_and_of_a_copy(engine: Pachyderm) -> None:
    """Two forks of an entity, and a fork of a fork, live on without each other."""
    engine.send("tally:@a", AddAll(amounts=(1, 2, 3)))
    one, two = engine.fork("tally:@a", to_version=2), engine.fork("tally:@a")
    engine.send(one.entity, Add(amount=10))
    third = engine.fork(one.entity)
    assert third.origin.entity == one.entity
    assert (third.version, third.state.count) == (3, 13)
    engine.send(third.entity, Add(amount=100))
    counts = [engine.state(each).count for each in ("tally:@a", one.entity, two.entity, third.entity)]
    assert counts == [6, 13, 6, 113]
    assert engine.replay(third.entity, to_version=2).state.count == 3


def test_versions_that_cannot_be_copied(engine: Pachyderm, store_url: str) -> None:
    """No version at all, one that is not there, and an entity that is not there are errors; nothing is written."""
    engine.send("tally:@a", Add())
    before = whole(store_url)
    with pytest.raises(UsageError, match="version 0"):
        engine.fork("tally:@a", to_version=0)
    for version in (2, -1):
        with pytest.raises(NotFound):
            engine.fork("tally:@a", to_version=version)
    with pytest.raises(NotFound):
        engine.fork("tally:@nobody")
    assert whole(store_url) == before


def test_another_type_must_be_able_to_fold_it(engine: Pachyderm, store_url: str) -> None:
    """A copy of another type has that type's state, or is refused where that cannot read the events."""
    engine.send("tally:@a", AddAll(amounts=(1, 2)))
    forked = engine.fork("tally:@a", to="doubler:new")
    assert (forked.entity.type, forked.state) == ("doubler", 3)
    engine.send("tally:@a", Keep(value=1))
    before = whole(store_url)
    with pytest.raises(EntityFailed, match="Kept at version 3"):
        engine.fork("tally:@a", to="doubler:new")
    assert whole(store_url) == before


def test_a_message_of_the_original_is_not_one_of_the_copy(engine: Pachyderm) -> None:
    """A message id stays the original's: sent to the copy it is a conflict, sent to the original a duplicate."""
    sent = engine.send("tally:@a", Add())
    forked = engine.fork("tally:@a")
    with pytest.raises(MessageIdConflict):
        engine.send(forked.entity, Add(), message_id=sent.message_id)
    assert engine.send("tally:@a", Add(), message_id=sent.message_id).duplicate


def test_a_history_of_many_pages_is_copied(engine: Pachyderm) -> None:
    """All of a history that is longer than a page of the log comes along, in order."""
    engine.send("tally:@a", AddAll(amounts=(1,) * 2500))
    forked = engine.fork("tally:@a", to=Reference("tally", engine.receiver("tally:@copy").id))
    assert (forked.version, engine.state("tally:@copy").count) == (2500, 2500)
    positions = [each.position for each in engine.history("tally:@copy")]
    assert positions == list(range(positions[0], positions[0] + 2500))
