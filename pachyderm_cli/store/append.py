"""Appending: compare-and-swap on the head row, then the events; several sends may share one durable commit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Integer, Text, bindparam, cast, column, func, insert, select, true, type_coerce
from sqlalchemy.types import ARRAY

from pachyderm_cli.domain.timestamps import to_text
from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.events import find_message
from pachyderm_cli.store.failures import ConnectionLost, concerns_a_statement, is_constraint
from pachyderm_cli.store.records import Append, Outcome
from pachyderm_cli.store.schema import entities, events
from pachyderm_cli.store.snapshots import write_snapshot
from pachyderm_cli.store.statement import Statement, Transaction
from pachyderm_cli.store.store import Store

# Orders the entities by their last write. It is taken before the events have their positions: writers that overlap
# on Postgres may draw, which is as good an order as any for them.
_moved = {
    "type": bindparam("entity_type"),
    "version": bindparam("to_version"),
    "position": select(func.coalesce(func.max(events.c.position), 0) + 1).scalar_subquery(),
    "updated_at": bindparam("recorded_at"),
}
_advance_head = (
    entities.update()
    .where(
        entities.c.network == bindparam("network"),
        entities.c.id == bindparam("entity_id"),
        entities.c.version == bindparam("expected"),
    )
    .values(_moved)
)


def _create_head(dialect_insert: Any) -> Any:
    key: dict[str, Any] = {
        "network": bindparam("network"),
        "id": bindparam("entity_id"),
        "created_at": bindparam("recorded_at"),
    }
    return dialect_insert(entities).values({**key, **_moved}).on_conflict_do_nothing()


def _with_events(head: Any) -> Any:
    """Return one statement for Postgres that moves the head and, where it moved, inserts the events."""
    moved = head.returning(entities.c.version).cte("moved")
    given = func.unnest(bindparam("types", type_=ARRAY(Text)), bindparam("data", type_=ARRAY(Text))).table_valued(
        column("type", Text), column("data", Text), with_ordinality="number"
    )
    given = given.render_derived(name="given")
    number = type_coerce(given.c.number, BigInteger)  # from 1
    expected = bindparam("expected", type_=BigInteger)
    columns = {
        "network": bindparam("network", type_=Text),
        "entity_id": bindparam("entity_id", type_=entities.c.id.type),
        "version": expected + number,
        "entity_type": bindparam("entity_type", type_=Text),
        "type": given.c.type,
        "data": given.c.data,
        "message_id": bindparam("message_id", type_=entities.c.id.type),
        "ordinal": cast(number - 1, Integer),
        "message": bindparam("message", type_=Text),
        "message_fingerprint": bindparam("message_fingerprint", type_=Text),
        "caused_by": bindparam("caused_by", type_=entities.c.id.type),
        "recorded_at": bindparam("recorded_at", type_=Text),
    }
    rows = select(*columns.values()).select_from(moved.join(given, true())).order_by(given.c.number)
    return insert(events).from_select(list(columns), rows)


_advance = Statement(_advance_head)
_create = Statement(_create_head)
_insert = Statement(
    insert(events).values(
        {column.name: bindparam(column.name) for column in events.columns if column.name != "position"}
    )
)
_advance_with_events = Statement(_with_events(_advance_head))
_create_with_events = Statement(lambda dialect_insert: _with_events(_create_head(dialect_insert)))


def append(store: Store, network: str, appends: Sequence[Append]) -> list[Outcome | StoreError]:
    """Write `appends` in one durable commit, each decided by its own compare-and-swap; return what became of each.

    Raises StoreError if the commit failed, and its kind ConnectionLost if it is not known whether it did; nothing
    was written then. Of several, one that the database refuses for a reason of its own does not hurt its neighbours:
    all are written one at a time, and a StoreError in the list is what became of those that were not.
    """
    try:
        return [*_append_together(store, network, appends)]
    except ConnectionLost:
        raise
    except StoreError as error:
        if len(appends) > 1:
            if not concerns_a_statement(error.__cause__):
                raise
            return [_append_alone(store, network, each) for each in appends]
        # No race on versions can violate a constraint, the head decides those: it is a message id used before.
        if not is_constraint(error.__cause__):
            raise
        if find_message(store, network, appends[0].message_id) is None:
            raise StoreError(
                f"the store {store} refused an append that nothing else explains: its data is inconsistent"
            ) from error
        return [Outcome.MESSAGE_ID_USED]


def _append_alone(store: Store, network: str, each: Append) -> Outcome | StoreError:
    try:
        return append(store, network, [each])[0]
    except StoreError as error:  # of this append only: its neighbours may be written by now
        return error


def _append_together(store: Store, network: str, appends: Sequence[Append]) -> list[Outcome]:
    return (_append_on_sqlite if store.is_sqlite else _append_on_postgres)(store, network, appends)


def _append_on_sqlite(store: Store, network: str, appends: Sequence[Append]) -> list[Outcome]:
    return store.write(lambda transaction: [_swap_then_insert(transaction, network, each) for each in appends])


def _swap_then_insert(transaction: Transaction, network: str, each: Append) -> Outcome:
    parameters = _parameters(network, each)
    if transaction.count(_advance if each.expected_version else _create, parameters) != 1:
        return Outcome.CONFLICT
    for ordinal, event in enumerate(each.events):
        version = each.expected_version + ordinal + 1
        row = {"version": version, "ordinal": ordinal, "type": event.type, "data": event.data}
        transaction.count(_insert, {**parameters, **row})
    if each.snapshot is not None:
        write_snapshot(transaction, network, each.entity, each.snapshot, each.recorded_at)
    return Outcome.APPENDED


def _append_on_postgres(store: Store, network: str, appends: Sequence[Append]) -> list[Outcome]:
    """Append in one round trip, unless there are snapshots to write, which wait for the swaps' outcome."""
    work = [_swap_with_insert(network, each) for each in appends]
    if all(each.snapshot is None for each in appends):
        return [_outcome(count, each) for count, each in zip(store.commit(work), appends, strict=True)]

    def write(transaction: Transaction) -> list[Outcome]:
        outcomes = [_outcome(count, each) for count, each in zip(transaction.counts(work), appends, strict=True)]
        for outcome, each in zip(outcomes, appends, strict=True):
            if outcome is Outcome.APPENDED and each.snapshot is not None:
                write_snapshot(transaction, network, each.entity, each.snapshot, each.recorded_at)
        return outcomes

    return store.write(write)


def _swap_with_insert(network: str, each: Append) -> tuple[Statement, dict[str, Any]]:
    given = {"types": [event.type for event in each.events], "data": [event.data for event in each.events]}
    statement = _advance_with_events if each.expected_version else _create_with_events
    return statement, {**_parameters(network, each), **given}


def _outcome(inserted: int, each: Append) -> Outcome:
    return Outcome.APPENDED if inserted == len(each.events) else Outcome.CONFLICT


def _parameters(network: str, each: Append) -> dict[str, Any]:
    return {
        "network": network,
        "entity_id": str(each.entity.id),
        "expected": each.expected_version,
        "to_version": each.version,
        "entity_type": each.entity.type,
        "message_id": str(each.message_id),
        "message": each.message,
        "message_fingerprint": each.message_fingerprint,
        "caused_by": None if each.caused_by is None else str(each.caused_by),
        "recorded_at": to_text(each.recorded_at),
    }
