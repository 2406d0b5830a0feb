"""Appending all or nothing: a batch is in the log with everything it has, in its order, or not at all."""

import json
from uuid import uuid4

import pytest

from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.append import append, append_all
from pachyderm_cli.store.events import read_events
from pachyderm_cli.store.heads import find_head, heads
from pachyderm_cli.store.records import Append, NewSnapshot, Outcome
from pachyderm_cli.store.snapshots import snapshots_of
from pachyderm_cli.store.store import Store
from tests.support.appends import an_append, an_entity, versions
from tests.support.raw import all_rows, row_counts

NETWORK = "n"


def positions(store: Store, entity: Reference) -> list[int]:
    """Return the places of the entity's events in the log."""
    return [event.position for event in read_events(store, NETWORK, entity.id)]


def a_chain(entity: Reference, *sizes: int) -> list[Append]:
    """Return appends to one entity, of so many events each, that follow one another."""
    return [an_append(entity, sum(sizes[:index]), events=size) for index, size in enumerate(sizes)]


def test_a_batch_is_written_in_whole(store: Store) -> None:
    """New entities and known ones, with one event or several: all are in, and there is no conflict to tell of."""
    known, new, another = an_entity(), an_entity(), an_entity()
    append(store, NETWORK, [an_append(known, events=2)])
    assert (
        append_all(store, NETWORK, [an_append(new, events=3), an_append(known, 2, events=2), an_append(another)]) == []
    )
    assert [versions(store, NETWORK, each) for each in (known, new, another)] == [[1, 2, 3, 4], [1, 2, 3], [1]]
    assert [json.loads(event.data) for event in read_events(store, NETWORK, new.id)] == [
        {"amount": 1},
        {"amount": 2},
        {"amount": 3},
    ]


def test_an_entity_may_be_in_a_batch_several_times(store: Store) -> None:
    """It is made and then moved on, each time from the version that the append before led to."""
    a, b = an_entity(), an_entity()
    [first, *later], of_b = a_chain(a, 1, 3, 2), an_append(b)
    assert append_all(store, NETWORK, [first, of_b, *later]) == []
    assert (versions(store, NETWORK, a), versions(store, NETWORK, b)) == ([1, 2, 3, 4, 5, 6], [1])
    head = find_head(store, NETWORK, a.id)
    assert head is not None
    assert head.version == 6


def test_the_log_has_the_order_of_the_batch(store: Store) -> None:
    """Whatever their ids, entities' events have places in the order of the appends, and the last one leads the list."""
    entities = [an_entity(digit) for digit in "f0a5"]
    append(store, NETWORK, [an_append(entities[2])])
    batch = [
        an_append(entities[0], events=2),
        an_append(entities[1]),
        an_append(entities[2], 1, events=2),
        an_append(entities[0], 2),
        an_append(entities[3]),
    ]
    assert append_all(store, NETWORK, batch) == []
    a, b, c, d = (positions(store, entity) for entity in entities)
    in_order = [*a[:2], *b, *c[1:], *a[2:], *d]
    assert in_order == sorted(in_order)
    assert c[0] < in_order[0]
    listed = [head.entity for head in heads(store, NETWORK)]
    assert listed == [entities[index] for index in (3, 0, 2, 1)]


def test_one_conflict_keeps_all_out(store: Store, store_url: str) -> None:
    """Nothing is written, neither before it nor behind it, and its index is told."""
    entity = an_entity()
    append(store, NETWORK, [an_append(entity, events=2)])
    before = all_rows(store_url)
    others = [an_append(an_entity(), snapshot=NewSnapshot(1, "f", "{}")) for _ in range(6)]
    for at in (0, 3, 6):
        batch = [*others[:at], an_append(entity, 1), *others[at:]]
        assert append_all(store, NETWORK, batch) == [at]
        assert all_rows(store_url) == before


def test_every_conflict_is_told(store: Store, store_url: str) -> None:
    """Entities that are there already, and those that are not where they are expected, in the order of the batch."""
    one, other = an_entity(), an_entity()
    append(store, NETWORK, [an_append(one), an_append(other)])
    before = all_rows(store_url)
    batch = [
        an_append(an_entity()),
        an_append(one),
        an_append(an_entity(), 4),
        an_append(an_entity()),
        an_append(other, 9, events=2),
    ]
    assert append_all(store, NETWORK, batch) == [1, 2, 4]
    assert all_rows(store_url) == before


