"""Reading: state, history, replay, steps, inspect and the list of entities."""

from itertools import islice
from pathlib import Path
from uuid import uuid4

import pytest

from pachyderm_cli import Pachyderm
from pachyderm_cli.errors import AmbiguousReference, EntityLoadError, InvalidReference, NotFound
from pachyderm_cli.store import events
from tests.contracts.conftest import OpenEngine
from tests.support import tally
from tests.support.clocks import START, STEP
from tests.support.tally import Add, AddAll, Keep


def test_the_state_is_the_fold(engine: Pachyderm) -> None:
    """`state` is what `update` makes of all events in order."""
    engine.send("tally:@a", AddAll(amounts=(1, 2)))
    engine.send("tally:@a", Keep(value="k"))
    assert engine.state("tally:@a") == tally.State(count=3, kept=("k",))


def test_what_is_not_there_is_not_found(engine: Pachyderm) -> None:
    """Each way of reading an entity that nothing was written to raises NotFound."""
    missing = f"tally:{uuid4()}"
    for read in (engine.state, engine.inspect, engine.history, engine.replay, engine.steps, engine.snapshot):
        with pytest.raises(NotFound):
            read(missing)
    with pytest.raises(NotFound, match="no entities yet"):
        engine.state()


def test_history_is_cut_by_version_and_limit(engine: Pachyderm, monkeypatch: pytest.MonkeyPatch) -> None:
    """From, to, limit and reverse choose the same events whatever the size of a page."""
    engine.send("tally:@a", AddAll(amounts=tuple(range(10))))
    for page in (1, 3, 10, 1000):
        monkeypatch.setattr(events, "PAGE", page)

        def versions(**options: int | bool) -> list[int]:
            return [event.version for event in engine.history("tally:@a", **options)]  # type: ignore[arg-type]  # by name

        assert versions() == list(range(1, 11))
        assert versions(reverse=True) == list(range(10, 0, -1))
        assert versions(from_version=4, to_version=6) == [4, 5, 6]
        assert versions(from_version=4, to_version=6, reverse=True) == [6, 5, 4]
        assert versions(from_version=9, limit=5) == [9, 10]
        assert versions(limit=2) == [1, 2]
        assert versions(limit=2, reverse=True) == [10, 9]
        assert versions(limit=0) == []
        assert versions(from_version=11) == []


