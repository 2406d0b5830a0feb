"""What is said to the database of the states that are kept for lookup."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, func, select

from pachyderm_cli.store.schema import entities, lookups

_replaced = ("version", "fingerprint", "state")


def _keep(dialect_insert: Any) -> Any:
    new = dialect_insert(lookups)
    return new.on_conflict_do_update(
        index_elements=list(lookups.primary_key),
        set_={name: new.excluded[name] for name in _replaced},
        where=lookups.c.version <= new.excluded.version,
    )


KEEP = _keep
_of_type = (lookups.c.network == bindparam("network"), lookups.c.entity_type == bindparam("entity_type"))
_is_its_head = (entities.c.network == lookups.c.network) & (entities.c.id == lookups.c.entity_id)
EACH = (
    select(
        lookups.c.entity_id,
        lookups.c.version,
        lookups.c.fingerprint,
        lookups.c.state,
        entities.c.version,
        entities.c.created_at,
        entities.c.updated_at,
    )
    .select_from(lookups.join(entities, _is_its_head))
    .where(*_of_type)
    .order_by(lookups.c.entity_id)
)
COUNT = select(func.count()).where(
    entities.c.network == bindparam("network"), entities.c.type == bindparam("entity_type")
)
