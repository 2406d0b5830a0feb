"""A store that someone changed by hand: a clear end, never an endless loop."""

import pytest
from sqlalchemy import delete

from pachyderm_cli.engine import sending
from pachyderm_cli.errors import NotFound, StoreError, VersionConflict
from pachyderm_cli.store.append import append
from pachyderm_cli.store.records import Outcome
from pachyderm_cli.store.schema import entities, events
from pachyderm_cli.store.store import Store
from tests.contracts.conftest import OpenEngine
from tests.support.appends import an_append, an_entity
from tests.support.raw import execute, row_counts
from tests.support.tally import Add, AddAll

NETWORK = "n"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a send give up early."""
    monkeypatch.setattr(sending, "ATTEMPTS", 5)


@pytest.mark.usefixtures("impatient")
def test_an_entity_that_was_taken_out_is_begun_anew(open_engine: OpenEngine, store_url: str) -> None:
    """Where SQL deleted head and events, a send that has both cached ends at version 1 of a new history."""
    engine = open_engine()
    for _ in range(3):
        engine.send("tally:@a", Add(amount=5))
    execute(store_url, delete(events))
    execute(store_url, delete(entities))
    sent = engine.send("tally:@a", Add())
    assert (sent.version, sent.state.count) == (1, 1)
    assert engine.replay("tally:@a").version == 1
    assert engine.send("tally:@a", Add()).version == 2


@pytest.mark.usefixtures("impatient")
def test_an_entity_that_was_taken_out_is_not_at_the_expected_version(open_engine: OpenEngine, store_url: str) -> None:
    """A send that expects the cached version is told that the entity is at 0."""
    engine = open_engine()
    engine.send("tally:@a", Add())
    execute(store_url, delete(events))
    execute(store_url, delete(entities))
    with pytest.raises(VersionConflict) as caught:
        engine.send("tally:@a", Add(), expect=1)
    assert caught.value.details["version"] == 0
    with pytest.raises(NotFound):
        engine.state("tally:@a")


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("cached", [0, 10])
def test_a_head_that_was_taken_out_is_an_error(open_engine: OpenEngine, store_url: str, cached: int) -> None:
    """Where SQL deleted the head alone, a send gives up after its attempts; nothing is written."""
    engine = open_engine(cached=cached)
    engine.send("tally:@a", Add())
    execute(store_url, delete(entities))
    with pytest.raises(VersionConflict):
        engine.send("tally:@a", Add())
    assert row_counts(store_url) == {"entities": 0, "events": 1, "snapshots": 0}


@pytest.mark.usefixtures("impatient")
def test_events_that_were_taken_out_are_an_error(open_engine: OpenEngine, store_url: str) -> None:
    """Where SQL deleted the last events but not the head, an engine without them cached gives up."""
    open_engine().send("tally:@a", AddAll(amounts=(1, 1, 1)))
    execute(store_url, delete(events).where(events.c.version > 1))
    with pytest.raises(VersionConflict):
        open_engine().send("tally:@a", Add())
    assert row_counts(store_url)["events"] == 1


def test_a_tampered_entity_does_not_hurt_another(store: Store, store_url: str) -> None:
    """In a group with an entity whose head was deleted, its neighbour is written; it alone is told."""
    tampered, sound = an_entity(), an_entity()
    append(store, NETWORK, [an_append(tampered)])
    execute(store_url, delete(entities))
    refused, written = append(store, NETWORK, [an_append(tampered), an_append(sound)])
    assert isinstance(refused, StoreError)
    assert "inconsistent" in str(refused)
    assert written is Outcome.APPENDED
