"""What is said to the database to erase an entity."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Text, and_, bindparam, delete, insert, literal_column, or_, select, update

from pachyderm_cli.store.records import ERASED
from pachyderm_cli.store.schema import entities, events, forks, lookups, outbox, snapshots
from pachyderm_cli.store.statements.append import next_position

_in_network: Any = bindparam("network")
_entity = bindparam("entity_id", type_=entities.c.id.type)
_erased = literal_column(f"'{ERASED}'", Text)

MARK = (
    update(entities)
    .where(entities.c.network == _in_network, entities.c.id == _entity, entities.c.type != _erased)
    .values(
        type=_erased,
        version=entities.c.version + literal_column("1"),
        position=next_position(),
        created_at=bindparam("moment"),
        updated_at=bindparam("moment"),
    )
    .returning(entities.c.version)
)
LAST_TYPE = select(entities.c.type).where(entities.c.network == _in_network, entities.c.id == _entity)
LEAVE = (
    insert(events)
    .values({column.name: bindparam(column.name) for column in events.columns if column.name != "position"})
    .returning(events.c.position)
)
"""Leaves the row that an erasure is told by."""


def _copies() -> Any:
    """Select the entities that are copies of one, or copies of its copies, whatever became of those between."""
    found = (
        select(forks.c.entity_id)
        .where(forks.c.network == _in_network, forks.c.from_id == _entity)
        .cte("copies", recursive=True)
    )
    further = select(forks.c.entity_id).where(forks.c.network == _in_network, forks.c.from_id == found.c.entity_id)
    found = found.union(further)
    return (
        select(entities.c.type, entities.c.id)
        .where(entities.c.network == _in_network, entities.c.id == found.c.entity_id, entities.c.type != _erased)
        .order_by(entities.c.id)
    )


COPIES = _copies()


def _all_of(table: Any, *conditions: Any) -> Any:
    return delete(table).where(table.c.network == _in_network, *conditions)


EVENTS = _all_of(events, events.c.entity_id == _entity, events.c.version < bindparam("version"))
EFFECTS = _all_of(outbox, outbox.c.entity_id == _entity)
# From its own network or from another one of this store.
_is_to_it = (outbox.c.to_id == _entity) & or_(
    and_(outbox.c.network == _in_network, outbox.c.to_network.is_(None)), outbox.c.to_network == _in_network
)
BROUGHT = delete(outbox).where(_is_to_it, outbox.c.ended_at.is_not(None))
# What is still to come is rejected, and who sent it may want to know of it: only what it says goes now.
ON_THEIR_WAY = update(outbox).where(_is_to_it, outbox.c.ended_at.is_(None)).values(data=literal_column("'{}'", Text))
# Where it came from stays noted, without which a copy of a copy would not be known as one.
SNAPSHOTS = _all_of(snapshots, snapshots.c.entity_id == _entity)
LOOKUPS = _all_of(lookups, lookups.c.entity_id == _entity)
