"""A message id is used once: sent again it returns the first outcome, for anything else it is refused."""

from uuid import uuid4

import pytest

from pachyderm_cli import Message, Pachyderm, Rejected
from pachyderm_cli.engine import sending
from pachyderm_cli.errors import MessageIdConflict, StoreError
from pachyderm_cli.store.append import append
from pachyderm_cli.store.records import Append, Outcome
from pachyderm_cli.store.store import Store
from tests.contracts.conftest import OpenEngine
from tests.support import tally
from tests.support.raw import all_rows, row_counts
from tests.support.tally import Add, AddAll, Ask, Keep, Refuse


def test_the_same_id_again_returns_the_first_outcome(open_engine: OpenEngine, store_url: str) -> None:
    """State, version and events are those of the first time, though others wrote since; no row is added."""
    message_id = uuid4()
    engine = open_engine()
    first = engine.send("tally:@a", AddAll(amounts=(2, 3)), message_id=message_id)
    engine.send("tally:@a", Add(amount=100))
    before = all_rows(store_url)
    again = open_engine().send("tally:@a", AddAll(amounts=(2, 3)), message_id=message_id)
    assert again.duplicate
    assert (again.version, again.state, again.events) == (2, tally.State(count=5), first.events)
    assert again.message_id == message_id
    assert all_rows(store_url) == before


def test_the_same_id_again_runs_no_effect(open_engine: OpenEngine) -> None:
    """The effects of a message run with its first send alone."""
    told: list[str] = []
    engine = open_engine(config={"told": told})
    message_id = uuid4()
    first = engine.send("tally:@a", Add(), message_id=message_id)
    again = engine.send("tally:@a", Add(), message_id=message_id)
    assert told == ["0 + 1"]
    assert len(first.effects) == 1
    assert again.effects == ()


def test_a_duplicate_is_found_whatever_version_is_expected(engine: Pachyderm) -> None:
    """A send with `expect` that is repeated after its success succeeds again."""
    message_id = uuid4()
    engine.send("tally:@a", Add(), message_id=message_id, expect=0)
    assert engine.send("tally:@a", Add(), message_id=message_id, expect=0).duplicate


@pytest.mark.parametrize(
    ("reference", "message"),
    [("tally:@a", Add(amount=2)), ("tally:@a", Keep(value=1)), ("tally:@b", Add(amount=1)), ("doubler:@a", "double")],
)
def test_an_id_used_otherwise_is_a_conflict(
    engine: Pachyderm, store_url: str, reference: str, message: Message | str
) -> None:
    """The same id with other data, another message or another entity is refused, and nothing written."""
    message_id = uuid4()
    engine.send("tally:@a", Add(), message_id=message_id)
    before = all_rows(store_url)
    with pytest.raises(MessageIdConflict) as caught:
        engine.send(reference, message, message_id=message_id)
    assert caught.value.details["message_id"] == str(message_id)
    assert all_rows(store_url) == before


def test_a_default_written_out_is_another_message(engine: Pachyderm) -> None:
    """What was left out may mean something else after a change of the default, so it is not the same as written out."""
    message_id = uuid4()
    engine.send("tally:@a", "add", {}, message_id=message_id)
    with pytest.raises(MessageIdConflict):
        engine.send("tally:@a", "add", {"amount": 1}, message_id=message_id)
    assert engine.send("tally:@a", "add", {}, message_id=message_id).duplicate


def test_an_id_that_wrote_nothing_is_free(engine: Pachyderm, store_url: str) -> None:
    """A rejection, or an answer without events, binds its id to nothing."""
    message_id = uuid4()
    with pytest.raises(Rejected):
        engine.send("tally:@a", Refuse(), message_id=message_id)
    assert not engine.send("tally:@a", Ask(), message_id=message_id).duplicate
    assert not engine.send("tally:@b", Add(), message_id=message_id).duplicate
    assert row_counts(store_url)["events"] == 1


def test_an_id_is_one_network_s_own(open_engine: OpenEngine) -> None:
    """The same id may be used in another network."""
    message_id = uuid4()
    open_engine(network="one").send("tally:@a", Add(), message_id=message_id)
    sent = open_engine(network="two").send("tally:@a", Add(), message_id=message_id)
    assert not sent.duplicate


@pytest.mark.parametrize("reference", ["tally:@a", "tally:@b"])
def test_two_senders_of_one_id_at_once(
    open_engine: OpenEngine, store_url: str, monkeypatch: pytest.MonkeyPatch, reference: str
) -> None:
    """Of two that send one id at the same moment, one's effects run; the other gets a duplicate or a conflict."""
    told: list[str] = []
    slow, quick = open_engine(config={"told": told}), open_engine(config={"told": told})
    slow.send("tally:@a", Add(amount=5))
    message_id = uuid4()
    original = append

    def overtaken(store: Store, network: str, appends: list[Append]) -> list[Outcome | StoreError]:
        monkeypatch.setattr(sending, "append", original)
        quick.send("tally:@a", Add(), message_id=message_id)
        return original(store, network, appends)

    monkeypatch.setattr(sending, "append", overtaken)
    if reference == "tally:@a":
        sent = slow.send(reference, Add(), message_id=message_id)
        assert sent.duplicate
        assert (sent.version, sent.state, sent.effects) == (2, tally.State(count=6), ())
    else:
        with pytest.raises(MessageIdConflict):
            slow.send(reference, Add(), message_id=message_id)
    assert told == ["0 + 5", "5 + 1"]
    assert row_counts(store_url) == {"entities": 1, "events": 2, "snapshots": 0}
