"""A group of appends in one commit: each is in or out by itself."""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.append import append
from pachyderm_cli.store.records import Append, NewSnapshot, Outcome
from pachyderm_cli.store.snapshots import snapshots_of
from pachyderm_cli.store.store import Store
from tests.support.appends import an_append, an_entity, versions

NETWORK = "n"


def test_each_of_a_group_is_in_or_out_by_itself(store: Store) -> None:
    """A success, a conflict, a duplicate id, a first append and one with a snapshot, in one group: each has its own."""
    old, other, new, kept = (an_entity() for _ in range(4))
    used = uuid4()
    append(store, NETWORK, [an_append(old, message_id=used), an_append(other), an_append(kept)])
    outcomes = append(
        store,
        NETWORK,
        [
            an_append(old, 1, events=2),
            an_append(other, 0, snapshot=NewSnapshot(1, "lost", "{}")),
            an_append(other, 1, message_id=used, snapshot=NewSnapshot(2, "refused", "{}")),
            an_append(new, events=3),
            an_append(kept, 1, snapshot=NewSnapshot(2, "kept", '{"a":1}')),
        ],
    )
    assert outcomes == [
        Outcome.APPENDED,
        Outcome.CONFLICT,
        Outcome.MESSAGE_ID_USED,
        Outcome.APPENDED,
        Outcome.APPENDED,
    ]
    assert [versions(store, NETWORK, each) for each in (old, other, new, kept)] == [[1, 2, 3], [1], [1, 2, 3], [1, 2]]
    assert [(each.version, each.state) for each in snapshots_of(store, NETWORK, kept.id)] == [(2, '{"a":1}')]
    assert snapshots_of(store, NETWORK, other.id) == []


@pytest.mark.parametrize("with_snapshot", [False, True])
def test_a_conflict_in_a_group_leaves_no_snapshot(store: Store, *, with_snapshot: bool) -> None:
    """Beside neighbours that are written, with a snapshot or without, a loser's events and snapshot are not there."""
    winner, loser = an_entity(), an_entity()
    append(store, NETWORK, [an_append(loser, events=2)])
    snapshot = NewSnapshot(1, "f", "{}") if with_snapshot else None
    outcomes = append(
        store, NETWORK, [an_append(loser, 1, snapshot=NewSnapshot(2, "f", "{}")), an_append(winner, snapshot=snapshot)]
    )
    assert outcomes == [Outcome.CONFLICT, Outcome.APPENDED]
    assert (versions(store, NETWORK, loser), versions(store, NETWORK, winner)) == ([1, 2], [1])
    assert snapshots_of(store, NETWORK, loser.id) == []
    assert len(snapshots_of(store, NETWORK, winner.id)) == int(with_snapshot)


def without_a_name(entity: Reference) -> Append:
    """Return an append that breaks a constraint."""
    return an_append(entity, message=None)


def of_no_text(entity: Reference) -> Append:
    """Return an append that a driver cannot hand over: SQLite takes no such type, Postgres no such mix."""
    return an_append(entity, message={"not": "text"})


@pytest.mark.parametrize("refused", [without_a_name, of_no_text])
@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("with_snapshot", [False, True])
def test_one_that_the_database_refuses_does_not_hurt_its_neighbours(
    store: Store, refused: Callable[[Reference], Append], at: int, *, with_snapshot: bool
) -> None:
    """Wherever in the group it is, it alone is told of the error, and its neighbours of what became of them."""
    bad, good, better = an_entity(), an_entity(), an_entity()
    snapshot = NewSnapshot(1, "f", "{}") if with_snapshot else None
    group = [an_append(good, snapshot=snapshot), an_append(better)]
    group.insert(at, refused(bad))
    outcomes = append(store, NETWORK, group)
    assert isinstance(outcomes.pop(at), StoreError)
    assert outcomes == [Outcome.APPENDED, Outcome.APPENDED]
    assert [versions(store, NETWORK, each) for each in (bad, good, better)] == [[], [1], [1]]
    assert append(store, NETWORK, [an_append(bad), an_append(good, 1)]) == [Outcome.APPENDED] * 2


def test_a_group_writes_nothing_where_the_database_cannot_be_used(tmp_path: Path) -> None:
    """An error that is no append's own is raised once for all, and is not met again for each."""
    store = Store(f"sqlite:///{tmp_path}")
    with pytest.raises(StoreError, match="cannot be opened"):
        append(store, NETWORK, [an_append(an_entity()), an_append(an_entity())])
    store.close()
