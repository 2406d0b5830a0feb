"""The rows of a SQLite file, whatever is in them."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

Row = tuple[Any, ...]
Tables = Mapping[str, Mapping[int, Row]]


def tables_of(database: Path) -> dict[str, dict[int, Row]]:
    """Return every row of every table by its rowid, or by its place where there is none; text as bytes."""
    with closing(sqlite3.connect(database)) as connection:
        connection.text_factory = bytes
        tables = connection.execute("SELECT name, sql LIKE '%WITHOUT ROWID%' FROM sqlite_master WHERE type = 'table'")
        found = {}
        for raw, is_without in tables.fetchall():
            name = raw.decode()
            key = "" if is_without else "rowid, "
            rows = connection.execute(f'SELECT {key}* FROM "{name}"').fetchall()  # noqa: S608 - the file's own names
            found[name] = dict(enumerate(rows)) if is_without else {row[0]: row[1:] for row in rows}
        return found
