"""What an export has said of each entity so far, so that every line can be held against those before it.

It is kept in a database of SQLite's that nobody else sees and that goes when it is closed, on the disk as soon as it is
more than a little: so an export of any size takes the same memory.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from pachyderm_cli.store.exchange import EFFECT, ENTITY, EVENT, FORK, Kind, Row
from pachyderm_cli.store.schema import ERASED
from pachyderm_cli.store.sound_histories import (
    Copied,
    First,
    StoredHead,
    faults_of_belonging,
    faults_of_copy,
    faults_of_head,
    faults_of_next,
)
from pachyderm_cli.store.sound_rows import Fault, effect_name

_CACHE = 2048  # kilobytes


class _Step(NamedTuple):
    """The last event of an entity."""

    version: int
    position: int
    entity_type: str
    type: str
    message_id: str
    ordinal: int
    recorded_at: str


def _listed(names: Sequence[str], each: str = "{0}") -> str:
    """Return the names with a comma between them, each as in that form."""
    return ", ".join(each.format(name) for name in names)


_STEP = _listed(_Step._fields)
_FIRST = _listed(First._fields, "first_{0}")
_HEAD = _listed(StoredHead._fields, "head_{0}")
_TABLE = f"""
    CREATE TABLE entity (id PRIMARY KEY, line, {_FIRST}, opening, {_STEP}, head_line, {_HEAD}, copied, copied_at)
    WITHOUT ROWID
"""
_FIND_STEP = f"SELECT {_STEP} FROM entity WHERE id = ? AND version IS NOT NULL"  # noqa: S608 - of constants, as below
_BEGIN = f"""
    INSERT INTO entity (id, line, {_STEP}, {_FIRST}, opening)
    VALUES (?, ?, {_listed(_Step._fields, "?")}, {_listed(First._fields, "?")}, 1)
    ON CONFLICT (id) DO UPDATE SET
    {_listed(("line", *_Step._fields, *(f"first_{name}" for name in First._fields), "opening"), "{0} = excluded.{0}")}
"""  # noqa: S608
_GO_ON = f"""
    UPDATE entity SET opening = opening + (opening = version AND message_id = ?5),
    {_listed([f"{name} = ?{number}" for number, name in enumerate(_Step._fields, 1)])}, line = ?8 WHERE id = ?9
"""  # noqa: S608
_NOTE_HEAD = f"""
    INSERT INTO entity (id, head_line, {_HEAD}) VALUES (?, ?, {_listed(StoredHead._fields, "?")})
    ON CONFLICT (id) DO UPDATE SET head_line = excluded.head_line,
    {_listed(StoredHead._fields, "head_{0} = excluded.head_{0}")}
    WHERE head_line IS NULL
"""  # noqa: S608
_FIND_HEAD = "SELECT head_type, head_version, opening FROM entity WHERE id = ?"
_NOTE_COPY = "UPDATE entity SET copied = ?, copied_at = ? WHERE id = ?"
_ALL = f"SELECT id, line, head_line, {_FIRST}, {_STEP}, {_HEAD}, copied, copied_at FROM entity"  # noqa: S608


class Told:
    """Holds the rows of an export, as they come, against those that came before."""

    def __init__(self) -> None:
        """Begin with nothing."""
        # Whoever reads an export may end it in another thread than where it was begun.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for command in ("journal_mode=OFF", "synchronous=OFF", f"cache_size=-{_CACHE}", "temp_store=FILE"):
            self._run(f"PRAGMA {command}")
        self._run(_TABLE)
        self._run("BEGIN")
        self._checks: dict[str, Callable[[int, Row], Iterator[Fault]]] = {
            EVENT.name: self._event,
            ENTITY.name: self._head,
            FORK.name: self._copy,
            EFFECT.name: self._effect,
        }

    def close(self) -> None:
        """Forget it all."""
        self._database.close()

    def fault_of(self, line: int, kind: Kind, row: Row) -> str | None:
        """Return what is wrong with the row of a line beside those before it, None for nothing, and note it."""
        check = self._checks.get(kind.name)
        return None if check is None else next((fault.problem for fault in check(line, row)), None)

    def fault_of_all(self) -> tuple[int, str] | None:
        """Return what is wrong with an entity now that all of it was told, with the number of the line; or None."""
        for row in self._run(_ALL):
            columns = iter(row)
            identifier, line, head_line = islice(columns, 3)
            first, last = First(*islice(columns, _OF_FIRST)), _Step(*islice(columns, _OF_STEP))
            head, copied = StoredHead(*islice(columns, _OF_HEAD)), Copied(*columns)
            if line is None:
                return head_line, f"the entity {identifier} is not whole: it has a head, and no events"
            told_head, told_copy = head if head_line else None, copied if copied.version else None
            for fault in faults_of_head(told_head, first, last, told_copy):
                return head_line or line, f"the entity {identifier} is not whole: {fault.problem}"
        return None

    def _event(self, line: int, row: Row) -> Iterator[Fault]:
        identifier = row["entity_id"]
        step = _Step(*[row[name] for name in _Step._fields])
        found = self._run(_FIND_STEP, (identifier,)).fetchone()
        for fault in faults_of_next(None if found is None else _Step(*found), step):
            yield fault._replace(problem=f"the entity {identifier} is not whole: {fault.problem}")
        if found is None:
            self._run(_BEGIN, (identifier, line, *step, *(row[name] for name in First._fields)))
        else:
            self._run(_GO_ON, (*step, line, identifier))

    def _head(self, line: int, row: Row) -> Iterator[Fault]:
        values = [row[name] for name in StoredHead._fields]
        if self._run(_NOTE_HEAD, (row["id"], line, *values)).rowcount != 1:
            yield Fault("head", f"the entity {row['id']} has a head already")

    def _copy(self, _line: int, row: Row) -> Iterator[Fault]:
        identifier, version = row["entity_id"], row["from_version"]
        head_type, head_version, opening = self._head_of(identifier)
        if head_version is None:
            yield Fault("fork", f"the entity {identifier} is said to be a copy, and is not there")
        elif head_type != ERASED:  # of such a one it stays noted
            yield from faults_of_copy(version, opening)
        self._run(_NOTE_COPY, (version, row["forked_at"], identifier))

    def _effect(self, _line: int, row: Row) -> Iterator[Fault]:
        head_type, head_version, _ = self._head_of(row["entity_id"])
        for fault in faults_of_belonging("outbox", row["version"], head_type, head_version):
            yield fault._replace(problem=f"{effect_name(row)}: {fault.problem}")

    def _head_of(self, identifier: str) -> Sequence[Any]:
        return self._run(_FIND_HEAD, (identifier,)).fetchone() or (None, None, None)

    def _run(self, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        return self._database.execute(sql, parameters)


_OF_FIRST, _OF_STEP, _OF_HEAD = len(First._fields), len(_Step._fields), len(StoredHead._fields)
