"""Looking up many message ids at once."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from pachyderm_cli.domain.identifiers import new_message_id
from pachyderm_cli.store.append import append, append_all
from pachyderm_cli.store.events import find_message, find_messages
from pachyderm_cli.store.schema import events
from pachyderm_cli.store.statement import Transaction
from pachyderm_cli.store.store import Store
from tests.support.appends import an_append, an_entity
from tests.support.clocks import START
from tests.support.raw import execute

NETWORK = "n"


def test_known_ones_are_found_and_others_are_not(store: Store) -> None:
    """What comes back is by id, in whatever order they are asked for; an unknown id is left out."""
    entities, ids = [an_entity() for _ in range(3)], [uuid4() for _ in range(3)]
    for entity, message_id in zip(entities, ids, strict=True):
        append(store, NETWORK, [an_append(entity, message_id=message_id, message_fingerprint=str(message_id)[:4])])
    found = find_messages(store, NETWORK, [ids[2], uuid4(), ids[0]])
    assert set(found) == {ids[0], ids[2]}
    for index in (0, 2):
        known = found[ids[index]]
        assert (known.entity, known.fingerprint, known.recorded_at) == (entities[index], str(ids[index])[:4], START)
    assert find_messages(store, NETWORK, [uuid4()]) == {}


@pytest.mark.parametrize("events", [1, 2, 5])
def test_a_message_s_first_and_last_versions_are_told(store: Store, events: int) -> None:
    """However many events it led to, and whatever the entity had before and has since."""
    entity, message_id = an_entity(), uuid4()
    append(store, NETWORK, [an_append(entity, events=3)])
    append(store, NETWORK, [an_append(entity, 3, events=events, message_id=message_id)])
    append(store, NETWORK, [an_append(entity, 3 + events, events=2)])
    [found] = find_messages(store, NETWORK, [message_id, uuid4()]).values()
    assert (found.first_version, found.last_version) == (4, 3 + events)


def test_each_is_what_it_is_alone(store: Store) -> None:
    """Looked up with others or by itself, a message is the same."""
    appends = [an_append(an_entity(), events=1 + index % 3) for index in range(7)]
    assert append_all(store, NETWORK, appends) == []
    ids = [each.message_id for each in appends]
    assert find_messages(store, NETWORK, ids) == {each: find_message(store, NETWORK, each) for each in ids}


def test_an_id_may_be_asked_for_twice(store: Store) -> None:
    """It is found once, with the versions it has."""
    message = an_append(an_entity(), events=2)
    append(store, NETWORK, [message])
    [found] = find_messages(store, NETWORK, [message.message_id] * 3).values()
    assert (found.first_version, found.last_version) == (1, 2)


def test_another_network_s_are_not_seen(store: Store) -> None:
    """The same id in two networks is two messages."""
    message_id, here, there = uuid4(), an_entity(), an_entity()
    append(store, NETWORK, [an_append(here, message_id=message_id)])
    append(store, "other", [an_append(there, events=2, message_id=message_id)])
    assert [each.entity for each in find_messages(store, NETWORK, [message_id]).values()] == [here]
    assert [each.entity for each in find_messages(store, "other", [message_id]).values()] == [there]
    assert find_messages(store, "third", [message_id]) == {}


def test_thousands_are_looked_up_at_once(store: Store) -> None:
    """More ids than a statement takes parameters are no trouble."""
    appends = [an_append(an_entity()) for _ in range(1500)]
    assert append_all(store, NETWORK, appends) == []
    known = {each.message_id: each.entity for each in appends}
    asked = [message_id for each in known for message_id in (each, uuid4())]
    assert {each: found.entity for each, found in find_messages(store, NETWORK, asked).items()} == known


def test_none_are_found_of_none(store: Store) -> None:
    """An empty list finds nothing, in an empty store and in another."""
    assert find_messages(store, NETWORK, []) == {}
    append(store, NETWORK, [an_append(an_entity())])
    assert find_messages(store, NETWORK, []) == {}


def test_a_store_that_is_not_there_has_none(store: Store) -> None:
    """Looking before the first write finds nothing."""
    assert find_messages(store, NETWORK, [uuid4()]) == {}


def test_they_are_found_among_many_others(store: Store) -> None:
    """Whether few or many ids in the log lie between those that are asked for, known ones and only they are found."""
    ids = [UUID(int=2 * number + 2) for number in range(600)]
    append_all(store, NETWORK, [an_append(an_entity(), message_id=each) for each in ids])
    for first, last in ((0, 599), (10, 20), (10, 10), (0, 254), (0, 255), (0, 256), (5, 500)):
        there = {ids[first], ids[(first + last) // 2], ids[last]}
        absent = {UUID(int=2 * first + 1), UUID(int=2 * last + 3)}
        assert set(find_messages(store, NETWORK, [*there, *absent])) == there
    assert find_messages(store, NETWORK, [UUID(int=3), UUID(int=1001)]) == {}


@pytest.mark.parametrize("damaged", ["7", f"{UUID(int=0)}"[:-1] + "z", f"{UUID(int=5)} "])
def test_a_damaged_id_in_between_is_nobody_s(sqlite_url: str, damaged: str) -> None:
    """What was not asked for and cannot be read hinders no look-up."""
    store = Store(sqlite_url)
    ids = [UUID(int=number) for number in (4, 5, 6)]
    append_all(store, NETWORK, [an_append(an_entity(), message_id=each) for each in ids])
    execute(sqlite_url, events.update().where(events.c.message_id == str(ids[1])).values(message_id=damaged))
    assert [*find_messages(store, NETWORK, [ids[0], UUID(int=2**127), ids[2]])] == [ids[0], ids[2]]
    store.close()


@pytest.mark.parametrize("gap", [1, 2])
def test_ids_that_were_made_one_after_another_are_not_looked_up_one_by_one(
    store: Store, monkeypatch: pytest.MonkeyPatch, gap: int
) -> None:
    """Beyond all that is in the log, or next to a few of it, one look is enough."""
    ids = sorted(new_message_id() for _ in range(200))
    append_all(store, NETWORK, [an_append(an_entity(), message_id=each) for each in ids[::gap]][:100])
    looks: list[Any] = []
    prepared = Transaction._prepared

    def seen(*given: Any) -> Any:
        looks.append(given)
        return prepared(*given)

    monkeypatch.setattr(Transaction, "_prepared", seen)
    assert find_messages(store, NETWORK, ids[100:] if gap == 1 else ids[1::2]) == {}
    assert len(looks) == 1
