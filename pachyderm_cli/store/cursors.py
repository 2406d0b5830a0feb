"""Cursors: how far followers have come, each held by one of them at a time under a lease of the database's clock."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from types import NoneType
from typing import Any, NamedTuple

from pachyderm_cli.domain.timestamps import from_text
from pachyderm_cli.errors import UsageError
from pachyderm_cli.store.distance import distance
from pachyderm_cli.store.failures import reads, storage_errors
from pachyderm_cli.store.records import Lease
from pachyderm_cli.store.statement import Statements, Transaction
from pachyderm_cli.store.store import Store
from pachyderm_cli.store.texts import is_text

_said = Statements("cursors")


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
        transaction.count(_said.MAKE, {**held.parameters, "position": start})
        rows = transaction.rows(_said.TAKE, held.parameters)
        return rows[0][0] if rows else None

    return store.write_again(take, durable=True)


def renew_cursor(store: Store, held: HeldCursor) -> bool:
    """Prolong the lease; tell whether it still held. Where the server is away it fails at once: it is tried again."""
    return store.write_again(lambda transaction: transaction.count(_said.RENEW, held.parameters), waits=False) == 1


def release_cursor(store: Store, held: HeldCursor) -> None:
    """Let another follower have it, at once."""
    store.write_again(lambda transaction: transaction.count(_said.RELEASE, held.parameters), waits=False)


def advance_cursor(store: Store, held: HeldCursor, position: int) -> bool:
    """Move a cursor; tell whether its lease still held.

    It need not be on disk when this returns: a cursor that falls back repeats events, as at least once means.
    """
    parameters = {**held.parameters, "position": position}
    return store.write_again(lambda transaction: transaction.count(_said.ADVANCE, parameters)) == 1


def advance_cursor_from(store: Store, held: HeldCursor, expected: int, position: int) -> bool:
    """Move a cursor that stands where it is expected to; tell whether it does. Hardly waits for others' locks."""
    parameters = {**held.parameters, "position": position, "expected": expected}
    return (
        store.write(lambda transaction: transaction.count(_said.ADVANCE_FROM, parameters), durable=False, patient=False)
        == 1
    )


def advance_cursor_within(store: Store, connection: Any, held: HeldCursor, position: int) -> bool:
    """Move a cursor inside the caller's transaction, on a connection of theirs to the same database.

    It is one of sqlite3 or psycopg, or a Connection or Session of SQLAlchemy. Tell whether the lease still held.
    Raises UsageError for anything else, StoreError.
    """
    parameters = {**held.parameters, "position": position}
    dialect = _dialect_of(connection)
    if dialect != store.database.dialect:
        told = "no connection" if dialect is None else f"a connection to {dialect}"
        raise UsageError(f"to move the cursor takes a connection to {store.database.dialect}, and this is {told}")
    with storage_errors(store.url):
        if hasattr(connection, "get_bind") or hasattr(connection, "exec_driver_sql"):
            # With parameters by name SQLAlchemy would take them for what is to be set.
            from pachyderm_cli.store.statements.cursors import advance  # noqa: PLC0415 - it loads SQLAlchemy

            advanced = advance(held.network, held.name, str(held.lease.token), position)
            return bool(connection.execute(advanced).rowcount == 1)
        compiled = _said.ADVANCE.for_dialect(store.database.dialect)
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
        transaction.count(_said.MAKE, parameters)
        return transaction.count(_said.SET, parameters) == 1

    return store.write(put)


def drop_cursor(store: Store, network: str, name: str) -> bool:
    """Drop a cursor that nobody follows by; tell whether it was one."""
    parameters = {"network": network, "name": name}
    return store.write(lambda transaction: transaction.count(_said.DROP, parameters)) == 1


def find_cursor(store: Store, network: str, name: str) -> StoredCursor | None:
    """Return the cursor of that name, None if there is none, as for a name that no database keeps."""
    if not is_text(name):
        return None
    rows = store.read(lambda transaction: transaction.rows(_said.ONE, {"network": network, "name": name}))
    return _stored(rows[0]) if rows else None


def cursors_of(store: Store, network: str) -> Iterator[StoredCursor]:
    """Yield the network's cursors, by name."""
    for row in store.read(lambda transaction: transaction.rows(_said.ALL, {"network": network})):
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
