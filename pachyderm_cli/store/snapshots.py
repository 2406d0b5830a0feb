"""Snapshots: a cache of folds, kept beside the log and never trusted beyond their fingerprint."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, delete, select

from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.domain.timestamps import from_text, to_text
from pachyderm_cli.store.connection import insert_for
from pachyderm_cli.store.records import NewSnapshot, StoredSnapshot
from pachyderm_cli.store.schema import snapshots
from pachyderm_cli.store.store import Store

KEPT = 2
"""Snapshots kept of an entity and type; older ones go when a newer is taken, so that a long life stays small."""

_of_type = (
    snapshots.c.network == bindparam("in_network"),
    snapshots.c.entity_id == bindparam("of_id"),
    snapshots.c.entity_type == bindparam("as_type"),
)
_newest_first = select(snapshots).where(*_of_type).order_by(snapshots.c.version.desc())
_of_entity = (
    select(snapshots)
    .where(snapshots.c.network == bindparam("in_network"), snapshots.c.entity_id == bindparam("of_id"))
    .order_by(snapshots.c.version.desc(), snapshots.c.entity_type)
)
_other = snapshots.alias("other")
_oldest_kept = (
    select(_other.c.version)
    .where(
        _other.c.network == bindparam("in_network"),
        _other.c.entity_id == bindparam("of_id"),
        _other.c.entity_type == bindparam("as_type"),
    )
    .order_by(_other.c.version.desc())
    .offset(KEPT - 1)
    .limit(1)
    .scalar_subquery()
)
_drop_old = delete(snapshots).where(*_of_type, snapshots.c.version < _oldest_kept)


def write_snapshot(
    connection: Connection, network: str, entity: Reference, snapshot: NewSnapshot, taken_at: datetime
) -> None:
    """Keep `snapshot` inside the caller's transaction, in place of one at the same version; drop the oldest."""
    values = {"fingerprint": snapshot.fingerprint, "state": snapshot.state, "taken_at": to_text(taken_at)}
    insert = insert_for(connection.engine)(snapshots).values(
        network=network, entity_id=str(entity.id), entity_type=entity.type, version=snapshot.version, **values
    )
    connection.execute(insert.on_conflict_do_update(index_elements=snapshots.primary_key, set_=values))
    connection.execute(_drop_old, _key(network, entity))


def newest_snapshots(store: Store, network: str, entity: Reference) -> Iterator[StoredSnapshot]:
    """Yield the entity's snapshots taken as its type, newest first."""
    with store.reading() as connection:
        rows = connection.execute(_newest_first, _key(network, entity)).all()
    return map(_stored, rows)


def snapshots_of(store: Store, network: str, entity_id: UUID) -> list[StoredSnapshot]:
    """Return every snapshot of the entity, newest first, whatever code took it."""
    with store.reading() as connection:
        rows = connection.execute(_of_entity, {"in_network": network, "of_id": str(entity_id)}).all()
    return [_stored(row) for row in rows]


def drop_snapshots(store: Store, network: str, entity_id: UUID | None = None) -> int:
    """Drop the snapshots of an entity, or of the whole network; return how many there were."""
    statement = delete(snapshots).where(snapshots.c.network == network)
    if entity_id is not None:
        statement = statement.where(snapshots.c.entity_id == str(entity_id))
    with store.writing() as connection:
        return connection.execute(statement).rowcount


def _key(network: str, entity: Reference) -> dict[str, str]:
    return {"in_network": network, "of_id": str(entity.id), "as_type": entity.type}


def _stored(row: Row[Any]) -> StoredSnapshot:
    return StoredSnapshot(
        entity=Reference(row.entity_type, UUID(row.entity_id)),
        version=row.version,
        fingerprint=row.fingerprint,
        state=row.state,
        taken_at=from_text(row.taken_at),
    )
