"""Reading the durable settings back, from every connection that a contender has open.

The connections are found among the objects of this process, so that it makes no difference who opened them, how,
and where they are kept.
"""

import gc
import sqlite3
from pathlib import Path

import psycopg

DURABLE = ("journal_mode=wal synchronous=2", "synchronous_commit=on fsync=on")


class NotDurable(Exception):
    """A contender's connection would lose acknowledged commits: its figures would mean nothing."""


def read_back(database: str) -> str:
    """Return the settings of every open connection to `database` (a file, or a Postgres URL) with their number.

    Raises NotDurable unless each of them is durable, and where there is none.
    """
    found = sorted(_settings(database))
    if not found or not set(found) <= set(DURABLE):
        raise NotDurable(f"connections to {database}: {found or 'none'}")
    return f"{found[0]} ({len(found)} connection{'s' if len(found) > 1 else ''})"


def _settings(database: str) -> list[str]:
    everything = gc.get_objects()
    if database.startswith("postgresql"):
        name = psycopg.conninfo.conninfo_to_dict(database.replace("+psycopg", "", 1))["dbname"]
        kinds = (psycopg.Connection, psycopg.AsyncConnection)
        open_ones = [each for each in everything if isinstance(each, kinds) and not each.closed]
        return [_postgres(each) for each in open_ones if each.info.dbname == name]
    connections = [each for each in everything if isinstance(each, sqlite3.Connection)]
    return [settings for each in connections if (settings := _sqlite(each, Path(database)))]


def _sqlite(connection: sqlite3.Connection, file: Path) -> str | None:
    try:
        name = connection.execute("SELECT file FROM pragma_database_list WHERE name = 'main'").fetchone()[0]
    except sqlite3.ProgrammingError as error:
        if "closed" in str(error):
            return None
        raise
    if not name or not Path(name).samefile(file):
        return None
    return " ".join(
        f"{pragma}={connection.execute(f'PRAGMA {pragma}').fetchone()[0]}" for pragma in ("journal_mode", "synchronous")
    )


def _postgres(connection: psycopg.Connection[object] | psycopg.AsyncConnection[object]) -> str:
    # By libpq itself: it neither begins a transaction nor needs the event loop that the connection may belong to.
    values = []
    for setting in ("synchronous_commit", "fsync"):
        value = connection.pgconn.exec_(f"SHOW {setting}".encode()).get_value(0, 0)
        values.append(f"{setting}={value.decode() if value else None}")
    return " ".join(values)
