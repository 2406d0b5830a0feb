"""Statements, written in SQLAlchemy Core, compiled once per database, and run by the driver itself.

Core keeps the SQL in one place for both databases; its execution layer would cost several times what SQLite takes for
the statement. So what is compiled here goes to the driver's own `execute`, with the parameters in the driver's style.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.sql import ClauseElement


class Statement:
    """A Core statement with named parameters."""

    __slots__ = ("_compiled", "_core")

    def __init__(self, core: ClauseElement | Callable[[Any], ClauseElement]) -> None:
        """Keep the statement, or what makes it from the dialect's own `insert`, which knows ON CONFLICT.

        It is compiled when a database first needs it.
        """
        self._core = core
        self._compiled: dict[str, _Compiled] = {}

    def for_dialect(self, dialect: Dialect) -> _Compiled:
        """Return the statement as text in the dialect's style."""
        found = self._compiled.get(dialect.name)
        if found is None:
            core = self._core if isinstance(self._core, ClauseElement) else self._core(_insert_of(dialect))
            found = self._compiled[dialect.name] = _Compiled(core, dialect)
        return found


def _insert_of(dialect: Dialect) -> Any:
    # Each dialect takes its time to load, so only the one in use is.
    if dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert  # noqa: PLC0415
    else:
        from sqlalchemy.dialects.postgresql import insert  # type: ignore[assignment]  # noqa: PLC0415
    return insert


class _Compiled:
    """A statement's text for one driver, and how its parameters are handed over."""

    __slots__ = ("_constants", "_order", "text")

    def __init__(self, core: ClauseElement, dialect: Dialect) -> None:
        compiled = core.compile(dialect=dialect)
        self.text = str(compiled)
        order: list[str] | None = getattr(compiled, "positiontup", None)
        # What the statement itself brings along; a caller's parameters have no value yet.
        self._constants = {name: value for name, value in compiled.params.items() if value is not None}
        self._order = None if order is None else tuple(order)

    def arguments(self, parameters: Mapping[str, Any]) -> Any:
        """Return `parameters` as the driver takes them: in order, or by name."""
        merged = {**self._constants, **parameters} if self._constants else parameters
        return merged if self._order is None else [merged[name] for name in self._order]


class Transaction:
    """A driver's connection, lent for one piece of work."""

    __slots__ = ("_connection", "dialect")

    def __init__(self, connection: Any, dialect: Dialect) -> None:
        """Wrap the driver's own connection object."""
        self._connection = connection
        self.dialect = dialect

    def rows(self, statement: Statement, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run a statement and return all its rows."""
        rows: list[tuple[Any, ...]] = self._execute(statement, parameters).fetchall()
        return rows

    def stream(self, statement: Statement, parameters: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
        """Run a statement and yield its rows as they are read; constant memory on both databases."""
        if self.dialect.name == "sqlite":
            yield from self._execute(statement, parameters)
            return
        text, arguments = self._prepared(statement, parameters)
        # The driver would read every row at once; a cursor of the server's lives in a transaction.
        with self._connection.transaction(), self._connection.cursor(name="pachyderm") as cursor:
            yield from cursor.execute(text, arguments)

    def count(self, statement: Statement, parameters: Mapping[str, Any]) -> int:
        """Run a statement and return how many rows it changed."""
        changed: int = self._execute(statement, parameters).rowcount
        return changed

    def counts(self, work: Sequence[tuple[Statement, Mapping[str, Any]]]) -> list[int]:
        """Run statements in turn and return how many rows each changed; on Postgres in one round trip."""
        if self.dialect.name == "sqlite":
            return [self.count(statement, parameters) for statement, parameters in work]
        with self._connection.pipeline():
            cursors = [self._execute(statement, parameters) for statement, parameters in work]
        return [cursor.rowcount for cursor in cursors]

    def commit(self, work: Sequence[tuple[Statement, Mapping[str, Any]]]) -> list[int]:
        """Run statements in a transaction of their own, on Postgres in one round trip; return the rows each changed."""
        if len(work) == 1:
            return [self.count(*work[0])]  # a single statement commits by itself
        with self._connection.pipeline():
            self.run("BEGIN")
            cursors = [self._execute(statement, parameters) for statement, parameters in work]
            self.run("COMMIT")
        return [cursor.rowcount for cursor in cursors]

    def run(self, sql: str) -> None:
        """Run a fixed command, such as BEGIN."""
        self._connection.execute(sql)

    def roll_back(self) -> None:
        """End what was begun; a connection that is gone has nothing to end."""
        self._connection.rollback()

    def _execute(self, statement: Statement, parameters: Mapping[str, Any]) -> Any:
        return self._connection.execute(*self._prepared(statement, parameters))

    def _prepared(self, statement: Statement, parameters: Mapping[str, Any]) -> tuple[str, Any]:
        compiled = statement.for_dialect(self.dialect)
        return compiled.text, compiled.arguments(parameters)
