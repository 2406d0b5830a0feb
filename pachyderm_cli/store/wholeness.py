"""Whether a network is whole: its entities' versions without a gap, and each head at its last event."""

from __future__ import annotations

from sqlalchemy import and_, bindparam, func, literal_column, or_, select

from pachyderm_cli.errors import CheckFailed
from pachyderm_cli.store.records import ERASED
from pachyderm_cli.store.schema import entities, events
from pachyderm_cli.store.statement import Statement, Transaction

_each = (
    select(
        events.c.entity_id,
        func.min(events.c.version).label("first"),
        func.max(events.c.version).label("last"),
        func.count().label("number"),
    )
    .where(events.c.network == bindparam("network"))
    .group_by(events.c.entity_id)
    .subquery("each_entity")
)
_is_its_head = and_(entities.c.network == bindparam("network"), entities.c.id == _each.c.entity_id)
_ERASURE = (
    select(literal_column("1"))
    .where(
        events.c.network == bindparam("network"),
        events.c.entity_id == _each.c.entity_id,
        events.c.version == _each.c.first,
        events.c.type == literal_column(f"'{ERASED}'"),
    )
    .exists()
)
_BROKEN = Statement(
    select(_each.c.entity_id, _each.c.first, _each.c.last, _each.c.number, entities.c.version)
    .select_from(_each.outerjoin(entities, _is_its_head))
    .where(
        or_(
            entities.c.version.is_(None),
            entities.c.version != _each.c.last,
            _each.c.number != _each.c.last - _each.c.first + literal_column("1"),
            and_(_each.c.first != literal_column("1"), ~_ERASURE),  # an erased entity begins where it was erased
        )
    )
    .order_by(_each.c.entity_id)
    .limit(literal_column("1"))
)
_EMPTY = Statement(
    select(entities.c.id, entities.c.version)
    .where(
        entities.c.network == bindparam("network"),
        ~select(literal_column("1"))
        .where(events.c.network == entities.c.network, events.c.entity_id == entities.c.id)
        .exists(),
    )
    .limit(literal_column("1"))
)


def require_whole(transaction: Transaction, network: str) -> None:
    """Raise CheckFailed for the first entity of the network whose head and events are not of one piece."""
    for entity_id, first, last, number, version in transaction.rows(_BROKEN, {"network": network}):
        raise CheckFailed(
            f"the entity {entity_id} is not whole: it has {number} events with the versions {first} to {last}, "
            + ("and no head" if version is None else f"and its head is at version {version}"),
            entity=entity_id,
        )
    for entity_id, version in transaction.rows(_EMPTY, {"network": network}):
        raise CheckFailed(
            f"the entity {entity_id} is not whole: its head is at version {version}, and it has no events",
            entity=entity_id,
        )
