"""Lookups: the newest state of every entity of a type that asks for it, written in each send's own transaction."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.domain.timestamps import from_text
from pachyderm_cli.store.failures import reads
from pachyderm_cli.store.heads import stays_there
from pachyderm_cli.store.records import Head, NewSnapshot, StoredLookup
from pachyderm_cli.store.statement import Statements, Transaction
from pachyderm_cli.store.store import Store

_said = Statements("lookups")


def write_lookup(transaction: Transaction, network: str, entity: Reference, state: NewSnapshot) -> None:
    """Keep the entity's newest state inside the caller's transaction."""
    transaction.count(_said.KEEP, _row(network, entity, state))


def keep_lookup(store: Store, network: str, entity: Reference, state: NewSnapshot) -> None:
    """Keep the entity's state in a transaction of its own, unless a newer one is there, or the entity was erased."""

    def keep(transaction: Transaction) -> None:
        if stays_there(transaction, network, entity.id):
            write_lookup(transaction, network, entity, state)

    store.write(keep)


def lookups_of(store: Store, network: str, type_name: str) -> Iterator[StoredLookup]:
    """Yield the states kept of a type, by id, with the entities' heads. Streamed."""
    with store.streaming() as transaction:
        for row in transaction.stream(_said.EACH, {"network": network, "entity_type": type_name}):
            yield _stored(type_name, row)


def count_of_type(store: Store, network: str, type_name: str) -> int:
    """Return how many entities a type handled last."""
    parameters = {"network": network, "entity_type": type_name}
    [(count,)] = store.read(lambda transaction: transaction.rows(_said.COUNT, parameters))
    return int(count)


def _row(network: str, entity: Reference, state: NewSnapshot) -> dict[str, Any]:
    key = {"network": network, "entity_type": entity.type, "entity_id": str(entity.id)}
    return {**key, "version": state.version, "fingerprint": state.fingerprint, "state": state.state}


@reads("a kept state", str, int, str, str, int, str, str)
def _stored(type_name: str, row: tuple[Any, ...]) -> StoredLookup:
    entity_id, version, fingerprint, state, head_version, created_at, updated_at = row
    moments: tuple[datetime, datetime] = from_text(created_at), from_text(updated_at)
    head = Head(Reference(type_name, UUID(entity_id)), head_version, *moments)
    return StoredLookup(head, version, fingerprint, state)
