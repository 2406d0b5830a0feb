"""Cursors: how far followers have come, each held by one of them at a time under a lease of the database's clock."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from types import NoneType
from typing import Any, NamedTuple

from sqlalchemy import Text, bindparam, case, func, literal_column, or_, select, update

from pachyderm_cli.domain.timestamps import from_text
from pachyderm_cli.errors import UsageError
from pachyderm_cli.store.expressions import NOW, database_time, distance
from pachyderm_cli.store.failures import reads, storage_errors
from pachyderm_cli.store.records import Lease
from pachyderm_cli.store.schema import cursors, events
from pachyderm_cli.store.sound_values import is_text
from pachyderm_cli.store.statement import Statement, Transaction
from pachyderm_cli.store.store import Store

_TIME = database_time(literal_column(f"'{NOW}'", Text))
_LEASE = bindparam("lease", type_=cursors.c.lease.type)
_LEASE_END = database_time(bindparam("lease_for", type_=Text))
_NOTHING: Any = literal_column("NULL")

_is_the_one = (cursors.c.network == bindparam("network"), cursors.c.name == bindparam("name"))
_is_held = cursors.c.lease == _LEASE
_is_free = or_(cursors.c.lease.is_(None), cursors.c.lease_until <= _TIME)
_position = bindparam("position", type_=cursors.c.position.type)


def _make(dialect_insert: Any) -> Any:
    key: dict[str, Any] = {"network": bindparam("network"), "name": bindparam("name")}
    made = dialect_insert(cursors).values({**key, "position": _position, "created_at": _TIME, "updated_at": _TIME})
    return made.on_conflict_do_nothing()


def _advance(network: Any, name: Any, lease: Any, position: Any) -> Any:
    is_held = (cursors.c.network == network, cursors.c.name == name, cursors.c.lease == lease)
    return update(cursors).where(*is_held).values(position=position, updated_at=_TIME)


_advanced = _advance(bindparam("network"), bindparam("name"), _LEASE, _position)


_MAKE = Statement(_make)
_TAKE = Statement(
    update(cursors)
    .where(*_is_the_one, or_(_is_free, _is_held))  # it may be one's own where a connection was lost
    .values(lease=_LEASE, lease_until=_LEASE_END)
    .returning(cursors.c.position)
)
_RENEW = Statement(update(cursors).where(*_is_the_one, _is_held).values(lease_until=_LEASE_END))
_RELEASE = Statement(update(cursors).where(*_is_the_one, _is_held).values(lease=_NOTHING, lease_until=_NOTHING))
_ADVANCE = Statement(_advanced)
_ADVANCE_FROM = Statement(_advanced.where(cursors.c.position == bindparam("expected", type_=cursors.c.position.type)))
_SET = Statement(
    update(cursors)
    .where(*_is_the_one, _is_free)
    .values(position=_position, lease=_NOTHING, lease_until=_NOTHING, updated_at=_TIME)
)
_DROP = Statement(cursors.delete().where(*_is_the_one, _is_free))
_behind = (
    select(func.count())
    .where(events.c.position > cursors.c.position, events.c.network == cursors.c.network)
    .scalar_subquery()
)
_columns = (
    cursors.c.name,
    cursors.c.position,
    _behind,
    case((_is_free, literal_column("0")), else_=literal_column("1")),
    cursors.c.lease_until,
    cursors.c.created_at,
    cursors.c.updated_at,
)
_ALL = Statement(select(*_columns).where(cursors.c.network == bindparam("network")).order_by(cursors.c.name))
_ONE = Statement(select(*_columns).where(*_is_the_one))


class StoredCursor(NamedTuple):
    """A cursor: how far it has come, how many events of the network come after it, whether somebody follows by it."""

    name: str
    position: int
    behind: int
    is_held: bool
    lease_until: datetime | None
    created_at: datetime
    updated_at: datetime


class HeldCursor(NamedTuple):
    """A cursor with the lease that a follower holds it by."""

    network: str
    name: str
    lease: Lease

    @property
    def parameters(self) -> dict[str, Any]:
        """What its statements take."""
        return {
            "network": self.network,
            "name": self.name,
            "lease": str(self.lease.token),
            "lease_for": distance(self.lease.seconds),
        }


def take_cursor(store: Store, held: HeldCursor, start: int) -> int | None:
    """Take a cursor, made at `start` if it is not there, and return its position; None if another follower has it."""

    def take(transaction: Transaction) -> int | None:
        transaction.count(_MAKE, {**held.parameters, "position": start})
        rows = transaction.rows(_TAKE, held.parameters)
        return rows[0][0] if rows else None

    return store.write_again(take, durable=True)


def renew_cursor(store: Store, held: HeldCursor) -> bool:
    """Prolong the lease; tell whether it still held. Where the server is away it fails at once: it is tried again."""
    return store.write_again(lambda transaction: transaction.count(_RENEW, held.parameters), waits=False) == 1


def release_cursor(store: Store, held: HeldCursor) -> None:
    """Let another follower have it, at once."""
    store.write_again(lambda transaction: transaction.count(_RELEASE, held.parameters), waits=False)


def advance_cursor(store: Store, held: HeldCursor, position: int) -> bool:
    """Move a cursor; tell whether its lease still held.

    It need not be on disk when this returns: a cursor that falls back repeats events, as at least once means.
    """
    parameters = {**held.parameters, "position": position}
    return store.write_again(lambda transaction: transaction.count(_ADVANCE, parameters)) == 1


def advance_cursor_from(store: Store, held: HeldCursor, expected: int, position: int) -> bool:
    """Move a cursor that stands where it is expected to; tell whether it does. Hardly waits for others' locks."""
    parameters = {**held.parameters, "position": position, "expected": expected}
    return (
        store.write(lambda transaction: transaction.count(_ADVANCE_FROM, parameters), durable=False, patient=False) == 1
    )


