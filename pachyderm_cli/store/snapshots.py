"""Snapshots: a cache of folds, kept beside the log and never trusted beyond their fingerprint."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.domain.timestamps import from_text, to_text
from pachyderm_cli.store.failures import reads
from pachyderm_cli.store.heads import stays_there
from pachyderm_cli.store.records import NewSnapshot, StoredSnapshot
from pachyderm_cli.store.statement import Statements, Transaction
from pachyderm_cli.store.store import Store

KEPT = 2
"""Snapshots kept of an entity and type; older ones go when a newer is taken, so that a long life stays small."""

_LAST_VERSION = 2**62

_said = Statements("snapshots")


def write_snapshot(
    transaction: Transaction, network: str, entity: Reference, snapshot: NewSnapshot, taken_at: datetime
) -> None:
    """Keep `snapshot` inside the caller's transaction, in place of one at the same version; drop the oldest."""
    key = _key(network, entity)
    row = {"version": snapshot.version, "fingerprint": snapshot.fingerprint, "state": snapshot.state}
    transaction.count(_said.KEEP, {**key, **row, "taken_at": to_text(taken_at)})
    transaction.count(_said.DROP_OLD, key)


def keep_snapshot(store: Store, network: str, taken: StoredSnapshot) -> None:
    """Keep `taken` in a transaction of its own, unless its entity was erased meanwhile."""
    new = NewSnapshot(taken.version, taken.fingerprint, taken.state)

    def keep(transaction: Transaction) -> None:
        if stays_there(transaction, network, taken.entity.id):
            write_snapshot(transaction, network, taken.entity, new, taken.taken_at)

    store.write(keep)


def newest_snapshots(store: Store, network: str, entity: Reference, up_to: int | None = None) -> list[StoredSnapshot]:
    """Return the entity's snapshots taken as its type, at versions up to `up_to`, newest first."""
    parameters = {**_key(network, entity), "up_to": _LAST_VERSION if up_to is None else up_to}
    return [_stored(row) for row in store.read(lambda transaction: transaction.rows(_said.NEWEST_FIRST, parameters))]


def snapshots_of(store: Store, network: str, entity_id: UUID) -> list[StoredSnapshot]:
    """Return every snapshot of the entity, newest first, whatever code took it."""
    parameters = {"network": network, "entity_id": str(entity_id)}
    return [_stored(row) for row in store.read(lambda transaction: transaction.rows(_said.ALL_OF_ENTITY, parameters))]


def drop_snapshots(store: Store, network: str, entity_id: UUID | None = None) -> int:
    """Drop the snapshots of an entity, or of the whole network; return how many there were."""
    if entity_id is None:
        return store.write(lambda transaction: transaction.count(_said.DROP_ALL, {"network": network}))
    parameters = {"network": network, "entity_id": str(entity_id)}
    return store.write(lambda transaction: transaction.count(_said.DROP_OF_ENTITY, parameters))


def _key(network: str, entity: Reference) -> dict[str, Any]:
    return {"network": network, "entity_id": str(entity.id), "entity_type": entity.type}


@reads("a snapshot", str, str, int, str, str, str)
def _stored(row: tuple[Any, ...]) -> StoredSnapshot:
    entity_id, entity_type, version, fingerprint, state, taken_at = row
    return StoredSnapshot(Reference(entity_type, UUID(entity_id)), version, fingerprint, state, from_text(taken_at))