def test_history_goes_on_while_others_write(engine: Pachyderm, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two events nothing is held open: a send in the middle of reading works, and is read as well."""
    monkeypatch.setattr(events, "PAGE", 2)
    engine.send("tally:@a", AddAll(amounts=(1, 2, 3)))
    reading = engine.history("tally:@a")
    assert [event.version for event in islice(reading, 1)] == [1]
    engine.send("tally:@a", Add())
    assert [event.version for event in reading] == [2, 3, 4]


@pytest.mark.parametrize("version", range(4))
def test_replay_stops_at_a_version(engine: Pachyderm, version: int) -> None:
    """The state at a version is the fold of the events up to it; version 0 is the initial state."""
    engine.send("tally:@a", AddAll(amounts=(1, 10, 100)))
    engine.snapshot("tally:@a")
    replayed = engine.replay("tally:@a", to_version=version)
    assert (replayed.version, replayed.state) == (version, tally.State(count=[0, 1, 11, 111][version]))


@pytest.mark.parametrize("version", [-1, 2])
def test_a_version_that_is_not_there_is_not_found(engine: Pachyderm, version: int) -> None:
    """Replaying to a version that the entity never had raises NotFound."""
    engine.send("tally:@a", Add())
    with pytest.raises(NotFound, match="it has 0 to 1"):
        engine.replay("tally:@a", to_version=version)


def test_replay_stops_at_a_time(engine: Pachyderm) -> None:
    """The state at a time is the fold of the events recorded until then, that moment included."""
    for amount in (1, 10, 100):
        engine.send("tally:@a", Add(amount=amount))
    counts = [engine.replay("tally:@a", at=START + n * STEP / 2).state.count for n in range(-1, 6)]
    assert counts == [0, 1, 1, 11, 11, 111, 111]


def test_steps_show_each_event_and_what_it_changed(engine: Pachyderm) -> None:
    """A step has the event, the state after it, and the difference as a JSON Patch."""
    engine.send("tally:@a", Add(amount=5))
    engine.send("tally:@a", Keep(value="x"))
    first, second = engine.steps("tally:@a")
    assert (first.version, first.state, first.event.type) == (1, tally.State(count=5), "Added")
    assert first.changes == [{"op": "replace", "path": "/count", "value": 5}]
    assert second.state == tally.State(count=5, kept=("x",))
    assert second.changes == [{"op": "add", "path": "/kept/0", "value": "x"}]


def test_inspect_tells_all(engine: Pachyderm) -> None:
    """Version, state, when it was made and last written, and its snapshots."""
    engine.send("tally:@a", Add())
    engine.send("tally:@a", Add())
    taken = engine.snapshot("tally:@a")
    inspection = engine.inspect("tally:@a")
    assert (inspection.version, inspection.state) == (2, tally.State(count=2))
    assert (inspection.created_at, inspection.updated_at) == (START, START + STEP)
    assert inspection.snapshots == (taken,)


def test_entities_come_last_written_first(engine: Pachyderm) -> None:
    """The list is in the order of the last write, cut by type and limit."""
    a, b, c = (engine.send(f"tally:@{name}", Add()).entity for name in "abc")
    engine.send("tally:@a", Add())
    assert [head.entity for head in engine.entities()] == [a, c, b]
    assert [head.version for head in engine.entities()] == [2, 1, 1]
    assert [head.entity for head in engine.entities(limit=2)] == [a, c]
    engine.send(f"doubler:{b.id}", "double")
    assert [head.entity.id for head in engine.entities("doubler")] == [b.id]
    assert [head.entity for head in engine.entities("tally")] == [a, c]
    assert list(engine.entities("nothing")) == []


def test_references_may_be_short(engine: Pachyderm) -> None:
    """A prefix, an id without its type and no reference at all each mean an existing entity."""
    one = engine.send("tally:11112222-0000-4000-8000-000000000000", Add(amount=1)).entity
    two = engine.send("tally:11113333-0000-4000-8000-000000000000", Add(amount=2)).entity
    assert engine.state("tally:11112").count == 1
    assert engine.state("11113333-00").count == 2
    assert engine.state(str(one.id)).count == 1
    assert engine.find().entity == two
    with pytest.raises(AmbiguousReference) as caught:
        engine.state("1111")
    assert caught.value.details["candidates"] == [str(one), str(two)]
    with pytest.raises(InvalidReference):
        engine.state("tally:new")


def test_an_absent_store_reads_as_empty(engine: Pachyderm) -> None:
    """Before the first write there are no entities, and that is no error."""
    assert list(engine.entities()) == []


def test_history_and_list_need_no_entity_module(open_engine: OpenEngine, store_url: str, tmp_path: Path) -> None:
    """Where no module can be loaded, what needs none works: find, history, list, snapshots and dropping them."""
    writer = open_engine()
    reference = writer.send("tally:@a", AddAll(amounts=(1, 2))).entity
    writer.snapshot(reference)
    (tmp_path / "pachyderm.toml").touch()
    (tmp_path / "entities").mkdir()
    (tmp_path / "entities" / "tally.py").write_text("this is no Python")
    with Pachyderm.open(tmp_path, store=store_url) as engine:
        assert [head.entity for head in engine.entities()] == [reference]
        assert [event.version for event in engine.history()] == [1, 2]
        assert [snapshot.version for snapshot in engine.snapshots()] == [2]
        assert engine.drop_snapshots() == 1
        with pytest.raises(EntityLoadError):
            engine.state()
