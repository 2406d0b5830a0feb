"""What is said to the database of snapshots."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, delete, select

from pachyderm_cli.store.schema import snapshots
from pachyderm_cli.store.snapshots import KEPT

_columns = (
    snapshots.c.entity_id,
    snapshots.c.entity_type,
    snapshots.c.version,
    snapshots.c.fingerprint,
    snapshots.c.state,
    snapshots.c.taken_at,
)
_in_network = snapshots.c.network == bindparam("network")
_of_entity = snapshots.c.entity_id == bindparam("entity_id")
_as_type = snapshots.c.entity_type == bindparam("entity_type")
NEWEST_FIRST = (
    select(*_columns)
    .where(_in_network, _of_entity, _as_type, snapshots.c.version <= bindparam("up_to"))
    .order_by(snapshots.c.version.desc())
)
ALL_OF_ENTITY = (
    select(*_columns).where(_in_network, _of_entity).order_by(snapshots.c.version.desc(), snapshots.c.entity_type)
)
_replaced = ("fingerprint", "state", "taken_at")


def _keep(dialect_insert: Any) -> Any:
    new = dialect_insert(snapshots)
    return new.on_conflict_do_update(
        index_elements=list(snapshots.primary_key), set_={name: new.excluded[name] for name in _replaced}
    )


KEEP = _keep
_other = snapshots.alias("other")
_oldest_kept = (
    select(_other.c.version)
    .where(
        _other.c.network == bindparam("network"),
        _other.c.entity_id == bindparam("entity_id"),
        _other.c.entity_type == bindparam("entity_type"),
    )
    .order_by(_other.c.version.desc())
    .offset(KEPT - 1)
    .limit(1)
    .scalar_subquery()
)
DROP_OLD = delete(snapshots).where(_in_network, _of_entity, _as_type, snapshots.c.version < _oldest_kept)
DROP_OF_ENTITY = delete(snapshots).where(_in_network, _of_entity)
DROP_ALL = delete(snapshots).where(_in_network)
