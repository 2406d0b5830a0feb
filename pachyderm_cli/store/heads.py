"""Finding entities without folding them: by id, by prefix, by type, by when they were last written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, select

from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.domain.timestamps import from_text
from pachyderm_cli.store.records import Head
from pachyderm_cli.store.schema import entities
from pachyderm_cli.store.store import Store

_STREAMED = 500
_EVERY = 2**62  # more than there are; a database takes 64 bits

_in_network = entities.c.network == bindparam("network")
_by_id = select(entities).where(_in_network, entities.c.id == bindparam("id"))
_between = (
    select(entities)
    .where(_in_network, entities.c.id >= bindparam("first"), entities.c.id <= bindparam("last"))
    .order_by(entities.c.id)
    .limit(bindparam("most"))
)
_last_written_first = (
    select(entities).where(_in_network).order_by(entities.c.position.desc(), entities.c.id.desc())
)


def find_head(store: Store, network: str, entity_id: UUID) -> Head | None:
    """Return the entity of that id, None if nothing was ever written to it."""
    with store.reading() as connection:
        row = connection.execute(_by_id, {"network": network, "id": str(entity_id)}).one_or_none()
    return None if row is None else _head(row)


def heads_between(store: Store, network: str, first: UUID, last: UUID, most: int) -> list[Head]:
    """Return up to `most` entities with ids from `first` to `last`, by id."""
    parameters = {"network": network, "first": str(first), "last": str(last), "most": most}
    with store.reading() as connection:
        return [_head(row) for row in connection.execute(_between, parameters)]


def heads(store: Store, network: str, type_name: str | None = None, limit: int | None = None) -> Iterator[Head]:
    """Yield the entities, last written first: all, or those that `type_name` handled last. Streamed."""
    statement = _last_written_first
    if type_name is not None:
        statement = statement.where(entities.c.type == type_name)
    if limit is not None:
        statement = statement.limit(min(limit, _EVERY))
    with store.reading() as connection:
        streaming = connection.execution_options(yield_per=_STREAMED)
        with streaming.execute(statement, {"network": network}) as rows:
            for row in rows:
                yield _head(row)


def _head(row: Row[Any]) -> Head:
    return Head(
        entity=Reference(row.type, UUID(row.id)),
        version=row.version,
        created_at=from_text(row.created_at),
        updated_at=from_text(row.updated_at),
    )
