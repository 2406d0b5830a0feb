"""Who is who: names, networks, and two modules that handle one history."""

import pytest

from pachyderm_cli import Pachyderm
from pachyderm_cli.errors import EntityFailed, NotFound
from tests.contracts.conftest import OpenEngine
from tests.support import tally
from tests.support.tally import Add, Keep


def test_a_name_always_means_the_same_entity(open_engine: OpenEngine) -> None:
    """`TYPE:@name` is one entity, whichever engine asks, and its id may be used as well."""
    first = open_engine().send("tally:@visits", Add())
    second = open_engine().send("tally:@visits", Add())
    assert second.entity == first.entity
    assert second.version == 2
    assert open_engine().state(f"tally:{first.entity.id}").count == 2


def test_a_name_is_another_entity_for_each_type_and_network(open_engine: OpenEngine) -> None:
    """Type and network are part of what a name means."""
    ids = {
        open_engine(network=network).receiver(f"{type_name}:@visits").id
        for network in ("one", "two")
        for type_name in ("tally", "doubler")
    }
    assert len(ids) == 4


def test_networks_never_see_one_another(open_engine: OpenEngine) -> None:
    """The same id in two networks is two entities; lists, history, snapshots and dropping keep apart."""
    one, two = open_engine(network="one"), open_engine(network="two")
    reference = one.send("tally:new", Add(amount=1)).entity
    with pytest.raises(NotFound):
        two.state(reference)
    assert list(two.entities()) == []
    assert two.send(reference, Add(amount=10), expect=0).state.count == 10
    one.snapshot(reference)
    two.snapshot(reference)
    assert one.drop_snapshots(every_entity=True) == 1
    assert len(two.snapshots(reference)) == 1
    assert one.state(reference).count == 1
    assert len(list(one.history(reference))) == len(list(two.history(reference))) == 1
    with pytest.raises(NotFound):
        one.find(two.send("tally:new", Add()).entity)


def test_two_modules_may_handle_one_history(engine: Pachyderm) -> None:
    """The id alone identifies an entity: each type folds the events into a state of its own."""
    identifier = engine.send("tally:@a", Add(amount=3)).entity.id
    assert engine.send(f"doubler:{identifier}", "double").state == 6
    assert engine.send(f"tally:{identifier}", Add()).state == tally.State(count=7)
    assert engine.state(f"doubler:{identifier}") == 7
    assert [event.entity.type for event in engine.history(str(identifier))] == ["tally", "doubler", "tally"]


def test_a_type_that_is_left_out_is_the_one_that_last_handled_it(engine: Pachyderm) -> None:
    """Without TYPE the entity is read as what it was last written as."""
    identifier = engine.send("tally:@a", Add(amount=3)).entity.id
    assert engine.state(str(identifier)) == tally.State(count=3)
    engine.send(f"doubler:{identifier}", "double")
    assert engine.state(str(identifier)) == 6


def test_two_modules_keep_their_snapshots_apart(engine: Pachyderm) -> None:
    """A snapshot is of one type's state, and the other type does not read it."""
    identifier = engine.send("tally:@a", Add(amount=3)).entity.id
    engine.snapshot(f"tally:{identifier}")
    engine.snapshot(f"doubler:{identifier}")
    taken = engine.snapshots(str(identifier))
    assert sorted((snapshot.entity.type, snapshot.state) for snapshot in taken) == [
        ("doubler", "3"),
        ("tally", '{"count":3,"kept":[]}'),
    ]
    assert engine.state(f"doubler:{identifier}") == 3


def test_a_module_that_cannot_read_an_event_is_told_so(engine: Pachyderm) -> None:
    """The event, the version and what can be read are named, and nothing is written."""
    identifier = engine.send("tally:@a", Add(amount=3)).entity.id
    engine.send(f"tally:{identifier}", Keep(value=1))
    with pytest.raises(EntityFailed, match="doubler cannot read the event Kept at version 2") as caught:
        engine.send(f"doubler:{identifier}", "double")
    assert caught.value.details["event"] == "Kept"
    assert engine.find(str(identifier)).version == 2
    assert engine.find(str(identifier)).entity.type == "tally"
