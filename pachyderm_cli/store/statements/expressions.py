"""What is said to SQLite and to Postgres in different words."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Integer, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class is_listed(FunctionElement[int]):  # noqa: N801 - spelt as SQL functions are
    """Whether a column's value is in a list, which is one parameter, JSON text, however long it is."""

    type = Integer()  # as a Boolean it would be compared with 1, and no index be used
    inherit_cache = True


@compiles(is_listed)
def _is_among_each(element: Any, compiler: Any, **_: Any) -> str:
    column, values = (compiler.process(clause) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - of Core's own clauses  # nosec B608


@compiles(is_listed, "postgresql")
def _is_any_of(element: Any, compiler: Any, **_: Any) -> str:
    column, values = (compiler.process(clause) for clause in element.clauses)
    kind = "TEXT" if isinstance(next(iter(element.clauses)).type, Text) else "UUID"
    return f"{column} = ANY (CAST(ARRAY(SELECT json_array_elements_text(CAST({values} AS JSON))) AS {kind}[]))"


class database_time(FunctionElement[str]):  # noqa: N801 - as above
    """The database's clock, so long from now, in the form that times are stored in; null for a null.

    SQLite's has milliseconds. It is the time at which the statement began.
    """

    type = Text()
    inherit_cache = True


@compiles(database_time)
def _by_strftime(element: Any, compiler: Any, **_: Any) -> str:
    (distance,) = (compiler.process(clause) for clause in element.clauses)
    return f"strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', {distance})"


@compiles(database_time, "postgresql")
def _by_to_char(element: Any, compiler: Any, **_: Any) -> str:
    (distance,) = (compiler.process(clause) for clause in element.clauses)
    moment = f"(statement_timestamp() + CAST({distance} AS INTERVAL)) AT TIME ZONE 'UTC'"
    return f'to_char({moment}, \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\')'


class byte_length(FunctionElement[int]):  # noqa: N801 - as above
    """How many bytes a text takes."""

    type = Integer()
    inherit_cache = True


@compiles(byte_length)
def _by_length(element: Any, compiler: Any, **_: Any) -> str:
    (column,) = (compiler.process(clause) for clause in element.clauses)
    return f"length(CAST({column} AS BLOB))"


@compiles(byte_length, "postgresql")
def _by_octet_length(element: Any, compiler: Any, **_: Any) -> str:
    (column,) = (compiler.process(clause) for clause in element.clauses)
    return f"octet_length({column})"


class without_waiting(FunctionElement[int]):  # noqa: N801 - as above
    """True; and on Postgres the statement's transaction does not wait for the disk, if a row comes to be asked.

    So one statement, in one round trip, says both. On SQLite the connection says so.
    """

    type = Integer()
    inherit_cache = True


@compiles(without_waiting)
def _nothing_to_say(_element: Any, _compiler: Any, **_: Any) -> str:
    return "1"


@compiles(without_waiting, "postgresql")
def _by_set_config(_element: Any, _compiler: Any, **_: Any) -> str:
    return "set_config('synchronous_commit', 'off', true) = 'off'"
