"""Copies of histories, and where they came from."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.domain.timestamps import from_text, to_text
from pachyderm_cli.store.failures import reads
from pachyderm_cli.store.lookups import write_lookup
from pachyderm_cli.store.records import NewSnapshot, Origin
from pachyderm_cli.store.statement import Statements, Transaction
from pachyderm_cli.store.store import Store

_said = Statements("forks")
_appending = Statements("append")


def fork(  # noqa: PLR0913 - what a copy says, by keyword
    store: Store,
    network: str,
    *,
    source: Reference,
    version: int,
    target: Reference,
    fork_id: UUID,
    at: datetime,
    lookup: NewSnapshot | None = None,
) -> bool:
    """Copy the events of `source` up to `version` into `target`, an entity that is not there; tell whether it was not.

    The copies are all of one message of the id `fork_id`, and each names the message that led to the original as its
    cause. `lookup` is the state for those who look entities up by it. In one transaction, inside the database: however
    long the history, it needs no memory.
    """
    moment = to_text(at)
    parameters = {
        "network": network,
        "entity_id": str(target.id),
        "entity_type": target.type,
        "to_version": version,
        "ahead": 0,
        "recorded_at": moment,
        "created_at": moment,
    }
    copied = {"to_id": str(target.id), "from_id": str(source.id), "message_id": str(fork_id)}
    note = {"from_type": source.type, "from_id": str(source.id), "from_version": version, "forked_at": moment}

    def work(transaction: Transaction) -> bool:
        if transaction.count(_appending.CREATE, parameters) != 1:
            return False
        transaction.count(_said.COPY, {**parameters, **copied})
        transaction.count(_said.NOTE, {**parameters, **note})
        if lookup is not None:
            write_lookup(transaction, network, target, lookup)
        return True

    return store.write(work)


def origin_of(store: Store, network: str, entity_id: UUID) -> Origin | None:
    """Return where the entity's first events were copied from, None if they are its own."""
    parameters = {"network": network, "entity_id": str(entity_id)}
    rows = store.read(lambda transaction: transaction.rows(_said.ORIGIN, parameters))
    return _origin(rows[0]) if rows else None


@reads("the origin of a copy", str, str, int, str)
def _origin(row: tuple[Any, ...]) -> Origin:
    from_type, from_id, from_version, forked_at = row
    return Origin(Reference(from_type, UUID(from_id)), from_version, from_text(forked_at))
