"""The tables of a store: whether they are there, by which version, and making them."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from pachyderm_cli.store.schema import SCHEMA_VERSION, metadata, schema_version

_CREATION_LOCK = 0x70616368  # any number that no other program locks: "pach"


def stamped_version(connection: Connection) -> str | None:
    """Return the schema version of the database, None if it holds no store."""
    name: dict[str, Any] = {"name": schema_version.name}
    if connection.dialect.name == "sqlite":
        there = connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = :name", name).scalar()
    else:
        # Not to_regclass, whose cached "not there" outlives the wait for the lock in `begin_alone`.
        tables = "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = ANY (current_schemas(false))"
        there = connection.exec_driver_sql(f"{tables} AND tablename = %(name)s", name).scalar()
    if there is None:
        return None
    return connection.execute(select(schema_version.c.version_num)).scalar_one_or_none()


def begin_alone(connection: Connection) -> None:
    """Begin a transaction in which nobody else makes or changes the schema."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_CREATION_LOCK})")


def create(connection: Connection) -> str:
    """Make and stamp the tables in one transaction, unless another process just did; return the version."""
    begin_alone(connection)
    found = stamped_version(connection)
    if found is None:
        metadata.create_all(connection, checkfirst=False)
        schema_version.create(connection)
        connection.execute(schema_version.insert().values(version_num=SCHEMA_VERSION))
    connection.exec_driver_sql("COMMIT")
    return found or SCHEMA_VERSION


def sync_log(file: Path) -> None:
    """Have the log beside a SQLite file on disk.

    A process that was killed may have left a commit there that it had written and not synced. Whoever reads it takes it
    for what happened, and may run its effects.
    """
    with suppress(OSError):  # there is none, or nothing can be written there anyway
        descriptor = os.open(f"{file}-wal", os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
