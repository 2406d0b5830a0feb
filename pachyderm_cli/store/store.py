"""The store: opening it, its schema's version, and transactions for reading and for writing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, select, text

from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.connection import create_owner_only, empty_engine, make_engine, parse_url
from pachyderm_cli.store.failures import shown, storage_errors
from pachyderm_cli.store.schema import SCHEMA_VERSION, metadata, schema_version

_CREATION_LOCK = 0x70616368  # any number that no other program locks: "pach"


class Store:
    """One database. Opened at the first use; serves several threads.

    A SQLite file that is not there is made by the first write, and reads as empty until then.
    """

    def __init__(self, url: str) -> None:
        """Read `url`, without opening anything. Raises ConfigError."""
        self.url = parse_url(url)
        self._opening = threading.Lock()
        self._engine: Engine | None = None
        self._empty: Engine | None = None

    def __str__(self) -> str:
        return shown(self.url)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection in a transaction that sees one state of the database and writes nothing."""
        with storage_errors(self.url), self._readable().connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            finally:
                _end(connection, "ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection in a transaction that is durably committed at the end, rolled back on an exception.

        On SQLite it holds the one write lock from the start: a transaction that reads first and writes later
        would fail at once, whatever the timeout.
        """
        with storage_errors(self.url), self.engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                _end(connection, "ROLLBACK")
                raise
            _end(connection, "COMMIT")

    @property
    def engine(self) -> Engine:
        """The opened database, its schema made or checked. Raises StoreError."""
        with self._opening:
            if self._engine is None:
                with storage_errors(self.url):
                    self._engine = self._open()
            return self._engine

    def close(self) -> None:
        """Close every connection; the store may be used again."""
        with self._opening:
            for engine in (self._engine, self._empty):
                if engine is not None:
                    engine.dispose()
            self._engine = self._empty = None

    def _readable(self) -> Engine:
        is_file = self.url.get_backend_name() == "sqlite"
        if self._engine is not None or not is_file or Path(str(self.url.database)).exists():
            return self.engine
        if self._empty is None:
            self._empty = empty_engine()
        return self._empty

    def _open(self) -> Engine:
        if self.url.get_backend_name() == "sqlite":
            create_owner_only(Path(str(self.url.database)))
        engine = make_engine(self.url)
        try:
            version = _stamped_version(engine)
            if version is None:
                version = _create(engine)
            self._require_current(version)
        except BaseException:
            engine.dispose()
            raise
        return engine

    def _require_current(self, version: str) -> None:
        if version > SCHEMA_VERSION:
            raise StoreError(
                f"the store {self} was made by a newer pachyderm (schema {version}, this one reads "
                f"{SCHEMA_VERSION}); upgrade pachyderm-cli",
                store=str(self),
            )
        if version < SCHEMA_VERSION:
            raise StoreError(
                f"the store {self} was made by an older pachyderm (schema {version}, this one writes "
                f"{SCHEMA_VERSION}); run: pachyderm store migrate",
                store=str(self),
            )


def _end(connection: Connection, statement: str) -> None:
    """End the transaction: ours by the statement, the driver's by its own method."""
    if connection.dialect.name == "sqlite":
        if connection.connection.driver_connection.in_transaction:  # type: ignore[union-attr]  # sqlite3's own
            connection.exec_driver_sql(statement)
    elif statement == "COMMIT":
        connection.commit()
    else:
        connection.rollback()


def _stamped_version(engine: Engine) -> str | None:
    """Return the schema version of the database, None if it holds no store."""
    with engine.connect() as connection:
        if not inspect(connection).has_table(schema_version.name):
            return None
        return connection.execute(select(schema_version.c.version_num)).scalar_one_or_none()


def _create(engine: Engine) -> str:
    """Make and stamp the tables in one transaction, unless another process just did; return the version."""
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CREATION_LOCK})
        if inspect(connection).has_table(schema_version.name):
            found = connection.execute(select(schema_version.c.version_num)).scalar_one()
            _end(connection, "ROLLBACK")
            return str(found)
        metadata.create_all(connection, checkfirst=False)
        schema_version.create(connection)
        connection.execute(schema_version.insert().values(version_num=SCHEMA_VERSION))
        _end(connection, "COMMIT")
        return SCHEMA_VERSION
