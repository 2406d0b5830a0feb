"""The lines of an export: what there is of each kind, how a line is written, and what one that is read must have.

A line is an object of one key, its kind, or of the header's or the footer's keys. Columns keep their names, and JSON
that is stored stays a text, so that not a digit of it changes. A column that a later schema adds is a new format's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from pachyderm_cli.store.records import EffectStatus
from pachyderm_cli.store.schema import SCHEMA_VERSION, cursors, entities, events, forks, outbox

FORMAT = 1
"""The version of the lines. One that reads differently is another."""

Row = dict[str, Any]

_TO_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_TIMES = ("_at", "_until")  # how the names of columns end that hold a time
_JSON = (events.c.data, outbox.c.data, outbox.c.on_rejected)
_LEASES = (cursors.c.lease, cursors.c.lease_until)  # a follower's, of this store alone
_STATUSES = frozenset(EffectStatus)


class Kind(NamedTuple):
    """One kind of line: the rows of a table, without their network."""

    name: str
    plural: str
    table: Table

    @property
    def columns(self) -> list[Column[Any]]:
        """What is in a line, in order."""
        return [column for column in self.table.columns if column.name != "network"]


EVENT = Kind("event", "events", events)
ENTITY = Kind("entity", "entities", entities)
CURSOR = Kind("cursor", "cursors", cursors)
FORK = Kind("fork", "forks", forks)
EFFECT = Kind("effect", "effects", outbox)
KINDS = (EVENT, ENTITY, CURSOR, FORK, EFFECT)
"""Every kind. Snapshots and the states for lookup are left out: they are made of these."""

_NAMES = {kind.name: [column.name for column in kind.columns] for kind in KINDS}


class Wanted(NamedTuple):
    """What of a network is exported: all of it, the entities that a type handled last, or one entity."""

    network: str
    type: str | None = None
    entity: UUID | None = None

    @property
    def is_all(self) -> bool:
        """Whether nothing of the network is left out."""
        return self.type is None and self.entity is None


def header_line(wanted: Wanted) -> str:
    """Return the first line: whose it is, in which format, from which network, what of it."""
    chosen = None
    if not wanted.is_all:
        chosen = {"type": wanted.type, "entity": None if wanted.entity is None else str(wanted.entity)}
    header = {"pachyderm": "export", "format": FORMAT, "schema": SCHEMA_VERSION, "network": wanted.network}
    return _TO_JSON({**header, "filter": chosen}) + "\n"


def row_line(kind: Kind, row: tuple[Any, ...]) -> str:
    """Return the line of a row, given its columns in order."""
    return _TO_JSON({kind.name: dict(zip(_NAMES[kind.name], row, strict=True))}) + "\n"


def footer_line(counts: Mapping[str, int], checksum: str) -> str:
    """Return the last line: how many of each kind there are, and the checksum of all bytes before."""
    return _TO_JSON({"end": {**counts, "sha256": checksum}}) + "\n"


def find_fault(kind: Kind, row: Any) -> str | None:
    """Return what is wrong with a row that was read; None for one that could have come from a store."""
    if not isinstance(row, dict):
        return f"{kind.name} is no object"
    names = _NAMES[kind.name]
    if row.keys() != set(names):
        missing = [name for name in names if name not in row]
        return f"{kind.name} has no {missing[0]!r}" if missing else f"{kind.name} has keys that none has"
    for name, is_sound in _CHECKS[kind.name]:
        if not is_sound(row[name]):
            return f"the {name!r} of {kind.name} cannot be {_TO_JSON(row[name])[:80]}"
    return None


def _check_of(column: Column[Any]) -> Callable[[Any], bool]:
    """Return what tells whether a value can be one of the column's."""
    if column in _LEASES:
        return lambda value: value is None
    is_sound = _check_of_type(column)
    return (lambda value: value is None or is_sound(value)) if column.nullable else is_sound


def _check_of_type(column: Column[Any]) -> Callable[[Any], bool]:
    if isinstance(column.type, Integer):
        end = 2**63 if isinstance(column.type, BigInteger) else 2**31
        return lambda value: type(value) is int and 0 <= value < end
    if not isinstance(column.type, Text):
        return lambda value: isinstance(value, str) and _UUID.fullmatch(value) is not None
    if column.name.endswith(_TIMES):
        return lambda value: isinstance(value, str) and _TIME.fullmatch(value) is not None
    if column is outbox.c.status:
        return lambda value: isinstance(value, str) and value in _STATUSES
    return _is_json if column in _JSON else _is_text


def _is_text(value: Any) -> bool:
    """Tell whether it is text that each database keeps: no lone surrogate and no null character in it."""
    if not isinstance(value, str) or "\0" in value:
        return False
    return value.isascii() or not any("\ud800" <= each <= "\udfff" for each in value)


def _is_json(value: Any) -> bool:
    if not _is_text(value):
        return False
    try:
        _DECODER.decode(value)
    except (ValueError, RecursionError):
        return False
    return True


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


# Numbers stay text: one may have more digits than Python takes.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_no_number)

_CHECKS = {kind.name: [(column.name, _check_of(column)) for column in kind.columns] for kind in KINDS}
