"""The tables of a store: whether they are there, by which version, and making them."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from pachyderm_cli.store.compiled import table_texts
from pachyderm_cli.store.failures import unreadable
from pachyderm_cli.store.statement import Statements, Transaction
from pachyderm_cli.store.version import SCHEMA_VERSION, VERSION_TABLE

_CREATION_LOCK = 0x70616368  # any number that no other program locks: "pach"

_said = Statements("creation")


def stamped_version(transaction: Transaction) -> str | None:
    """Return the schema version of the database, None if it holds no store. Raises StoreError unless it is one."""
    is_there = _said.IN_FILE if transaction.is_sqlite else _said.ON_SERVER
    if not transaction.rows(is_there, {"name": VERSION_TABLE}):
        return None
    stamps = transaction.rows(_said.VERSION, {})
    if len(stamps) > 1 or not all(isinstance(stamp, str) for (stamp,) in stamps):
        raise unreadable("its schema has not one version, but says " + ", ".join(repr(stamp) for (stamp,) in stamps))
    return stamps[0][0] if stamps else None


def begin_alone(transaction: Transaction) -> None:
    """Begin a transaction in which nobody else makes or changes the schema."""
    if transaction.is_sqlite:
        transaction.run("BEGIN IMMEDIATE")
    else:
        transaction.run("BEGIN")
        transaction.run(f"SELECT pg_advisory_xact_lock({_CREATION_LOCK})")


def create(transaction: Transaction) -> str:
    """Make and stamp the tables in one transaction, unless another process just did; return the version."""
    begin_alone(transaction)
    try:
        found = stamped_version(transaction)
        if found is None:
            for text in table_texts("sqlite" if transaction.is_sqlite else "postgresql"):
                transaction.run(text)
            transaction.count(_said.STAMP, {"version_num": SCHEMA_VERSION})
        transaction.run("COMMIT")
    except BaseException:
        transaction.roll_back()
        raise
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
