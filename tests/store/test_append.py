"""Appending: compare-and-swap on the head, message ids once, all or nothing."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest

from pachyderm_cli.errors import StoreError
from pachyderm_cli.store import append as append_module
from pachyderm_cli.store.append import append
from pachyderm_cli.store.events import find_message, read_events
from pachyderm_cli.store.heads import find_head
from pachyderm_cli.store.records import Append, NewEvent, NewSnapshot, Outcome
from pachyderm_cli.store.schema import entities
from pachyderm_cli.store.snapshots import snapshots_of
from pachyderm_cli.store.store import Store
from tests.support.appends import an_append, an_entity, versions
from tests.support.clocks import START
from tests.support.raw import all_rows, execute, row_counts

NETWORK = "n"


def test_the_first_append_makes_the_head(store: Store) -> None:
    """A new entity's head says its type, its version and when it was made."""
    entity = an_entity()
    assert append(store, NETWORK, [an_append(entity, events=3)]) == [Outcome.APPENDED]
    head = find_head(store, NETWORK, entity.id)
    assert head is not None
    assert (head.entity, head.version, head.created_at, head.updated_at) == (entity, 3, START, START)
    assert versions(store, NETWORK, entity) == [1, 2, 3]


@pytest.mark.parametrize("expected", [1, 7])
def test_a_version_expected_of_an_empty_stream_is_a_conflict(store: Store, store_url: str, expected: int) -> None:
    """Where there is no head, only version 0 can be expected."""
    assert append(store, NETWORK, [an_append(an_entity(), expected)]) == [Outcome.CONFLICT]
    assert row_counts(store_url) == {"entities": 0, "events": 0, "snapshots": 0}


@pytest.mark.parametrize("expected", [0, 1, 3, 7])
def test_any_other_version_than_the_head_s_is_a_conflict(store: Store, store_url: str, expected: int) -> None:
    """The head is swapped from the expected version alone; a loser leaves every row as it was."""
    entity = an_entity()
    append(store, NETWORK, [an_append(entity, events=2)])
    before = all_rows(store_url)
    snapshot = NewSnapshot(expected + 1, "f", "{}")
    assert append(store, NETWORK, [an_append(entity, expected, snapshot=snapshot)]) == [Outcome.CONFLICT]
    assert all_rows(store_url) == before
    assert append(store, NETWORK, [an_append(entity, 2)]) == [Outcome.APPENDED]
    assert versions(store, NETWORK, entity) == [1, 2, 3]


def test_each_append_of_a_batch_is_decided_by_itself(store: Store) -> None:
    """A conflict in the middle keeps nothing else out; later ones see what earlier ones wrote."""
    a, b = an_entity(), an_entity()
    outcomes = append(
        store,
        NETWORK,
        [an_append(a), an_append(a, 7), an_append(an_entity(), 1), an_append(a, 1, events=2), an_append(b)],
    )
    assert outcomes == [
        Outcome.APPENDED,
        Outcome.CONFLICT,
        Outcome.CONFLICT,
        Outcome.APPENDED,
        Outcome.APPENDED,
    ]
    assert (versions(store, NETWORK, a), versions(store, NETWORK, b)) == ([1, 2, 3], [1])


def test_a_message_id_is_used_once_within_a_batch(store: Store) -> None:
    """Of two appends of one id in a batch the first is in, the second is told; the others are not touched."""
    a, b, c = an_entity(), an_entity(), an_entity()
    message_id = uuid4()
    outcomes = append(
        store,
        NETWORK,
        [an_append(a, message_id=message_id), an_append(b, message_id=message_id), an_append(c)],
    )
    assert outcomes == [Outcome.APPENDED, Outcome.MESSAGE_ID_USED, Outcome.APPENDED]
    assert (versions(store, NETWORK, a), versions(store, NETWORK, b), versions(store, NETWORK, c)) == ([1], [], [1])
    assert find_head(store, NETWORK, b.id) is None


