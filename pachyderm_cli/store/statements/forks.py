"""What is said to the database of copies of histories."""

from __future__ import annotations

from sqlalchemy import bindparam, insert, literal_column, select

from pachyderm_cli.store.schema import entities, events, forks

_copied = (
    events.c.network,
    bindparam("to_id", type_=entities.c.id.type),
    events.c.version,
    events.c.entity_type,
    events.c.type,
    events.c.data,
    bindparam("message_id", type_=entities.c.id.type),
    events.c.version - literal_column("1"),
    events.c.message,
    events.c.message_fingerprint,
    events.c.message_id,
    events.c.recorded_at,
    events.c.type_version,
)
COPY = insert(events).from_select(
    [column.name for column in events.columns if column.name != "position"],
    select(*_copied)
    .where(
        events.c.network == bindparam("network"),
        events.c.entity_id == bindparam("from_id", type_=entities.c.id.type),
        events.c.version <= bindparam("to_version"),
    )
    .order_by(events.c.version),
)
NOTE = insert(forks).values({column.name: bindparam(column.name) for column in forks.columns})
ORIGIN = select(forks.c.from_type, forks.c.from_id, forks.c.from_version, forks.c.forked_at).where(
    forks.c.network == bindparam("network"), forks.c.entity_id == bindparam("entity_id")
)