def test_what_follows_a_conflict_in_a_chain_is_one_too(store: Store, store_url: str) -> None:
    """Where another writer was before the first of a chain, none of it could be written."""
    entity = an_entity()
    append(store, NETWORK, [an_append(entity, events=5)])
    assert append_all(store, NETWORK, [an_append(an_entity()), *a_chain(entity, 1, 1, 1)]) == [1, 2, 3]
    assert row_counts(store_url) == {"entities": 1, "events": 5, "snapshots": 0}


def test_a_chain_that_does_not_follow_is_refused(store: Store, store_url: str) -> None:
    """An entity's appends that expect another version than those before lead to are told, and nothing is written."""
    entity = an_entity()
    batch = [an_append(an_entity()), an_append(entity), an_append(entity, 7)]
    assert append_all(store, NETWORK, batch) == [1, 2]
    assert row_counts(store_url) == {"entities": 0, "events": 0, "snapshots": 0}


def test_a_conflict_leaves_nothing_open(store: Store, store_url: str) -> None:
    """The connection that was used for it has no transaction, and no lock: the store and others write at once."""
    entity = an_entity()
    append(store, NETWORK, [an_append(entity)])
    for _ in range(3):
        assert append_all(store, NETWORK, [an_append(an_entity()), an_append(entity)]) == [1]
    other = Store(store_url)
    assert append(other, NETWORK, [an_append(entity, 1)]) == [Outcome.APPENDED]
    other.close()
    assert append(store, NETWORK, [an_append(entity, 2)]) == [Outcome.APPENDED]
    assert append_all(store, NETWORK, [an_append(an_entity()), an_append(entity, 3)]) == []
    assert row_counts(store_url)["events"] == 5


@pytest.mark.parametrize("within", [False, True])
def test_a_message_id_that_was_used_is_an_error(store: Store, store_url: str, *, within: bool) -> None:
    """Used in the log or earlier in the same batch, it keeps the whole batch out, and the store works on."""
    message_id, entity = uuid4(), an_entity()
    used = an_append(entity, message_id=message_id)
    before = [used] if within else []
    if not within:
        append(store, NETWORK, [used])
    rows = row_counts(store_url)
    with pytest.raises(StoreError):
        append_all(store, NETWORK, [an_append(an_entity()), *before, an_append(an_entity(), message_id=message_id)])
    assert row_counts(store_url) == rows
    assert append_all(store, NETWORK, [an_append(an_entity()), an_append(an_entity())]) == []


def test_snapshots_are_written_with_their_appends(store: Store) -> None:
    """Each has the version it was taken at; in a chain the newest are kept."""
    a, b = an_entity(), an_entity()
    batch = [
        *(each._replace(snapshot=NewSnapshot(each.version, "f", f"[{each.version}]")) for each in a_chain(a, 1, 2, 3)),
        an_append(b, events=2, snapshot=NewSnapshot(2, "f", "{}")),
    ]
    assert append_all(store, NETWORK, batch) == []
    assert [(each.version, each.state) for each in snapshots_of(store, NETWORK, a.id)] == [(6, "[6]"), (3, "[3]")]
    assert [each.version for each in snapshots_of(store, NETWORK, b.id)] == [2]


def test_a_big_batch_is_one_commit(store: Store, store_url: str) -> None:
    """Two thousand appends, some of them to one entity, are in at once; with one conflict, none is."""
    entity = an_entity()
    chain = iter(a_chain(entity, *[1] * 500))
    batch = [next(chain) if index % 4 == 3 else an_append(an_entity()) for index in range(2000)]
    assert append_all(store, NETWORK, [*batch, an_append(an_entity(), 3)]) == [2000]
    assert row_counts(store_url) == {"entities": 0, "events": 0, "snapshots": 0}
    assert append_all(store, NETWORK, batch) == []
    assert row_counts(store_url) == {"entities": 1501, "events": 2000, "snapshots": 0}
    assert versions(store, NETWORK, entity) == list(range(1, 501))


def test_an_empty_batch_writes_nothing(store: Store, store_url: str) -> None:
    """There is nothing that could be in conflict."""
    assert append_all(store, NETWORK, []) == []
    assert row_counts(store_url) == {"entities": 0, "events": 0, "snapshots": 0}
