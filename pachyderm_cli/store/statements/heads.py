"""What is said to the database of heads."""

from __future__ import annotations

from sqlalchemy import Text, bindparam, literal_column, select

from pachyderm_cli.store.records import ERASED
from pachyderm_cli.store.schema import entities

_columns = (entities.c.id, entities.c.type, entities.c.version, entities.c.created_at, entities.c.updated_at)
_in_network = entities.c.network == bindparam("network")
_is_there = entities.c.type != literal_column(f"'{ERASED}'", Text)
_last_written_first = (entities.c.position.desc(), entities.c.id.desc())
BY_ID = select(*_columns).where(_in_network, entities.c.id == bindparam("id"))
BETWEEN = (
    select(*_columns)
    .where(_in_network, entities.c.id >= bindparam("first"), entities.c.id <= bindparam("last"))
    .order_by(entities.c.id)
    .limit(bindparam("most"))
)
ALL = select(*_columns).where(_in_network, _is_there).order_by(*_last_written_first).limit(bindparam("most"))
SHARED = (
    select(entities.c.version)
    .where(_in_network, entities.c.id == bindparam("id"), _is_there)
    .with_for_update(read=True)
)
OF_TYPE = (
    select(*_columns)
    .where(_in_network, entities.c.type == bindparam("type"))
    .order_by(*_last_written_first)
    .limit(bindparam("most"))
)
