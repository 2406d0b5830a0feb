"""Giving up an import in parts that will never come to its end: what is of no use without the rest goes again."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import uuid4

from sqlalchemy import bindparam, delete, func, insert, literal_column, select

from pachyderm_cli.domain.timestamps import to_text
from pachyderm_cli.store.append_statements import next_position
from pachyderm_cli.store.erasing import LEAVE, tombstone_row
from pachyderm_cli.store.importing import lock
from pachyderm_cli.store.imports import forget_parts, unfinished
from pachyderm_cli.store.schema import ERASED, entities, events
from pachyderm_cli.store.statement import Statement, Transaction
from pachyderm_cli.store.store import Store

_in_network = events.c.network == bindparam("network")
_has_head = (
    select(literal_column("1"))
    .where(entities.c.network == events.c.network, entities.c.id == events.c.entity_id)
    .exists()
)
_COUNT = Statement(select(func.count(func.distinct(events.c.entity_id)), func.count()).where(_in_network, ~_has_head))
_REMOVE = Statement(delete(events).where(_in_network, ~_has_head))
_HEAD = Statement(
    insert(entities).values(
        {**{column.name: bindparam(column.name) for column in entities.columns}, "position": next_position()}
    )
)


class Abandoned(NamedTuple):
    """An import that was given up: how many of its lines had come in, and how many entities and events went again."""

    lines: int
    entities: int
    events: int


def abandon_import(store: Store, network: str, at: datetime) -> Abandoned | None:
    """Remove the entities that had come in by half, and forget the import; return None where there is none unfinished.

    An entity whose head had come in is whole, may have been written to since, and stays. Where the removed events
    were, one row stays that tells followers, so that no position is ever given a second time.
    """

    def work(transaction: Transaction) -> Abandoned | None:
        lock(transaction)
        found = unfinished(transaction, network)
        if found is None:
            return None
        key = {"network": network}
        ((halves, count),) = transaction.rows(_COUNT, key)
        if count:  # first the row that stays: SQLite gives it a position after all that are there
            _tell(
                transaction, network, at, f"an import was given up: {count} events of {halves} entities are gone again"
            )
            transaction.count(_REMOVE, key)
        forget_parts(transaction, network)
        return Abandoned(found.lines, halves, count)

    return store.write(work)


def _tell(transaction: Transaction, network: str, at: datetime, why: str) -> None:
    """Leave a row as that of an erased entity, which had no events."""
    key = {"network": network, "entity_id": str(uuid4()), "moment": to_text(at)}
    head = {"network": network, "id": key["entity_id"], "type": ERASED, "version": 1}
    transaction.count(_HEAD, {**head, "created_at": key["moment"], "updated_at": key["moment"]})
    transaction.count(LEAVE, tombstone_row(key, "import", 1, why))
