"""What `store verify` reads: every table once, each row beside what it must agree with.

Rows are streamed, so that a store of any size takes the same memory, and what can be told by SQL alone is.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, func, literal_column, select, text, union

from pachyderm_cli.store import row_checks
from pachyderm_cli.store.findings import Finding
from pachyderm_cli.store.row_checks import Row
from pachyderm_cli.store.schema import cursors, entities, events, forks, lookups, outbox, snapshots
from pachyderm_cli.store.statement import Statement, Transaction

FoundT = TypeVar("FoundT")

_network: Any = bindparam("network")
_type = bindparam("entity_type", type_=entities.c.type.type)


class StoredEvent(NamedTuple):
    """An event beside its entity's head, and what the head's type kept of the state after it; None for nothing."""

    entity_id: str
    version: int
    position: int
    entity_type: str
    type: str
    data: str
    type_version: int
    message_id: str
    ordinal: int
    recorded_at: str
    head_type: str | None
    head_version: int | None
    snapshot_fingerprint: str | None
    snapshot: str | None
    lookup_fingerprint: str | None
    lookup: str | None


class Table(NamedTuple):
    """How rows are verified: all of a network, those of one type alone (None: they have none), and the check.

    `counted` are a table's own; the others are no more than what a search found.
    """

    name: str
    rows: Statement
    rows_of_type: Statement | None
    check: Callable[[str, Row], Iterator[Finding]]
    counted: bool = True


def _table(
    name: str, check: Callable[[str, Row], Iterator[Finding]], rows: Select[Any], kind: ColumnElement[str] | None
) -> Table:
    of_type = None if kind is None else Statement(rows.where(kind == _type))
    return Table(name, Statement(rows), of_type, check)


def _beside_head(table: Any, *columns: Any) -> Select[Any]:
    """Return a table's rows, each with the type and the version of its entity's head, or with nulls."""
    is_its_head = and_(entities.c.network == table.c.network, entities.c.id == table.c.entity_id)
    rows = select(*columns, entities.c.type, entities.c.version).select_from(table.outerjoin(entities, is_its_head))
    return rows.where(table.c.network == _network)


def _type_of(own: Any) -> ColumnElement[str]:
    """Return the type that a row counts as: its entity's, or the row's own where there is no entity."""
    return func.coalesce(entities.c.type, own)


_has_events = exists().where(events.c.network == entities.c.network, events.c.entity_id == entities.c.id)
_HEADS = (
    select(
        entities.c.id,
        entities.c.type,
        entities.c.version,
        entities.c.created_at,
        entities.c.updated_at,
        _has_events,
    )
    .where(entities.c.network == _network)
    .order_by(entities.c.id)
)

_first = events.alias("first")
_led_to_both = and_(
    _first.c.network == events.c.network,
    _first.c.message_id == events.c.message_id,
    _first.c.ordinal == literal_column("0"),
    _first.c.entity_id != events.c.entity_id,
)
_MESSAGES = (
    select(events.c.entity_type, events.c.entity_id, events.c.version, events.c.message_id, _first.c.entity_id)
    .select_from(events.join(_first, _led_to_both))
    .where(events.c.network == _network)
    .order_by(events.c.position)
)

_SNAPSHOTS = _beside_head(
    snapshots,
    snapshots.c.entity_type,
    snapshots.c.entity_id,
    snapshots.c.version,
    snapshots.c.state,
    snapshots.c.taken_at,
).order_by(snapshots.c.entity_id, snapshots.c.entity_type, snapshots.c.version)

_LOOKUPS = _beside_head(
    lookups, lookups.c.entity_type, lookups.c.entity_id, lookups.c.version, lookups.c.state
).order_by(lookups.c.entity_type, lookups.c.entity_id)

_led_to_events = exists().where(
    events.c.network == outbox.c.network,
    events.c.message_id == outbox.c.message_id,
    events.c.entity_id == outbox.c.entity_id,
)
_OUTBOX = _beside_head(
    outbox,
    outbox.c.id,
    outbox.c.entity_type,
    outbox.c.entity_id,
    outbox.c.version,
    outbox.c.message_id,
    outbox.c.type,
    outbox.c.data,
    outbox.c.on_rejected,
    outbox.c.status,
    outbox.c.lease,
    outbox.c.due_at,
    outbox.c.next_attempt_at,
    outbox.c.created_at,
    outbox.c.ended_at,
    _led_to_events,
).order_by(outbox.c.id)

_FORKS = _beside_head(forks, forks.c.entity_id, forks.c.from_version, forks.c.forked_at).order_by(forks.c.entity_id)

_end_of_log = select(func.coalesce(func.max(events.c.position), 0)).scalar_subquery()
_CURSORS = (
    select(
        cursors.c.name,
        cursors.c.position,
        cursors.c.lease_until,
        cursors.c.created_at,
        cursors.c.updated_at,
        _end_of_log,
    )
    .where(cursors.c.network == _network)
    .order_by(cursors.c.name)
)

TABLES = (
    _table("messages", row_checks.message, _MESSAGES, events.c.entity_type)._replace(counted=False),
    _table("entities", row_checks.head, _HEADS, entities.c.type),
    _table("snapshots", row_checks.snapshot, _SNAPSHOTS, _type_of(snapshots.c.entity_type)),
    _table("lookups", row_checks.lookup, _LOOKUPS, _type_of(lookups.c.entity_type)),
    _table("effects", row_checks.effect, _OUTBOX, _type_of(outbox.c.entity_type)),
    _table("forks", row_checks.fork, _FORKS, entities.c.type),
    _table("cursors", row_checks.cursor, _CURSORS, None),
)
"""All but the log, by what their rows are called."""

_is_head = and_(entities.c.network == events.c.network, entities.c.id == events.c.entity_id)
_is_snapshot = and_(
    snapshots.c.network == events.c.network,
    snapshots.c.entity_id == events.c.entity_id,
    snapshots.c.entity_type == entities.c.type,
    snapshots.c.version == events.c.version,
)
_is_lookup = and_(
    lookups.c.network == events.c.network,
    lookups.c.entity_type == entities.c.type,
    lookups.c.entity_id == events.c.entity_id,
    lookups.c.version == events.c.version,
)
_EVENTS = (
    select(
        *(events.c[name] for name in StoredEvent._fields[:10]),
        entities.c.type,
        entities.c.version,
        snapshots.c.fingerprint,
        snapshots.c.state,
        lookups.c.fingerprint,
        lookups.c.state,
    )
    .select_from(events.outerjoin(entities, _is_head).outerjoin(snapshots, _is_snapshot).outerjoin(lookups, _is_lookup))
    .where(events.c.network == _network)
    .order_by(events.c.entity_id, events.c.version)
)
_LOG = _table("events", lambda *_: iter(()), _EVENTS, _type_of(events.c.entity_type))
_HOW_MANY = Statement(select(func.count()).where(events.c.network == _network))

_NETWORKS = Statement(
    union(*(select(each.c.network) for each in (entities, events, snapshots, lookups, outbox, forks, cursors)))
)
_INTEGRITY = Statement(text("PRAGMA integrity_check(100)"))
_FOREIGN_KEYS = Statement(text("PRAGMA foreign_key_check"))


def networks_in(transaction: Transaction) -> list[str]:
    """Return the names of all networks that have a row in any table, sorted."""
    return sorted(str(name) for (name,) in transaction.rows(_NETWORKS, {}))


def count_of_events(transaction: Transaction, network: str) -> int:
    """Return how many events a network has."""
    count: int = transaction.rows(_HOW_MANY, {"network": network})[0][0]
    return count


def rows_of(transaction: Transaction, table: Table, network: str, type_name: str | None) -> Iterator[Row]:
    """Yield a table's rows of a network, or those of one entity type; none where its rows have no type."""
    if type_name is None:
        yield from transaction.stream(table.rows, {"network": network})
    elif table.rows_of_type is not None:
        yield from transaction.stream(table.rows_of_type, {"network": network, "entity_type": type_name})


