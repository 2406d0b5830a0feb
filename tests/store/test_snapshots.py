"""Snapshots in the store: two are kept of an entity and type, one at a version."""

from datetime import timedelta

from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.store.records import NewSnapshot
from pachyderm_cli.store.snapshots import drop_snapshots, newest_snapshots, snapshots_of, write_snapshot
from pachyderm_cli.store.store import Store
from tests.support.appends import an_entity
from tests.support.clocks import START


def keep(store: Store, entity: Reference, version: int, state: str = "{}", network: str = "n") -> None:
    """Write a snapshot in a transaction of its own."""
    taken_at = START + timedelta(hours=version)
    new = NewSnapshot(version, f"fingerprint {version}", state)
    store.write(lambda transaction: write_snapshot(transaction, network, entity, new, taken_at))


def test_two_are_kept(store: Store) -> None:
    """A third drops the oldest, and comes back as it was written."""
    entity = an_entity()
    for version in (1, 5, 9, 10):
        keep(store, entity, version, f'"{version}"')
    kept = snapshots_of(store, "n", entity.id)
    assert [(each.version, each.fingerprint, each.state) for each in kept] == [
        (10, "fingerprint 10", '"10"'),
        (9, "fingerprint 9", '"9"'),
    ]
    assert [each.taken_at for each in kept] == [START + timedelta(hours=10), START + timedelta(hours=9)]
    assert list(newest_snapshots(store, "n", entity)) == kept


def test_one_at_the_same_version_is_replaced(store: Store) -> None:
    """Written again, the later state is there, and the other version is not dropped for it."""
    entity = an_entity()
    for version, state in ((1, "a"), (2, "b"), (2, "c"), (1, "d")):
        keep(store, entity, version, state)
    assert [each.state for each in snapshots_of(store, "n", entity.id)] == ["c", "d"]


def test_an_older_one_than_those_kept_is_dropped_at_once(store: Store) -> None:
    """A slow writer's snapshot does not push out a newer."""
    entity = an_entity()
    for version in (8, 9, 3):
        keep(store, entity, version)
    assert [each.version for each in snapshots_of(store, "n", entity.id)] == [9, 8]


def test_types_and_networks_and_entities_are_apart(store: Store) -> None:
    """Two are kept of each type of each entity in each network; a type reads its own alone."""
    entity, another = an_entity(), an_entity()
    as_other = Reference("other", entity.id)
    for version in (1, 2, 3):
        keep(store, entity, version)
        keep(store, as_other, version)
        keep(store, another, version)
        keep(store, entity, version, network="two")
    of_entity = snapshots_of(store, "n", entity.id)
    assert [(each.version, each.entity.type) for each in of_entity] == [
        (3, "other"),
        (3, "tally"),
        (2, "other"),
        (2, "tally"),
    ]
    assert {each.entity for each in newest_snapshots(store, "n", as_other)} == {as_other}
    assert drop_snapshots(store, "n", entity.id) == 4
    assert drop_snapshots(store, "n", entity.id) == 0
    assert drop_snapshots(store, "n") == 2
    assert drop_snapshots(store, "two") == 2
