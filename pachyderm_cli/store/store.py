"""The store: opening it, its schema's version, and lending connections for reading and for writing."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from pachyderm_cli.errors import ConfigError, StoreError
from pachyderm_cli.store.acknowledgements import Acknowledged, Acknowledgements
from pachyderm_cli.store.connection import Database, create_owner_only, empty_database, holds_store, open_database
from pachyderm_cli.store.creation import create, stamped_version, sync_log
from pachyderm_cli.store.failures import (
    ConnectionLost,
    any_error,
    connection_lost,
    driver_errors,
    ends_session,
    is_timeout,
    not_replicated,
    storage_errors,
    store_error,
)
from pachyderm_cli.store.patience import MOST_WAIT_SECONDS, WAIT_SECONDS, Patience
from pachyderm_cli.store.statement import Transaction
from pachyderm_cli.store.url import parse_url
from pachyderm_cli.store.version import SCHEMA_VERSION

ResultT = TypeVar("ResultT")

_KEPT = 8  # connections that wait for their next use; more are opened when more are needed at a time
_RECONNECTION_PAUSES = (0.05, 0.1, 0.2, 0.5, 1, 2)  # seconds

_stores: weakref.WeakSet[Store] = weakref.WeakSet()


class Store:
    """One database. Opened at the first use; serves several threads.

    A SQLite file that is not there is made by the first write, and reads as empty until then; so does one in which
    another program has tables, which stay as they are.
    """

    def __init__(self, url: str, wait_seconds: float = WAIT_SECONDS) -> None:
        """Read `url`, without opening anything. Raises ConfigError.

        Others' locks in a SQLite file, and a server that is away for a while, are waited for so many seconds.
        """
        self.url = parse_url(url)
        if not 0 <= wait_seconds <= MOST_WAIT_SECONDS:
            raise ConfigError(f"wait_seconds is a number from 0 to {MOST_WAIT_SECONDS:g}")
        self.wait_seconds = wait_seconds
        self.is_sqlite = self.url.file is not None
        self._was_reached = False
        self._opening = threading.Lock()
        self._database: Database | None = None
        self._idle: list[Transaction] = []
        # Held to change what is kept, not to take from it. The garbage collector may end a listing at any moment, also
        # in the thread that holds it.
        self._keeping = threading.RLock()
        self._nothing: Database | None = None  # what a file that is not there reads as
        self.acknowledgements = Acknowledgements(self._write_marks)
        _stores.add(self)

    def __str__(self) -> str:
        return str(self.url)

    @property
    def opened_url(self) -> str:
        """The URL whole, its password too: for another process, never to be shown."""
        return self.url.whole

    def read(self, work: Callable[[Transaction], ResultT]) -> ResultT:
        """Return what `work` reads; each of its statements sees one state of the database.

        If the connection is lost it is run again on a fresh one, a few times. Raises StoreError.
        """
        return _repeated(lambda: self._run(work, reading=True), _RECONNECTION_PAUSES)

    def write(
        self, work: Callable[[Transaction], ResultT], *, durable: bool = True, patient: bool = True, waits: bool = True
    ) -> ResultT:
        """Return what `work` returns once what it wrote is durably committed; on an exception nothing is written.

        Not `durable`: it is committed, and every process sees it, but the database need not wait for the disk. Not
        `patient`: where another process or thread holds a lock, it fails after a tenth of a second. Unless it is that,
        and `waits`, it fails at once where the server is away.

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
                if not (durable and patient):
                    transaction.come_to_rest()
            return result

        return self._run(transact, waits=patient and waits)

    def write_again(
        self, work: Callable[[Transaction], ResultT], *, durable: bool = False, waits: bool = True
    ) -> ResultT:
        """Write what does no harm when it is written twice; unless `durable`, it need not be on disk when this returns.

        If the connection is lost it is run again on a fresh one, a few times, and where the server gives a statement up
        for its timeout, as long as the store is waited for; unless it `waits`, neither. Raises StoreError.
        """
        patience = self.patience()
        while True:
            try:
                return _repeated(lambda: self.write(work, durable=durable, waits=waits), _RECONNECTION_PAUSES)
            except StoreError as error:
                if not waits or not is_timeout(error) or not patience.pause():
                    raise

    def run(self, work: Callable[[Transaction], ResultT], *, waits: bool = True) -> ResultT:
        """Return what `work` returns, given a connection on which it commits by itself.

        Unless it `waits`, it fails at once where the server is away. Raises as `write` does.
        """

        def ended(transaction: Transaction) -> ResultT:
            try:
                return work(transaction)
            except BaseException:
                transaction.roll_back()
                raise

        return self._run(ended, waits=waits)

    @contextmanager
    def streaming(self) -> Iterator[Transaction]:
        """Lend a connection for reading rows as they are used, which takes as long as the user does."""
        if not self.is_sqlite:
            self.read(lambda transaction: transaction.run("SELECT 1"))  # what is cut off is noticed before, not within
        with storage_errors(self.url):
            lent = self._lend(reading=True)
            try:
                yield lent
            finally:
                self._take_back(lent)

    @property
    def database(self) -> Database:
        """The opened database, its schema made or checked. Raises StoreError."""
        database = self._database
        if database is None:
            patience = self.patience()
            with self._opening:  # as long as this is held nobody closes it again
                if self._database is None:
                    with storage_errors(self.url):
                        self._database = self._open(patience)
                        self._was_reached = True
                database = self._database
        return database

    def close(self) -> None:
        """Write what is still to be written and close every connection; the store may be used again."""
        self.acknowledgements.close()
        with self._opening:
            self._database = self._nothing = None
            self._close_idle()

    def abandon(self) -> None:
        """Forget every connection, without closing it: they are another process's."""
        self._opening = threading.Lock()
        self._keeping = threading.RLock()
        self._database = self._nothing = None
        self._idle = []
        self.acknowledgements = Acknowledgements(self._write_marks)

    def _write_marks(self, marks: Sequence[Acknowledged], *, patient: bool) -> None:
        from pachyderm_cli.store.settling import settle_each  # noqa: PLC0415 - whoever only reads needs none of it

        def write() -> None:
            self.write(lambda transaction: settle_each(transaction, marks), durable=False, patient=patient)

        _repeated(write, _RECONNECTION_PAUSES if patient else (0,))  # to mark twice does no harm

    def _run(self, work: Callable[[Transaction], ResultT], *, reading: bool = False, waits: bool = True) -> ResultT:
        """Return what `work` returns, given a connection; the drivers' errors become StoreError."""
        try:
            lent = self._lend(reading=reading, waits=waits)
            try:
                result = work(lent)
            except driver_errors() as error:
                if not lent.is_closed and not ends_session(error):
                    raise
                lent.close()
                self._close_idle()  # what cut this one has cut those too
                raise connection_lost(self.url, error) from error
            else:
                if lent.hurries:
                    raise not_replicated(self.url)
                return result
            finally:
                self._take_back(lent)
        except any_error() as error:
            raise store_error(self.url, error) from error

    def _lend(self, *, reading: bool, waits: bool = True) -> Transaction:
        """Return a connection that nobody uses: the one that was used last, or a fresh one.

        Where none is to be had it `waits` for the server, or until another thread gives one back.
        """
        database = self._database or (self._readable() if reading else self.database)
        patience: Patience | None = None
        while True:
            while self._idle:
                try:
                    lent = self._idle.pop()
                except IndexError:  # another thread was faster
                    break
                if lent.database is database:
                    return lent
                lent.close()
            patience = patience or self.patience()
            try:
                return Transaction(database.connect(), database)
            except any_error() as error:
                if not waits or not patience.outlasts(error):
                    raise

    def patience(self) -> Patience:
        """Return how long one piece of work waits for the store, from now on."""
        return Patience(self.url, self.wait_seconds, was_reached=self._was_reached)

    def _readable(self) -> Database:
        if self.url.file is None or holds_store(self.url.file, self.wait_seconds):
            return self.database
        nothing = self._nothing
        if nothing is None:
            nothing = self._nothing = empty_database()
        return nothing

    def _take_back(self, lent: Transaction) -> None:
        with self._keeping:
            is_current = lent.database is (self._database or self._nothing)
            if is_current and lent.is_at_rest and len(self._idle) < _KEPT:
                self._idle.append(lent)
                return
        lent.close()

    def _close_idle(self) -> None:
        with self._keeping:
            idle, self._idle = self._idle, []
        for each in idle:
            each.close()

    def _open(self, patience: Patience) -> Database:
        if self.url.file is not None:
            create_owner_only(self.url.file)
        database = open_database(self.url, self.wait_seconds)
        while True:
            try:
                opened = Transaction(database.connect(), database)
                try:
                    patience.expects_it = True
                    version = stamped_version(opened) or create(opened)
                finally:
                    opened.close()
                break
            except any_error() as error:
                if not patience.outlasts(error):
                    raise
        if self.url.file is not None:
            sync_log(self.url.file)
        self._require_current(version)
        return database

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


def _abandon_in_child() -> None:
    """Let a forked child open connections of its own, and never close its parent's."""
    for store in _stores:
        store.abandon()


os.register_at_fork(after_in_child=_abandon_in_child)
