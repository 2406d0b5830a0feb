"""Whether a store has the tables, columns and indexes that it is to have: not all that is missing makes an error.

An index that is unique is a guard, too: without it a race may put two events at one version.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Index, Table, func, select, text

from pachyderm_cli.store.findings import Finding
from pachyderm_cli.store.schema import events, metadata, schema_version
from pachyderm_cli.store.statement import Statement, Transaction
from pachyderm_cli.store.version import SCHEMA_VERSION

_COLUMNS_OF_SQLITE = Statement(
    text(
        'SELECT t.name, c.name, c."notnull", c.pk FROM sqlite_master AS t JOIN pragma_table_info(t.name) AS c '
        "WHERE t.type = 'table'"
    )
)
_INDEXES_OF_SQLITE = Statement(
    text(
        'SELECT t.name, i.name, i."unique", i.partial, c.name '
        "FROM sqlite_master AS t JOIN pragma_index_list(t.name) AS i JOIN pragma_index_info(i.name) AS c "
        "WHERE t.type = 'table' ORDER BY i.name, c.seqno"
    )
)
_OF_POSTGRES = """
    FROM pg_catalog.pg_class AS t
    JOIN pg_catalog.pg_namespace AS s ON s.oid = t.relnamespace
"""
_COLUMNS_OF_POSTGRES = Statement(
    text(
        f"""
        SELECT t.relname, a.attname, a.attnotnull, coalesce(array_position(CAST(p.indkey AS SMALLINT[]), a.attnum), -1)
        {_OF_POSTGRES}
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_catalog.pg_index AS p ON p.indrelid = t.oid AND p.indisprimary
        WHERE t.relkind IN ('r', 'p') AND s.nspname = ANY (current_schemas(false))
        """
    )
)
_INDEXES_OF_POSTGRES = Statement(
    text(
        f"""
        SELECT t.relname, i.relname, x.indisunique, x.indpred IS NOT NULL OR NOT x.indisvalid, a.attname
        {_OF_POSTGRES}
        JOIN pg_catalog.pg_index AS x ON x.indrelid = t.oid
        JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid
        CROSS JOIN LATERAL unnest(x.indkey) WITH ORDINALITY AS k (number, place)
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = k.number
        WHERE s.nspname = ANY (current_schemas(false))
        ORDER BY i.relname, k.place
        """
    )
)
_SEQUENCES = Statement(
    text("SELECT sequencename FROM pg_catalog.pg_sequences WHERE schemaname = ANY (current_schemas(false))")
)
_SEQUENCE = "pachyderm_events_position_seq"
_NEXT_POSITION = Statement(text(f"SELECT last_value + CAST(is_called AS INT) FROM {_SEQUENCE}"))  # noqa: S608 - a constant  # nosec B608
_LAST_POSITION = Statement(select(func.coalesce(func.max(events.c.position), 0)))
_STAMPS = Statement(select(schema_version.c.version_num).order_by(schema_version.c.version_num))

_TABLES = {table.name: table for table in (*metadata.tables.values(), schema_version)}


class _Column(NamedTuple):
    """A column as the database has it; `key` is its place in the primary key, if it is in it."""

    is_nullable: bool
    key: int


class _Index(NamedTuple):
    """An index as the database has it; `is_whole` if it is valid and has every row in it."""

    columns: tuple[str, ...]
    is_unique: bool
    is_whole: bool


def stamps_of(transaction: Transaction) -> list[str]:
    """Return the schema versions that the store is stamped with; there is to be one."""
    return [stamp for (stamp,) in transaction.rows(_STAMPS, {})]


def findings_of_stamps(stamps: list[str]) -> Iterator[Finding]:
    """Yield what is wrong with the versions that a store is stamped with."""
    if len(stamps) > 1:
        yield Finding("schema", f"the store is stamped with {len(stamps)} schema versions: {', '.join(stamps)}")


def findings_of_tables(transaction: Transaction) -> Iterator[Finding]:
    """Yield which tables and columns are missing, or are others than schema SCHEMA_VERSION has.

    Without a table or a column nothing else can be read.
    """
    found: dict[str, dict[str, _Column]] = {}
    statement = _COLUMNS_OF_SQLITE if transaction.is_sqlite else _COLUMNS_OF_POSTGRES
    for table, column, is_required, key in transaction.rows(statement, {}):
        # SQLite counts the places in a key from 1, Postgres this vector from 0.
        found.setdefault(table, {})[column] = _Column(not is_required, key if transaction.is_sqlite else key + 1)
    for table in _TABLES.values():
        if table.name not in found:
            yield Finding("schema", f"the table {table.name}, which schema {SCHEMA_VERSION} has, is missing")
        else:
            yield from _findings_of_table(table, found[table.name])


def _findings_of_table(table: Table, found: dict[str, _Column]) -> Iterator[Finding]:
    for column in table.columns:
        there = found.get(column.name)
        if there is None:
            yield Finding("schema", f"the table {table.name} has no column {column.name}")
        elif there.is_nullable and not column.nullable:
            yield Finding("schema", f"the column {column.name} of {table.name} may be null")
    key = [column.name for column in table.primary_key.columns]
    its = sorted((name for name in found if found[name].key > 0), key=lambda name: found[name].key)
    if its != key:
        told = f"is ({', '.join(its)})" if its else "is missing"
        yield Finding("schema", f"the primary key of {table.name}, ({', '.join(key)}), {told}")


def findings_of_indexes(transaction: Transaction) -> Iterator[Finding]:
    """Yield which indexes are missing or are others, and whether the log's next positions are free."""
    found: dict[tuple[str, str], _Index] = {}
    statement = _INDEXES_OF_SQLITE if transaction.is_sqlite else _INDEXES_OF_POSTGRES
    for table, name, is_unique, is_partial, column in transaction.rows(statement, {}):
        before = found.get((table, name), _Index((), bool(is_unique), not is_partial))
        found[table, name] = before._replace(columns=(*before.columns, column))
    for each in _TABLES.values():
        for index in sorted(each.indexes, key=lambda index: str(index.name)):
            yield from _findings_of_index(each, index, found.get((each.name, str(index.name))))
    if not transaction.is_sqlite:
        yield from _findings_of_sequence(transaction)


def _findings_of_index(table: Table, index: Index, found: _Index | None) -> Iterator[Finding]:
    columns = tuple([column.name for column in index.columns])
    if found is None:
        guard = ", which keeps two rows from having the same," if index.unique else ""
        yield Finding("schema", f"the index {index.name} of {table.name} ({', '.join(columns)}){guard} is missing")
    elif found.columns != columns:
        told = f"is one on ({', '.join(found.columns)}), not on ({', '.join(columns)})"
        yield Finding("schema", f"the index {index.name} of {table.name} {told}")
    elif index.unique and not (found.is_unique and found.is_whole):
        told = "does not keep two rows from having the same"
        yield Finding("schema", f"the index {index.name} of {table.name} ({', '.join(columns)}) {told}")


def _findings_of_sequence(transaction: Transaction) -> Iterator[Finding]:
    if (_SEQUENCE,) not in transaction.rows(_SEQUENCES, {}):
        yield Finding("schema", f"the sequence {_SEQUENCE} is missing, so that no event can be written")
        return
    # First the log, as of this transaction's moment; the sequence is read as it is now, which may be further.
    ((last,),) = transaction.rows(_LAST_POSITION, {})
    ((following,),) = transaction.rows(_NEXT_POSITION, {})
    if following <= last:
        told = f"the next position by {_SEQUENCE} is {following}, and the log is at {last} already"
        yield Finding("position", told)
