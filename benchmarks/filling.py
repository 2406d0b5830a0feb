"""Filling a store with events by SQL, much faster than sends would: rows that equal what a send writes.

A real send writes the first row; the others are copies of it, column by column, in all but what tells events
apart. So a column that the schema gains is filled as well.
"""

import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from benchmarks.contenders.contender import WrongOutcome
from benchmarks.contenders.engine import count_events, open_engine
from benchmarks.project.entities.counter import Increment

_TABLES = ("pachyderm_events", "pachyderm_entities")
_MILLISECOND = "(1700000000000 + (n.v - 1) * {entities} + i.k)"  # message ids are in time order, as those of real sends


@dataclass(frozen=True)
class _Dialect:
    """The SQL in which the two databases differ."""

    columns: str  # a query for the names of a table's columns
    indexes: str  # a query for name and SQL of the indexes that are no primary keys
    versions: str  # a relation n with a column v that holds 1 to {events}
    message_id: str
    hexadecimals: str  # 32 of them, at random


_SQLITE = _Dialect(
    columns="SELECT name FROM pragma_table_info('{table}')",
    indexes="SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
    versions="(WITH RECURSIVE r(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM r LIMIT {events}) SELECT v FROM r) n",
    message_id=f"lower(printf('%08x-%04x-7%s-8%s-%s', {_MILLISECOND} >> 16, {_MILLISECOND} & 65535,"
    " substr(hex(randomblob(2)), 2), substr(hex(randomblob(2)), 2), hex(randomblob(6))))",
    hexadecimals="lower(hex(randomblob(16)))",
)
_POSTGRES = _Dialect(
    columns="SELECT attname FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped",
    indexes="SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
    " WHERE indrelid IN ('pachyderm_events'::regclass, 'pachyderm_entities'::regclass) AND NOT indisprimary",
    versions="generate_series(1, {events}) AS n(v)",
    message_id=f"(lpad(to_hex({_MILLISECOND}), 12, '0') || '7' || substr(md5(random()::text), 1, 3)"
    " || '8' || substr(md5(random()::text), 1, 15))::uuid",
    hexadecimals="md5(random()::text)",
)


def fill(where: Path | str, ids: Sequence[UUID], events_each: int) -> None:
    """Write that many events to each of these new entities of a store, to one after the other, as a log mixes them.

    One event more is there afterwards, of the entity that is the template. Raises WrongOutcome if the engine does
    not read what was written as its own.
    """
    with open_engine(where) as pachyderm:
        template = pachyderm.send("counter:@template", Increment()).entity.id
    if isinstance(where, str):
        _fill_postgres(where, template, ids, events_each)
    else:
        _fill_sqlite(where, template, ids, events_each)
    if count_events(str(where)) != 1 + len(ids) * events_each:
        raise WrongOutcome(f"{where} was not filled")
    with open_engine(where) as pachyderm:
        for each in {ids[0], ids[-1]}:
            found = pachyderm.replay(f"counter:{each}")
            if (pachyderm.find(f"counter:{each}").version, found.version, found.state.count) != (events_each,) * 3:
                raise WrongOutcome(f"{where} was not filled as a send would: {found}")


def named(where: Path | str, reference: str) -> UUID:
    """Return the id of an entity by its name."""
    with open_engine(where) as pachyderm:
        return pachyderm.receiver(reference).id


def _fill_sqlite(file: Path, template: UUID, ids: Sequence[UUID], events_each: int) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        # Nothing of value is in it yet; the engine asks for WAL and FULL again, and they are read back.
        connection.execute("PRAGMA journal_mode=OFF")
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("CREATE TEMP TABLE bench_ids (k INTEGER PRIMARY KEY, id TEXT)")
        connection.executemany("INSERT INTO bench_ids VALUES (?, ?)", [(k, str(each)) for k, each in enumerate(ids, 1)])
        _fill(connection.execute, _SQLITE, template, len(ids), events_each)
    os.sync()  # so that writing it out does not fall into what is measured


def _fill_postgres(url: str, template: UUID, ids: Sequence[UUID], events_each: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TEMP TABLE bench_ids (k bigint PRIMARY KEY, id uuid)")
        connection.cursor().executemany("INSERT INTO bench_ids VALUES (%s, %s)", list(enumerate(ids, 1)))
        _fill(connection.execute, _POSTGRES, template, len(ids), events_each)
        connection.execute("VACUUM ANALYZE")  # as autovacuum would, in the middle of what is measured
        connection.execute("CHECKPOINT")


def _fill(execute: Callable[[str], Any], dialect: _Dialect, template: UUID, entities: int, events_each: int) -> None:
    indexes = execute(dialect.indexes).fetchall()
    for name, _ in indexes:
        execute(f"DROP INDEX {name}")
    columns = {table: [row[0] for row in execute(dialect.columns.format(table=table))] for table in _TABLES}
    events = {
        "entity_id": "i.id",
        "version": "n.v",
        "message_id": dialect.message_id.format(entities=entities),
        "message_fingerprint": dialect.hexadecimals,
    }
    order = f"{dialect.versions.format(events=events_each)} CROSS JOIN bench_ids i WHERE t.entity_id = '{template}'"
    execute(_copying("pachyderm_events", columns["pachyderm_events"], events, f"{order} ORDER BY n.v, i.k"))
    last = f"t.position + {(events_each - 1) * entities} + i.k"
    heads = {"id": "i.id", "version": str(events_each), "position": last}
    order = f"bench_ids i WHERE t.id = '{template}' ORDER BY i.id"
    execute(_copying("pachyderm_entities", columns["pachyderm_entities"], heads, order))
    for _, statement in indexes:
        execute(statement)


def _copying(table: str, columns: Sequence[str], different: Mapping[str, str], source: str) -> str:
    """Return the statement that copies the row of the template: an event's position is the table's to give."""
    names = [each for each in columns if not (table == "pachyderm_events" and each == "position")]
    values = ", ".join(different.get(each, f"t.{each}") for each in names)
    return f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM {table} t CROSS JOIN {source}"
