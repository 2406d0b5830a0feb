"""The lines of an export: what there is of each kind, how a line is written, and what one that is read must have.

A line is an object of one key, its kind, or of the header's or the footer's keys. Columns keep their names, and JSON
that is stored stays a text, so that not a digit of it changes. A column that a later schema adds is a new format's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Column, Table

from pachyderm_cli.store.failures import unreadable
from pachyderm_cli.store.schema import cursors, entities, events, forks, outbox
from pachyderm_cli.store.sound_rows import faults_of
from pachyderm_cli.store.version import SCHEMA_VERSION

FORMAT = 1
"""The version of the lines. One that reads differently is another."""

Row = dict[str, Any]

_TO_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_LEASES = {"cursor": ("lease", "lease_until")}  # a follower's, of this store alone


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
    """Return the line of a row, given its columns in order. Raises StoreError for one that no import would take."""
    named = dict(zip(_NAMES[kind.name], row, strict=True))
    fault = find_fault(kind, named)
    if fault is not None:
        raise unreadable(fault)
    return _TO_JSON({kind.name: named}) + "\n"


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
    for name in _LEASES.get(kind.name, ()):
        if row[name] is not None:
            return f"the {name!r} of {kind.name} cannot be {_TO_JSON(row[name])[:80]}: nobody holds what is in a file"
    return next((fault.problem for fault in faults_of(kind.table, row)), None)
