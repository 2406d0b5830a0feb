"""Giving up an import in parts that will never come to its end: what is of no use without the rest goes again."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import uuid4

from sqlalchemy import and_, bindparam, delete, func, insert, or_, select

from pachyderm_cli.domain.timestamps import to_text
from pachyderm_cli.store.erasing import tombstone_row
from pachyderm_cli.store.importing import lock
from pachyderm_cli.store.imports import forget_parts, unfinished
from pachyderm_cli.store.records import ERASED
from pachyderm_cli.store.schema import entities, events
from pachyderm_cli.store.statement import Statement, Transaction
from pachyderm_cli.store.statements.append import next_position
from pachyderm_cli.store.store import Store

_each = (
    select(events.c.entity_id, func.max(events.c.version).label("last"), func.count().label("number"))
    .where(events.c.network == bindparam("network"))
    .group_by(events.c.entity_id)
    .subquery("each_entity")
)
_is_its_head = and_(entities.c.network == bindparam("network"), entities.c.id == _each.c.entity_id)
_LEAVE = Statement("erasing.LEAVE")
# In an export the head comes with the first event of the last message: those after it may be missing.
_HALVES = Statement(
    select(_each.c.entity_id, _each.c.number)
    .select_from(_each.outerjoin(entities, _is_its_head))
    .where(or_(entities.c.version.is_(None), entities.c.version != _each.c.last))
)
_entity = bindparam("entity_id", type_=entities.c.id.type)
_REMOVE = (
    Statement(delete(events).where(events.c.network == bindparam("network"), events.c.entity_id == _entity)),
    Statement(delete(entities).where(entities.c.network == bindparam("network"), entities.c.id == _entity)),
)
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

    An entity that has come in whole may have been written to since, and stays. Where the removed events
    were, one row stays that tells followers, so that no position is ever given a second time.
    """

    def work(transaction: Transaction) -> Abandoned | None:
        lock(transaction)
        found = unfinished(transaction, network)
        if found is None:
            return None
        halves = transaction.rows(_HALVES, {"network": network})
        count = sum(number for _, number in halves)
        if halves:  # first the row that stays: SQLite gives it a position after all that are there
            why = f"an import was given up: {count} events of {len(halves)} entities are gone again"
            _tell(transaction, network, at, why)
            for statement in _REMOVE:
                transaction.run_many(statement, [{"network": network, "entity_id": each} for each, _ in halves])
        forget_parts(transaction, network)
        return Abandoned(found.lines, len(halves), count)

    return store.write(work)


def _tell(transaction: Transaction, network: str, at: datetime, why: str) -> None:
    """Leave a row as that of an erased entity, which had no events."""
    key = {"network": network, "entity_id": str(uuid4()), "moment": to_text(at)}
    head = {"network": network, "id": key["entity_id"], "type": ERASED, "version": 1}
    transaction.count(_HEAD, {**head, "created_at": key["moment"], "updated_at": key["moment"]})
    transaction.count(_LEAVE, tombstone_row(key, "import", 1, why))
