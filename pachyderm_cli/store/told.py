"""What an export has said of each entity so far, so that every line can be held against those before it.

Entities that were told of lately are at hand; the others are in a database of SQLite's that nobody else sees and that
goes when it is closed, on the disk as soon as it is more than a little. So an export of any size takes the same memory.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from pachyderm_cli.store.exchange import EFFECT, ENTITY, EVENT, FORK, Kind, Row
from pachyderm_cli.store.records import ERASED
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

_CACHE = 8192  # kilobytes
_AT_HAND = 1000  # entities


class _Step(NamedTuple):
    """The last event of an entity."""

    version: int
    position: int
    entity_type: str
    type: str
    message_id: str
    ordinal: int
    recorded_at: str


@dataclass(slots=True)
class _Entity:
    """What was told of an entity: `line` is of its last event, `opening` of how many events its first message is."""

    id: str
    line: int | None = None
    opening: int = 0
    head_line: int | None = None
    first: First | None = None
    last: _Step | None = None
    head: StoredHead | None = None
    copied: Copied | None = None


_OWN = ("id", "line", "opening", "head_line")
_NESTED = (("first", First), ("last", _Step), ("head", StoredHead), ("copied", Copied))
_COLUMNS = [*_OWN, *(f"{name}_{field}" for name, kind in _NESTED for field in kind._fields)]
_TABLE = f"CREATE TABLE entity ({', '.join(_COLUMNS)}, PRIMARY KEY (id)) WITHOUT ROWID"
_FIND = f"SELECT {', '.join(_COLUMNS)} FROM entity WHERE id = ?"  # noqa: S608 - of constants, as below  # nosec B608
_KEEP = f"INSERT OR REPLACE INTO entity VALUES ({', '.join('?' for _ in _COLUMNS)})"  # noqa: S608  # nosec B608
_ALL = f"SELECT {', '.join(_COLUMNS)} FROM entity ORDER BY id"  # noqa: S608  # nosec B608

_NO_FIRST, _NO_LAST, _NO_HEAD, _NOT_COPIED = ((None,) * len(kind._fields) for _, kind in _NESTED)
_FIRST = len(_OWN)
_LAST = _FIRST + len(First._fields)
_HEAD = _LAST + len(_Step._fields)
_COPIED = _HEAD + len(StoredHead._fields)


def _row_of(each: _Entity) -> tuple[Any, ...]:
    nested = (*(each.first or _NO_FIRST), *(each.last or _NO_LAST), *(each.head or _NO_HEAD))
    return (each.id, each.line, each.opening, each.head_line, *nested, *(each.copied or _NOT_COPIED))


def _entity_of(row: tuple[Any, ...]) -> _Entity:
    identifier, line, opening, head_line = row[:_FIRST]
    return _Entity(
        identifier,
        line,
        opening,
        head_line,
        None if row[_FIRST] is None else First._make(row[_FIRST:_LAST]),
        None if row[_LAST] is None else _Step._make(row[_LAST:_HEAD]),
        None if row[_HEAD] is None else StoredHead._make(row[_HEAD:_COPIED]),
        None if row[_COPIED] is None else Copied._make(row[_COPIED:]),
    )


class Told:
    """Holds the rows of an export, as they come, against those that came before."""

    def __init__(self) -> None:
        """Begin with nothing."""
        # Whoever reads an export may end it in another thread than where it was begun.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for command in ("journal_mode=OFF", "synchronous=OFF", f"cache_size=-{_CACHE}", "temp_store=FILE"):
            self._database.execute(f"PRAGMA {command}")
        self._database.execute(_TABLE)
        self._database.execute("BEGIN")
        self._at_hand: dict[str, _Entity] = {}
        self._checks: dict[str, Callable[[int, Row], Iterator[Fault]]] = {
            EVENT.name: self._event,
            ENTITY.name: self._head,
            FORK.name: self._copy,
            EFFECT.name: self._effect,
        }

    def close(self) -> None:
        """Forget it all."""
        self._at_hand.clear()
        self._database.close()

    def fault_of(self, line: int, kind: Kind, row: Row) -> str | None:
        """Return what is wrong with the row of a line beside those before it, None for nothing, and note it."""
        check = self._checks.get(kind.name)
        return None if check is None else next((fault.problem for fault in check(line, row)), None)

    def fault_of_all(self) -> tuple[int, str] | None:
        """Return what is wrong with an entity now that all of it was told, with the number of the line; or None."""
        self._put_away()
        for each in map(_entity_of, self._database.execute(_ALL)):
            line = each.head_line or each.line or 0
            if each.first is None or each.last is None:
                return line, f"the entity {each.id} is not whole: it has a head, and no events"
            for fault in faults_of_head(each.head, each.first, each.last, each.copied):
                return line, f"the entity {each.id} is not whole: {fault.problem}"
        return None

    def _event(self, line: int, row: Row) -> Iterator[Fault]:
        entity = self._entity(row["entity_id"])
        last, step = entity.last, _Step(*[row[name] for name in _Step._fields])
        for fault in faults_of_next(last, step):
            yield fault._replace(problem=f"the entity {entity.id} is not whole: {fault.problem}")
        if last is None:
            entity.first, entity.opening = First(*[row[name] for name in First._fields]), 1
        elif entity.opening == last.version and last.message_id == step.message_id:
            entity.opening += 1
        entity.line, entity.last = line, step

    def _head(self, line: int, row: Row) -> Iterator[Fault]:
        entity = self._entity(row["id"])
        if entity.head is not None:
            yield Fault("head", f"the entity {entity.id} has a head already")
        entity.head_line, entity.head = line, StoredHead(*[row[name] for name in StoredHead._fields])

    def _copy(self, _line: int, row: Row) -> Iterator[Fault]:
        entity = self._entity(row["entity_id"])
        if entity.head is None:
            yield Fault("fork", f"the entity {entity.id} is said to be a copy, and is not there")
        elif entity.head.type != ERASED:  # of such a one it stays noted
            yield from faults_of_copy(row["from_version"], entity.opening)
        entity.copied = Copied(row["from_version"], row["forked_at"])

    def _effect(self, _line: int, row: Row) -> Iterator[Fault]:
        head = self._entity(row["entity_id"]).head
        kind, version = (None, None) if head is None else (head.type, head.version)
        for fault in faults_of_belonging("outbox", row["version"], kind, version):
            yield fault._replace(problem=f"{effect_name(row)}: {fault.problem}")

    def _entity(self, identifier: str) -> _Entity:
        """Return what was told of an entity, to be added to."""
        found = self._at_hand.get(identifier)
        if found is None:
            if len(self._at_hand) >= _AT_HAND:
                self._put_away()
            row = self._database.execute(_FIND, (identifier,)).fetchone()
            found = self._at_hand[identifier] = _Entity(identifier) if row is None else _entity_of(row)
        return found

    def _put_away(self) -> None:
        self._database.executemany(_KEEP, map(_row_of, self._at_hand.values()))
        self._at_hand.clear()
