"""Statements, written in SQLAlchemy Core, compiled once per database, and run by the driver itself.

Core keeps the SQL in one place for both databases; its execution layer would cost several times what SQLite takes for
the statement. So what is compiled here goes to the driver's own `execute`, with the parameters in the driver's style.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from pachyderm_cli.store.compiled import Compiled, compiled, compiled_ahead
from pachyderm_cli.store.failures import driver_errors

if TYPE_CHECKING:
    from sqlalchemy.sql import ClauseElement

    from pachyderm_cli.store.connection import Database

_BRIEFLY = 100  # milliseconds
_AT_A_TIME = 50  # rows that a server sends of what is streamed; they may be large
_NUMBERS = count(1)  # of the names of cursors, several of which may be open at a time


class Statement:
    """A statement with named parameters."""

    __slots__ = ("_core", "compiled")

    def __init__(self, core: ClauseElement | Callable[[Any], ClauseElement] | str) -> None:
        """Keep what is said in Core, or what makes that of the dialect's own `insert`, which knows ON CONFLICT.

        Or its name, as in "events.BY_MESSAGE", if it is one of `statements`. It is compiled when a database first needs
        it.
        """
        self._core = core
        self.compiled: dict[str, Compiled] = {}
        """What it is compiled to, by the name of the dialect."""

    def for_dialect(self, dialect: str) -> Compiled:
        """Return the statement as text in the style of "sqlite" or "postgresql"."""
        found = self.compiled.get(dialect)
        if found is None:
            core = self._core
            ahead = compiled_ahead(core, dialect) if isinstance(core, str) else None
            found = self.compiled[dialect] = ahead or compiled(core, dialect)
        return found


class Statements:
    """The statements of a module of `statements`, each an attribute of its name there."""

    def __init__(self, module: str) -> None:
        """Name the module, without loading it."""
        self._module = module

    def __getattr__(self, name: str) -> Statement:
        if not name.isupper():
            raise AttributeError(name)
        return self.__dict__.setdefault(name, Statement(f"{self._module}.{name}"))  # type: ignore[no-any-return]  # a dict of Any

    def one_of(self, name: str, key: str) -> Statement:
        """Return the statement that a dict of that name there has under `key`."""
        full = f"{name}.{key}"
        return self.__dict__.setdefault(full, Statement(f"{self._module}.{full}"))  # type: ignore[no-any-return]  # as above


class Transaction:
    """A connection of the driver's, lent for one piece of work."""

    __slots__ = (
        "_connection",
        "_cursor",
        "_dialect",
        "_patience",
        "_waits_for_disk",
        "database",
        "hurries",
        "is_sqlite",
    )

    def __init__(self, connection: Any, database: Database) -> None:
        """Wrap the driver's own connection object, to `database`."""
        self._connection = connection
        self._cursor = connection.cursor()  # for what is read at once; the drivers would make one for each statement
        self.database = database
        self._dialect = database.dialect
        self.is_sqlite = self._dialect == "sqlite"
        self._patience: int | None = None  # what SQLite is to wait for locks again, in milliseconds
        self._waits_for_disk = True  # SQLite's setting of the connection; on Postgres a transaction has its own
        self.hurries: list[str] = []
        """What the server warned of: that it answered before its standby had what was committed.

        It does where somebody cancels the statement, or ends the session, while it waits for that.
        """
        if not self.is_sqlite:
            connection.add_notice_handler(partial(_heed, self.hurries))

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing is under way on the connection: an interruption may have left it in the middle."""
        if self.hurries:
            return False
        if self.is_sqlite:
            return self._waits_for_disk and self._patience is None and not self._connection.in_transaction
        driver = self._connection.pgconn
        return not self._connection.closed and driver.transaction_status == 0 and driver.pipeline_status == 0

    @property
    def is_closed(self) -> bool:
        """Whether the connection is known to be gone; only that to a server can be."""
        return getattr(self._connection, "closed", False)

    def rows(self, statement: Statement, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run a statement and return all its rows."""
        rows: list[tuple[Any, ...]] = self._cursor.execute(*self._prepared(statement, parameters)).fetchall()
        return rows

    def stream(self, statement: Statement, parameters: Mapping[str, Any]) -> Generator[tuple[Any, ...], None, None]:
        """Run a statement and yield its rows as they are read; constant memory on both databases."""
        text, arguments = self._prepared(statement, parameters)
        if self.is_sqlite:
            cursor = self._connection.execute(text, arguments)
            try:
                for row in cursor:  # noqa: UP028 - `yield from` would close it, also when its connection is closed
                    yield row
            finally:
                with suppress(*driver_errors()):
                    cursor.close()
            return
        # The driver would read every row at once; a cursor of the server's lives in a transaction.
        is_idle = self._connection.pgconn.transaction_status == 0
        with ExitStack() as stack:
            if is_idle:
                stack.enter_context(self._connection.transaction())
            cursor = stack.enter_context(self._connection.cursor(name=f"pachyderm_{next(_NUMBERS)}"))
            cursor.itersize = _AT_A_TIME
            yield from cursor.execute(text, arguments)

    def count(self, statement: Statement, parameters: Mapping[str, Any]) -> int:
        """Run a statement and return how many rows it changed."""
        changed: int = self._cursor.execute(*self._prepared(statement, parameters)).rowcount
        return changed

    def run_many(self, statement: Statement, each: Sequence[Mapping[str, Any]]) -> None:
        """Run a statement with each of some parameters."""
        if len(each) == 1:
            self.count(statement, each[0])
        elif each:
            self._cursor.executemany(*self._prepared_many(statement, each))

    def counts_of_many(self, statement: Statement, each: Sequence[Mapping[str, Any]]) -> list[int]:
        """Run a statement with each of some parameters and return how many rows each run changed.

        On Postgres it takes one round trip.
        """
        if len(each) == 1 or self.is_sqlite:
            return [self.count(statement, parameters) for parameters in each]
        counts = []
        with self._connection.cursor() as cursor:
            cursor.executemany(*self._prepared_many(statement, each), returning=True)
            while True:
                counts.append(cursor.rowcount)
                if not cursor.nextset():
                    return counts

    def commit(self, work: Sequence[tuple[Statement, Mapping[str, Any]]]) -> list[int]:
        """Run statements in a transaction of their own and return how many rows each changed.

        For Postgres, where it takes one round trip.
        """
        with self._connection.pipeline():
            self.run("BEGIN")
            cursors = [self._connection.execute(*self._prepared(*each)) for each in work]
            self.run("COMMIT")
        return [cursor.rowcount for cursor in cursors]

    def begin(self, *, durable: bool, patient: bool = True) -> None:
        """Begin a transaction for writing.

        Unless `durable`, its commit does not wait for the disk; unless `patient`, it hardly waits for another's locks.
        """
        if not self.is_sqlite:
            commands = ["BEGIN"]
            if not durable:
                commands.append("SET LOCAL synchronous_commit TO off")
            if not patient:
                commands.append(f"SET LOCAL lock_timeout TO {_BRIEFLY}")
            self.run("; ".join(commands))
            return
        if not patient:
            self._patience = self._cursor.execute("PRAGMA busy_timeout").fetchone()[0]
            self.run(f"PRAGMA busy_timeout={_BRIEFLY}")
        if not durable:
            self._be_quick()
        self.run("BEGIN IMMEDIATE")

    def count_soon(self, statement: Statement, parameters: Mapping[str, Any]) -> int:
        """Run a statement as a transaction of its own that need not wait for the disk; return how many rows it changed.

        To Postgres the statement says so itself.
        """
        try:
            if self.is_sqlite:
                self._be_quick()
            return self.count(statement, parameters)
        finally:
            self.come_to_rest()

    def _be_quick(self) -> None:
        self._waits_for_disk = False
        self.run("PRAGMA synchronous=NORMAL")

    def come_to_rest(self) -> None:
        """Let what comes next wait for the disk and for locks again; a connection that cannot is not at rest."""
        if self._patience is not None:
            self.run(f"PRAGMA busy_timeout={self._patience}")
            self._patience = None
        # An interruption may have left it in a transaction, in which SQLite refuses to: its error would hide that one.
        if not self._waits_for_disk and not self._connection.in_transaction:
            self.run("PRAGMA synchronous=FULL")
            self._waits_for_disk = True

    def run(self, sql: str) -> None:
        """Run a fixed command, such as BEGIN."""
        self._cursor.execute(sql)

    def told(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a fixed command, and return what it tells."""
        rows: list[tuple[Any, ...]] = self._cursor.execute(sql).fetchall()
        return rows

    def copy_to(self, destination: Any, pages: int, told: Callable[[int, int, int], None]) -> None:
        """Copy the whole database into another connection of SQLite's, so many pages at a time.

        After each time `told` is given a status, how many pages are left, and of how many.
        """
        self._connection.backup(destination, pages=pages, progress=told)

    def read_any_text(self) -> None:
        """Read also what is no text from here on, with lone surrogates for what is wrong. SQLite alone has such."""
        if self.is_sqlite:
            self._connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")

    def roll_back(self) -> None:
        """End what was begun, or the connection, if it was interrupted in the middle of talking to the server.

        The driver's own errors would stand in the way of the one that is being handled.
        """
        try:
            if not self.is_closed:
                self._connection.rollback()
        except driver_errors():
            self.close()

    def close(self) -> None:
        """Close the connection; the cursor first: SQLite keeps the file open for a statement that failed."""
        self._cursor.close()
        self._connection.close()

    def _prepared(self, statement: Statement, parameters: Mapping[str, Any]) -> tuple[str, Any]:
        compiled = statement.compiled.get(self._dialect) or statement.for_dialect(self._dialect)
        return compiled.text, compiled.arguments(parameters)

    def _prepared_many(self, statement: Statement, each: Sequence[Mapping[str, Any]]) -> tuple[str, list[Any]]:
        compiled = statement.for_dialect(self._dialect)
        return compiled.text, [*map(compiled.arguments, each)]


def _heed(hurries: list[str], notice: Any) -> None:
    """Note the server's warning that it did not wait for its standby, which has no code of its own."""
    if notice.source_function == "SyncRepWaitForLSN":
        hurries.append(notice.message_primary)
