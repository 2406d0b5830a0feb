"""The store: opening it, its schema's version, and lending connections for reading and for writing."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, select

from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.acknowledgements import Acknowledged, Acknowledgements
from pachyderm_cli.store.connection import connect, create_owner_only, empty_engine, make_engine, parse_url
from pachyderm_cli.store.failures import (
    ConnectionLost,
    any_error,
    connection_lost,
    driver_errors,
    shown,
    storage_errors,
    store_error,
)
from pachyderm_cli.store.schema import SCHEMA_VERSION, metadata, schema_version
from pachyderm_cli.store.statement import Transaction

ResultT = TypeVar("ResultT")

_KEPT = 8  # connections that wait for their next use; more are opened when more are needed at a time
_RECONNECTION_PAUSES = (0.05, 0.1, 0.2, 0.5, 1, 2)  # seconds
_CREATION_LOCK = 0x70616368  # any number that no other program locks: "pach"

_stores: weakref.WeakSet[Store] = weakref.WeakSet()


class Store:
    """One database. Opened at the first use; serves several threads.

    A SQLite file that is not there is made by the first write, and reads as empty until then.
    """

    def __init__(self, url: str) -> None:
        """Read `url`, without opening anything. Raises ConfigError."""
        self.url = parse_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._opening = threading.Lock()
        self._engine: Engine | None = None
        # SQLAlchemy makes the connections; its pool's checkout and return would cost what a statement does.
        self._idle: list[Transaction] = []
        # Held to change what is kept, not to take from it. The garbage collector may end a listing at any moment, also
        # in the thread that holds it.
        self._keeping = threading.RLock()
        self._nothing: Engine | None = None  # what a file that is not there reads as
        self.acknowledgements = Acknowledgements(self._write_marks)
        _stores.add(self)

    def __str__(self) -> str:
        return shown(self.url)

    @property
    def opened_url(self) -> str:
        """The URL whole, its password too: for another process, never to be shown."""
        return self.url.render_as_string(hide_password=False)

    def read(self, work: Callable[[Transaction], ResultT]) -> ResultT:
        """Return what `work` reads; each of its statements sees one state of the database.

        If the connection is lost it is run again on a fresh one, for a few seconds. Raises StoreError.
        """
        return _repeated(lambda: self._run(work, reading=True), _RECONNECTION_PAUSES)

    def write(self, work: Callable[[Transaction], ResultT], *, durable: bool = True, patient: bool = True) -> ResultT:
        """Return what `work` returns once what it wrote is durably committed; on an exception nothing is written.

        Not `durable`: it is committed, and every process sees it, but the database need not wait for the disk. Not
        `patient`: where another process or thread holds a lock, it fails after a tenth of a second.

        On SQLite it holds the one write lock from the start: a transaction that reads first and writes later would
        fail at once, whatever the timeout. Raises StoreError, and its kind ConnectionLost where it is not known
        whether it was committed.
        """

        def transact(transaction: Transaction) -> ResultT:
            try:
                transaction.begin(durable=durable, patient=patient)
                result = work(transaction)
                transaction.run("COMMIT")
            except BaseException:
                transaction.roll_back()
                raise
            finally:
                transaction.come_to_rest()
            return result

        return self._run(transact)

    def write_again(self, work: Callable[[Transaction], ResultT]) -> ResultT:
        """Write what does no harm when it is written twice, and need not be on disk when this returns.

        If the connection is lost it is run again on a fresh one, for a few seconds. Raises StoreError.
        """
        return _repeated(lambda: self.write(work, durable=False), _RECONNECTION_PAUSES)

    def run(self, work: Callable[[Transaction], ResultT]) -> ResultT:
        """Return what `work` returns, given a connection on which it commits by itself. Raises as `write` does."""

        def ended(transaction: Transaction) -> ResultT:
            try:
                return work(transaction)
            except BaseException:
                transaction.roll_back()
                raise

        return self._run(ended)

    @contextmanager
    def streaming(self) -> Iterator[Transaction]:
        """Lend a connection for reading rows as they are used, which takes as long as the user does."""
        with storage_errors(self.url):
            lent = self._lend(reading=True)
            try:
                yield lent
            finally:
                self._take_back(lent)

    @property
    def engine(self) -> Engine:
        """The opened database, its schema made or checked. Raises StoreError."""
        engine = self._engine
        if engine is None:
            with self._opening:  # as long as this is held nobody closes it again
                if self._engine is None:
                    with storage_errors(self.url):
                        self._engine = self._open()
                engine = self._engine
        return engine

    def close(self) -> None:
        """Write what is still to be written and close every connection; the store may be used again."""
        self.acknowledgements.close()
        with self._opening:
            self._engine = self._nothing = None
            self._close_idle()

    def abandon(self) -> None:
        """Forget every connection, without closing it: they are another process's."""
        self._opening = threading.Lock()
        self._keeping = threading.RLock()
        self._engine = self._nothing = None
        self._idle = []
        self.acknowledgements = Acknowledgements(self._write_marks)

    def _write_marks(self, marks: Sequence[Acknowledged], *, patient: bool) -> None:
        from pachyderm_cli.store.settling import settle_each  # noqa: PLC0415 - whoever only reads needs none of it

        def write() -> None:
            self.write(lambda transaction: settle_each(transaction, marks), durable=False, patient=patient)

        _repeated(write, _RECONNECTION_PAUSES if patient else (0,))  # to mark twice does no harm

    def _run(self, work: Callable[[Transaction], ResultT], *, reading: bool = False) -> ResultT:
        """Return what `work` returns, given a connection; the drivers' errors become StoreError."""
        try:
            lent = self._lend(reading=reading)
            try:
                return work(lent)
            except driver_errors() as error:
                if not lent.is_closed:
                    raise
                self._close_idle()  # what cut this one has cut those too
                raise connection_lost(self.url, error) from error
            finally:
                self._take_back(lent)
        except any_error() as error:
            raise store_error(self.url, error) from error

    def _lend(self, *, reading: bool) -> Transaction:
        """Return a connection that nobody uses: the one that was used last, or a fresh one."""
        engine = self._engine or (self._readable() if reading else self.engine)
        while self._idle:
            try:
                lent = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            if lent.engine is engine:
                return lent
            lent.close()
        return Transaction(connect(engine), engine)

    def _readable(self) -> Engine:
        if not self.is_sqlite or Path(str(self.url.database)).exists():
            return self.engine
        nothing = self._nothing
        if nothing is None:
            nothing = self._nothing = empty_engine()
        return nothing

    def _take_back(self, lent: Transaction) -> None:
        with self._keeping:
            is_current = lent.engine is (self._engine or self._nothing)
            if is_current and lent.is_at_rest and len(self._idle) < _KEPT:
                self._idle.append(lent)
                return
        lent.close()

    def _close_idle(self) -> None:
        with self._keeping:
            idle, self._idle = self._idle, []
        for each in idle:
            each.close()

    def _open(self) -> Engine:
        if self.is_sqlite:
            create_owner_only(Path(str(self.url.database)))
        engine = make_engine(self.url)
        try:
            with engine.connect() as connection:
                version = stamped_version(connection)
                if version is None:
                    version = _create(connection)
            self._require_current(version)
        except BaseException:
            engine.dispose()
            raise
        return engine

    def refuse_newer(self, version: str) -> None:
        """Raise StoreError for the schema of a newer pachyderm."""
        if version > SCHEMA_VERSION:
            raise StoreError(
                f"the store {self} was made by a newer pachyderm (schema {version}, this one reads "
                f"{SCHEMA_VERSION}); upgrade pachyderm-cli",
                store=str(self),
            )

    def _require_current(self, version: str) -> None:
        self.refuse_newer(version)
        if version < SCHEMA_VERSION:
            raise StoreError(
                f"the store {self} was made by an older pachyderm (schema {version}, this one writes "
                f"{SCHEMA_VERSION}); run: pachyderm store migrate",
                store=str(self),
            )


def _repeated(work: Callable[[], ResultT], pauses: Iterable[float]) -> ResultT:
    """Return what `work` returns; where the connection is lost, after a pause of so many seconds on a fresh one."""
    waits = iter(pauses)
    while True:
        try:
            return work()
        except ConnectionLost:
            pause = next(waits, None)
            if pause is None:
                raise
            time.sleep(pause)


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


def _create(connection: Connection) -> str:
    """Make and stamp the tables in one transaction, unless another process just did; return the version."""
    begin_alone(connection)
    found = stamped_version(connection)
    if found is None:
        metadata.create_all(connection, checkfirst=False)
        schema_version.create(connection)
        connection.execute(schema_version.insert().values(version_num=SCHEMA_VERSION))
    connection.exec_driver_sql("COMMIT")
    return found or SCHEMA_VERSION


def _abandon_in_child() -> None:
    """Let a forked child open connections of its own, and never close its parent's."""
    for store in _stores:
        store.abandon()


os.register_at_fork(after_in_child=_abandon_in_child)
