"""Message ids in a batch: each is used once, within it, before it, and by another process meanwhile."""

from typing import Any
from uuid import uuid4

import pytest

from pachyderm_cli import Pachyderm, Rejected
from pachyderm_cli.engine.results import Sent
from pachyderm_cli.errors import MessageIdConflict
from tests.contracts.conftest import OpenEngine
from tests.support.batches import all_sent, before_commits, brief, requests
from tests.support.raw import all_rows
from tests.support.tally import Add, Ask, Refuse


def test_an_id_twice_in_a_batch_is_a_duplicate(open_engine: OpenEngine) -> None:
    """The second is answered with the first's outcome, though others came between; its effect does not run again."""
    told: list[str] = []
    engine = open_engine(config={"told": told})
    batch = requests(engine, ("tally:@a", Add(amount=2)), ("tally:@a", Add(amount=3)), ("tally:@a", Add(amount=4)))
    batch[0] = batch[0]._replace(message_id=uuid4())
    sent = all_sent(engine.send_all([batch[0], batch[1], batch[0], batch[2], batch[0]]))
    assert [(each.version, each.state.count, each.duplicate) for each in sent] == [
        (1, 2, False),
        (2, 5, False),
        (1, 2, True),
        (3, 9, False),
        (1, 2, True),
    ]
    assert sent[2].events == sent[0].events
    assert told == ["0 + 2", "2 + 3", "5 + 4"]


def test_an_id_that_wrote_nothing_is_free_for_the_next(engine: Pachyderm) -> None:
    """A rejection and an answer without events bind their id to nothing within a batch either."""
    message_id = uuid4()
    batch = [engine.request("tally:@a", message, message_id=message_id) for message in (Refuse(), Ask(), Add(), Add())]
    outcomes = engine.send_all(batch, keep_going=True)
    assert brief(outcomes) == [Rejected, 0, 1, 1]
    assert [each.duplicate for each in all_sent(outcomes[1:])] == [False, False, True]


def test_ids_of_earlier_sends_are_duplicates(open_engine: OpenEngine, store_url: str) -> None:
    """A batch sent again, in part or whole, adds no row and runs no effect; what is new in it is sent."""
    told: list[str] = []
    engine = open_engine(config={"told": told})
    batch = [engine.request(f"tally:@{number % 2}", Add(amount=number), message_id=uuid4()) for number in range(6)]
    first = all_sent(engine.send_all(batch[:4]))
    whole = all_sent(open_engine(config={"told": told}).send_all(batch))
    assert [each.duplicate for each in whole] == [True] * 4 + [False] * 2
    assert [(each.version, each.state, each.events) for each in whole[:4]] == [
        (each.version, each.state, each.events) for each in first
    ]
    assert all(each.effects == () for each in whole[:4])
    before = all_rows(store_url)
    assert all(each.duplicate for each in all_sent(engine.send_all(batch)))
    assert all_rows(store_url) == before
    assert len(told) == 6


@pytest.mark.parametrize("known_before", [False, True])
def test_an_id_used_otherwise_is_a_conflict_in_its_place(engine: Pachyderm, *, known_before: bool) -> None:
    """For another entity or other data the id is refused, and the neighbours are sent."""
    message_id = uuid4()
    first = engine.request("tally:@a", Add(), message_id=message_id)
    if known_before:
        engine.send_all([first])
    batch = [
        first,
        engine.request("tally:@b", Add(), message_id=message_id),
        engine.request("tally:@a", Add(amount=2), message_id=message_id),
        engine.request("tally:@b", Add()),
    ]
    assert brief(engine.send_all(batch, keep_going=True)) == [1, MessageIdConflict, MessageIdConflict, 1]


@pytest.mark.parametrize("at", [0, 3, 6])
@pytest.mark.parametrize("reference", ["tally:@a", "tally:@b"])
def test_an_id_that_another_process_commits_meanwhile(
    open_engine: OpenEngine, monkeypatch: pytest.MonkeyPatch, at: int, reference: str
) -> None:
    """Between lookup and commit: it is a duplicate, or a conflict for another entity, and the neighbours are sent."""
    told: list[str] = []
    mine, theirs = open_engine(config={"told": told}), open_engine(config={"told": told})
    batch = requests(mine, *[("tally:@c", Add())] * 6)
    taken = mine.request("tally:@a", Add(), message_id=uuid4())
    batch.insert(at, taken)
    before_commits(monkeypatch, lambda: theirs.send(reference, Add(), message_id=taken.message_id))
    outcomes = mine.send_all(batch, keep_going=True)
    found = outcomes.pop(at)
    if reference == "tally:@a":
        assert isinstance(found, Sent)
        assert (found.version, found.duplicate, found.effects) == (1, True, ())
    else:
        assert isinstance(found, MessageIdConflict)
    assert brief(outcomes) == [1, 2, 3, 4, 5, 6]
    assert sorted(told) == sorted(["0 + 1", *(f"{count} + 1" for count in range(6))])


def test_a_batch_sent_again_folds_each_event_once(open_engine: OpenEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it costs to answer what is known grows with the batch, not with its square."""
    engine = open_engine(snapshots_every=0)
    batch = [engine.request("tally:@a", Add(), message_id=uuid4()) for _ in range(60)]
    first = all_sent(engine.send_all(batch))
    again = open_engine(snapshots_every=0)
    entity_type = type(batch[0].entity_type)
    folded: list[int] = []
    original = entity_type.fold

    def fold(self: Any, state: Any, stored: Any) -> Any:
        folded.append(len(stored))
        return original(self, state, stored)

    monkeypatch.setattr(entity_type, "fold", fold)
    repeated = all_sent(again.send_all(batch))
    assert [(each.version, each.state) for each in repeated] == [(each.version, each.state) for each in first]
    assert all(each.duplicate for each in repeated)
    assert sum(folded) == 60
