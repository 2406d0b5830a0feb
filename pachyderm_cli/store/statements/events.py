"""What is said to the database of the events of an entity and of messages."""

from __future__ import annotations

from sqlalchemy import bindparam, literal_column, select

from pachyderm_cli.store.schema import events
from pachyderm_cli.store.statements.expressions import is_listed

_by_entity = (
    events.c.network == bindparam("network"),
    events.c.entity_id == bindparam("entity_id"),
    events.c.version > bindparam("after"),
    events.c.version <= bindparam("up_to"),
)
RECORDED_COLUMNS = (
    events.c.position,
    events.c.entity_type,
    events.c.version,
    events.c.type,
    events.c.data,
    events.c.message,
    events.c.message_id,
    events.c.caused_by,
    events.c.recorded_at,
    events.c.type_version,
)
"""What `recorded` reads, in its order."""

ASCENDING = select(*RECORDED_COLUMNS).where(*_by_entity).order_by(events.c.version).limit(bindparam("page"))
DESCENDING = select(*RECORDED_COLUMNS).where(*_by_entity).order_by(events.c.version.desc()).limit(bindparam("page"))
TO_FOLD = (
    select(events.c.version, events.c.type, events.c.data, events.c.type_version)
    .where(*_by_entity)
    .order_by(events.c.version)
    .limit(bindparam("page"))
)
BY_MESSAGE = (
    select(
        events.c.entity_type, events.c.entity_id, events.c.message_fingerprint, events.c.recorded_at, events.c.version
    )
    .where(events.c.network == bindparam("network"), events.c.message_id == bindparam("message_id"))
    .order_by(events.c.ordinal)
)

BETWEEN_MESSAGES = (
    select(events.c.message_id)
    .where(
        events.c.network == bindparam("network"),
        events.c.message_id >= bindparam("first"),
        events.c.message_id <= bindparam("last"),
    )
    .order_by(events.c.message_id)
    .limit(bindparam("most"))
)
"""Tells which messages there are from one id to another; in an order, so that it is the index on them that is used."""

BY_MESSAGES = (
    select(
        events.c.message_id,
        events.c.entity_type,
        events.c.entity_id,
        events.c.message_fingerprint,
        events.c.recorded_at,
        events.c.version,
    )
    .where(events.c.network == bindparam("network"), is_listed(events.c.message_id, bindparam("message_ids")))
    .order_by(events.c.message_id, events.c.ordinal)
)


OF_MESSAGE = (
    select(events.c.entity_id, *RECORDED_COLUMNS)
    .where(events.c.network == bindparam("network"), events.c.message_id == bindparam("message_id"))
    .order_by(events.c.ordinal)
)
CAUSED_BY = (
    select(events.c.message_id)
    .where(events.c.network == bindparam("network"), events.c.caused_by == bindparam("caused_by"))
    .where(events.c.ordinal == literal_column("0"))
    .order_by(events.c.position)
)