def test_a_message_id_is_used_once_for_all_entities(store: Store, store_url: str) -> None:
    """An id that is in the log is refused for the same entity at a later version and for any other."""
    a, b = an_entity(), an_entity()
    message_id = uuid4()
    append(store, NETWORK, [an_append(a, events=2, message_id=message_id)])
    before = all_rows(store_url)
    assert append(store, NETWORK, [an_append(a, 2, message_id=message_id)]) == [Outcome.MESSAGE_ID_USED]
    assert append(store, NETWORK, [an_append(b, message_id=message_id)]) == [Outcome.MESSAGE_ID_USED]
    assert all_rows(store_url) == before


def test_a_failing_append_leaves_nothing(store: Store, store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the last of a batch raises, the first is not there either."""
    append(store, NETWORK, [an_append(an_entity())])
    before = all_rows(store_url)
    name = "parameters_of" if store.is_sqlite else "with_given"
    original = getattr(append_module, name)
    calls = 0

    def failing(network: str, each: Append) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise RuntimeError("in the middle")
        return original(network, each)

    monkeypatch.setattr(append_module, name, failing)
    with pytest.raises(RuntimeError, match="in the middle"):
        append(store, NETWORK, [an_append(an_entity()), an_append(an_entity())])
    assert all_rows(store_url) == before


def test_a_violation_that_no_race_explains_is_an_error(store: Store, store_url: str) -> None:
    """A log that is ahead of its head, which pachyderm never writes, is called inconsistent, not a conflict."""
    entity = an_entity()
    append(store, NETWORK, [an_append(entity, events=2)])
    execute(store_url, entities.update().values(version=1))
    with pytest.raises(StoreError, match="inconsistent"):
        append(store, NETWORK, [an_append(entity, 1)])
    assert versions(store, NETWORK, entity) == [1, 2]


def test_a_snapshot_goes_with_its_append(store: Store) -> None:
    """The snapshot is written with the events, at the time of the append."""
    entity = an_entity()
    append(store, NETWORK, [an_append(entity, snapshot=NewSnapshot(1, "f", '{"a":1}'))])
    [snapshot] = snapshots_of(store, NETWORK, entity.id)
    assert (snapshot.version, snapshot.fingerprint, snapshot.state) == (1, "f", '{"a":1}')
    assert snapshot.taken_at == START


def test_what_is_appended_is_read_as_it_was(store: Store) -> None:
    """Data come back to the character, with all that was recorded beside them."""
    entity, message_id, cause = an_entity(), uuid4(), uuid4()
    data = '{"z": 1.50, "a": "\\u0000 \U0001f418 ẞ", "z2": -0.0}'
    new = an_append(entity, message_id=message_id, caused_by=cause, message="Keep", message_fingerprint="m")
    new = new._replace(events=(NewEvent(1, "Kept", data),))
    append(store, NETWORK, [new])
    [recorded] = read_events(store, NETWORK, entity.id)
    assert (recorded.type, recorded.data, recorded.entity) == ("Kept", data, entity)
    assert (recorded.message, recorded.message_id, recorded.caused_by) == ("Keep", message_id, cause)
    assert recorded.recorded_at == START


def test_a_message_is_found_by_its_id(store: Store) -> None:
    """Its entity, fingerprint and versions are known; in another network it is not."""
    entity, message_id = an_entity(), uuid4()
    append(store, NETWORK, [an_append(entity)])
    append(store, NETWORK, [an_append(entity, 1, events=3, message_id=message_id, message_fingerprint="m")])
    found = find_message(store, NETWORK, message_id)
    assert found is not None
    assert (found.entity, found.fingerprint, found.first_version, found.last_version) == (entity, "m", 2, 4)
    assert find_message(store, "other", message_id) is None
    assert find_message(store, NETWORK, uuid4()) is None


def test_networks_are_apart(store: Store) -> None:
    """The same entity and message id in two networks are two streams."""
    entity, message_id = an_entity(), uuid4()
    both: Sequence[str] = ("one", "two")
    for network in both:
        assert append(store, network, [an_append(entity, message_id=message_id)]) == [Outcome.APPENDED]
    assert append(store, "one", [an_append(entity, 1)]) == [Outcome.APPENDED]
    assert [len(list(read_events(store, network, entity.id))) for network in both] == [2, 1]
