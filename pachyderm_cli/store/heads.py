"""Finding entities without folding them: by id, by prefix, by type, by when they were last written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.domain.timestamps import from_text
from pachyderm_cli.store.failures import reads
from pachyderm_cli.store.records import Head
from pachyderm_cli.store.statement import Statements, Transaction
from pachyderm_cli.store.store import Store

_EVERY = 2**62  # more than there are; a database takes 64 bits

_said = Statements("heads")


def stays_there(transaction: Transaction, network: str, entity_id: UUID) -> bool:
    """Tell whether the entity is there, and not erased; and nobody erases it before the transaction's end."""
    return bool(transaction.rows(_said.SHARED, {"network": network, "id": str(entity_id)}))


def find_head(store: Store, network: str, entity_id: UUID) -> Head | None:
    """Return the entity of that id, None if nothing was ever written to it. One that was erased has the type ERASED."""
    rows = store.read(lambda transaction: transaction.rows(_said.BY_ID, {"network": network, "id": str(entity_id)}))
    return _head(rows[0]) if rows else None


def heads_between(store: Store, network: str, first: UUID, last: UUID, most: int) -> list[Head]:
    """Return up to `most` entities with ids from `first` to `last`, by id; erased ones have the type ERASED."""
    parameters = {"network": network, "first": str(first), "last": str(last), "most": most}
    return [_head(row) for row in store.read(lambda transaction: transaction.rows(_said.BETWEEN, parameters))]


def last_written(store: Store, network: str) -> Head | None:
    """Return the entity that was written last, None if there is none."""
    rows = store.read(lambda transaction: transaction.rows(_said.ALL, {"network": network, "most": 1}))
    return _head(rows[0]) if rows else None


def heads(store: Store, network: str, type_name: str | None = None, limit: int | None = None) -> Iterator[Head]:
    """Yield the entities, last written first: all, or those that `type_name` handled last. Streamed."""
    parameters = {"network": network, "most": _EVERY if limit is None else min(limit, _EVERY)}
    statement = _said.ALL
    if type_name is not None:
        statement = _said.OF_TYPE
        parameters["type"] = type_name
    with store.streaming() as transaction:
        for row in transaction.stream(statement, parameters):
            yield _head(row)


@reads("an entity", str, str, int, str, str)
def _head(row: tuple[Any, ...]) -> Head:
    identifier, type_name, version, created_at, updated_at = row
    return Head(Reference(type_name, UUID(identifier)), version, from_text(created_at), from_text(updated_at))
