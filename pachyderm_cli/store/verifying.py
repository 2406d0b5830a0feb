"""What `store verify` reads: every table once, each row beside what it must agree with.

Rows are streamed, so that a store of any size takes the same memory, and what can be told by SQL alone is.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, func, literal_column, select, text, union

from pachyderm_cli.store import row_checks
from pachyderm_cli.store.findings import Finding, Place
from pachyderm_cli.store.row_checks import Row
from pachyderm_cli.store.schema import cursors, entities, events, forks, imports, lookups, metadata, outbox, snapshots
from pachyderm_cli.store.sound_rows import faults_of
from pachyderm_cli.store.statement import Statement, Transaction

FoundT = TypeVar("FoundT")

_network: Any = bindparam("network")
_type = bindparam("entity_type", type_=entities.c.type.type)


class StoredEvent(NamedTuple):
    """An event beside its entity's head, and what the head's type kept of the state after it; None for nothing.

    Beside them, what is noted of the entity if it is a copy.
    """

    position: int
    entity_id: str
    version: int
    entity_type: str
    type: str
    data: str
    message_id: str
    ordinal: int
    message: str
    message_fingerprint: str
    caused_by: str | None
    recorded_at: str
    type_version: int
    head_type: str | None
    head_version: int | None
    head_position: int | None
    created_at: str | None
    updated_at: str | None
    copied: int | None
    copied_at: str | None
    snapshot_fingerprint: str | None
    snapshot: str | None
    lookup_fingerprint: str | None
    lookup: str | None


OWN = len(events.columns) - 1
"""How many of these are columns of the event itself: all but its network."""


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


def _own(table: Any) -> list[Any]:
    """Return a table's columns, but for the network."""
    return [column for column in table.columns if column.name != "network"]


def _beside_head(table: Any, *more: Any) -> Select[Any]:
    """Return a table's rows, each with what is asked for more, and the type and version of its entity's head."""
    is_its_head = and_(entities.c.network == table.c.network, entities.c.id == table.c.entity_id)
    columns = (*_own(table), *more, entities.c.type, entities.c.version)
    return select(*columns).select_from(table.outerjoin(entities, is_its_head)).where(table.c.network == _network)


def _type_of(own: Any) -> ColumnElement[str]:
    """Return the type that a row counts as: its entity's, or the row's own where there is no entity."""
    return func.coalesce(entities.c.type, own)


_has_events = exists().where(events.c.network == entities.c.network, events.c.entity_id == entities.c.id)
_HEADS = select(*_own(entities), _has_events).where(entities.c.network == _network).order_by(entities.c.id)

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

_SNAPSHOTS = _beside_head(snapshots).order_by(snapshots.c.entity_id, snapshots.c.entity_type, snapshots.c.version)
_LOOKUPS = _beside_head(lookups).order_by(lookups.c.entity_type, lookups.c.entity_id)


def _last_of(message_id: Any, *conditions: Any, of: Any) -> Any:
    """Return the query for a column of the last event that a message led to."""
    found = select(of).where(_last.c.network == _network, _last.c.message_id == message_id, *conditions)
    return found.order_by(_last.c.ordinal.desc()).limit(literal_column("1")).scalar_subquery()


_last = events.alias("last")
_led_to = _last_of(outbox.c.message_id, _last.c.entity_id == outbox.c.entity_id, of=_last.c.version)
_OUTBOX = _beside_head(outbox, _led_to).order_by(outbox.c.id)

_opening = (
    select(events.c.message_id)
    .where(
        events.c.network == forks.c.network,
        events.c.entity_id == forks.c.entity_id,
        events.c.version == literal_column("1"),
    )
    .correlate(forks)
    .limit(literal_column("1"))
    .scalar_subquery()
)
_FORKS = _beside_head(forks, _last_of(_opening, of=_last.c.ordinal)).order_by(forks.c.entity_id)

_end_of_log = select(func.coalesce(func.max(events.c.position), 0)).scalar_subquery()
_CURSORS = select(*_own(cursors), _end_of_log).where(cursors.c.network == _network).order_by(cursors.c.name)

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
_is_copy = and_(forks.c.network == events.c.network, forks.c.entity_id == events.c.entity_id)
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
        *(events.c[name] for name in StoredEvent._fields[:OWN]),
        entities.c.type,
        entities.c.version,
        entities.c.position,
        entities.c.created_at,
        entities.c.updated_at,
        forks.c.from_version,
        forks.c.forked_at,
        snapshots.c.fingerprint,
        snapshots.c.state,
        lookups.c.fingerprint,
        lookups.c.state,
    )
    .select_from(
        events.outerjoin(entities, _is_head)
        .outerjoin(forks, _is_copy)
        .outerjoin(snapshots, _is_snapshot)
        .outerjoin(lookups, _is_lookup)
    )
    .where(events.c.network == _network)
    .order_by(events.c.entity_id, events.c.version)
)
_LOG = _table("events", lambda *_: iter(()), _EVENTS, _type_of(events.c.entity_type))
_HOW_MANY = Statement(select(func.count()).where(events.c.network == _network))

_NETWORKS = Statement(union(*(select(each.c.network) for each in metadata.tables.values())))
_IMPORTS = Statement(select(*_own(imports)).where(imports.c.network == _network))
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


def import_findings(transaction: Transaction, network: str) -> Iterator[Finding]:
    """Yield that an import into the network is unfinished, if one is."""
    for row in transaction.rows(_IMPORTS, {"network": network}):
        own, _ = row_checks.columns_of(imports, row)
        place = Place(network)
        told = (
            f"the import that began at {own['started_at']} is unfinished: {own['lines']} lines of it are in the store, "
            "and what is to come with the others is missing; run the same import again with --resumable, or give it up "
            "with pachyderm import --abandon"
        )
        yield place.finding("import", told)
        yield from place.findings(faults_of(imports, own))


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