def stored_events(transaction: Transaction, network: str, type_name: str | None) -> Iterator[StoredEvent]:
    """Yield the log of a network, or of one entity type, entity by entity and in each by version."""
    return map(StoredEvent._make, rows_of(transaction, _LOG, network, type_name))


def file_findings(transaction: Transaction) -> Iterator[Finding]:
    """Yield what SQLite's own checks find, at most a hundred of each; Postgres has none that a client may ask for."""
    if not transaction.is_sqlite:
        return
    for (problem,) in transaction.rows(_INTEGRITY, {}):
        if problem != "ok":
            yield Finding("file", " ".join(str(problem).split()))
    for table, row, parent, _ in transaction.rows(_FOREIGN_KEYS, {})[:100]:
        yield Finding("file", f"row {row} of {table} refers to a row of {parent} that is not there")


def findings_of(
    transaction: Transaction, table: Table, network: str, type_name: str | None
) -> Iterator[Finding | None]:
    """Yield what is wrong with each row of a table; None after each row."""
    for row in rows_of(transaction, table, network, type_name):
        try:
            yield from list(table.check(network, row))
        except (TypeError, ValueError) as error:  # a damaged file may hold anything in any column
            yield Finding("file", f"a row of the {table.name} cannot be read: {error}", network)
        yield None


def up_to_damage(network: str | None, findings: Iterator[FoundT]) -> Iterator[FoundT | Finding]:
    """Yield findings; where SQLite cannot read on, since the file is damaged, that is the last one."""
    try:
        yield from findings
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise
        yield Finding("file", f"it cannot be read any further: {error}", network)