def advance_cursor_within(store: Store, connection: Any, held: HeldCursor, position: int) -> bool:
    """Move a cursor inside the caller's transaction, on a connection of theirs to the same database.

    It is one of sqlite3 or psycopg, or a Connection or Session of SQLAlchemy. Tell whether the lease still held.
    Raises UsageError for anything else, StoreError.
    """
    parameters = {**held.parameters, "position": position}
    dialect = _dialect_of(connection)
    if dialect != store.engine.dialect.name:
        told = "no connection" if dialect is None else f"a connection to {dialect}"
        raise UsageError(f"to move the cursor takes a connection to {store.engine.dialect.name}, and this is {told}")
    with storage_errors(store.url):
        if hasattr(connection, "get_bind") or hasattr(connection, "exec_driver_sql"):
            # With parameters by name SQLAlchemy would take them for what is to be set.
            advanced = _advance(held.network, held.name, str(held.lease.token), position)
            return bool(connection.execute(advanced).rowcount == 1)
        compiled = _ADVANCE.for_dialect(store.engine.dialect)
        with closing(connection.cursor()) as cursor:
            cursor.execute(compiled.text, compiled.arguments(parameters))
            return bool(cursor.rowcount == 1)


def _dialect_of(connection: Any) -> str | None:
    """Return which database a connection is to, None where it is none."""
    if hasattr(connection, "get_bind"):
        connection = connection.get_bind()
    if hasattr(connection, "dialect"):
        return str(connection.dialect.name)
    if isinstance(connection, sqlite3.Connection):
        return "sqlite"
    return "postgresql" if hasattr(connection, "pgconn") else None


def set_cursor(store: Store, network: str, name: str, position: int) -> bool:
    """Put a cursor to a position, made if it is not there; tell whether nobody follows by it."""
    parameters = {"network": network, "name": name, "position": position}

    def put(transaction: Transaction) -> bool:
        transaction.count(_MAKE, parameters)
        return transaction.count(_SET, parameters) == 1

    return store.write(put)


def drop_cursor(store: Store, network: str, name: str) -> bool:
    """Drop a cursor that nobody follows by; tell whether it was one."""
    parameters = {"network": network, "name": name}
    return store.write(lambda transaction: transaction.count(_DROP, parameters)) == 1


def find_cursor(store: Store, network: str, name: str) -> StoredCursor | None:
    """Return the cursor of that name, None if there is none, as for a name that no database keeps."""
    if not is_text(name):
        return None
    rows = store.read(lambda transaction: transaction.rows(_ONE, {"network": network, "name": name}))
    return _stored(rows[0]) if rows else None


def cursors_of(store: Store, network: str) -> Iterator[StoredCursor]:
    """Yield the network's cursors, by name."""
    for row in store.read(lambda transaction: transaction.rows(_ALL, {"network": network})):
        yield _stored(row)


@reads("a cursor", str, int, int, int, (str, NoneType), str, str)
def _stored(row: tuple[Any, ...]) -> StoredCursor:
    name, position, behind, is_held, lease_until, created_at, updated_at = row
    return StoredCursor(
        name=name,
        position=position,
        behind=behind,
        is_held=bool(is_held),
        lease_until=None if lease_until is None else from_text(lease_until),
        created_at=from_text(created_at),
        updated_at=from_text(updated_at),
    )
