"""What a run left behind: the clients' own logs, what effects did, what followers saw, and the raw tables.

Nothing here, nor in what judges it, uses a line of pachyderm's code: files are read as JSON, tables by their drivers.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

Entity = tuple[str, str]
"""A network, and an entity's id in it."""


class Intent(NamedTuple):
    """A message that a client is about to send, as it noted before."""

    client: str
    network: str
    entity: str
    message_id: str
    message: Mapping[str, Any]


class Answer(NamedTuple):
    """What a client was told of a message, as it noted after: the version, or nothing where it was rejected."""

    client: str
    message_id: str
    version: int | None


class Row(NamedTuple):
    """An event as it is stored."""

    position: int
    network: str
    entity: str
    version: int
    type: str
    data: Mapping[str, Any]
    message_id: str
    ordinal: int

    @property
    def whose(self) -> Entity:
        """The entity."""
        return self.network, self.entity


class Queued(NamedTuple):
    """A row of the outbox."""

    id: str
    network: str
    entity: str
    version: int
    message_id: str
    type: str
    status: str


class Trace(NamedTuple):
    """What an effect left when it ran: `ring` is delivered at least once, `whisper` at most once."""

    kind: str
    network: str
    entity: str
    version: int
    effect_id: str


class Seen(NamedTuple):
    """An event that a follower noted, in the order of its file."""

    follower: str
    network: str
    position: int
    entity: str
    version: int


@dataclass
class History:
    """All of it. Lists are in the order in which they were noted; rows are in the order of their positions."""

    intents: list[Intent] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    heads: dict[Entity, int] = field(default_factory=dict)
    outbox: list[Queued] = field(default_factory=list)
    traces: list[Trace] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)

    def by_entity(self) -> dict[Entity, list[Row]]:
        """Return each entity's events by version."""
        found: dict[Entity, list[Row]] = defaultdict(list)
        for row in self.rows:
            found[row.whose].append(row)
        return {whose: sorted(rows, key=lambda row: row.version) for whose, rows in found.items()}

    def by_message(self) -> dict[tuple[str, str], list[Row]]:
        """Return the events of each message of each network by ordinal."""
        found: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in self.rows:
            found[row.network, row.message_id].append(row)
        return {key: sorted(rows, key=lambda row: row.ordinal) for key, rows in found.items()}


def read_history(folder: Path, store_url: str) -> History:
    """Return what a run left in its folder and in its store."""
    history = History()
    for name, note in _lines(folder / "clients"):
        if note["note"] == "begin":
            history.intents.append(Intent(name, note["network"], note["entity"], note["id"], note["message"]))
        elif note["note"] == "end":
            history.answers.append(Answer(name, note["id"], note["version"]))
    for name, note in _lines(folder / "followers"):
        history.seen.append(Seen(name, note["network"], note["position"], note["entity"], note["version"]))
    history.traces = [Trace(**note) for _, note in _lines(folder / "traces")]
    read_tables(history, store_url)
    return history


def read_tables(history: History, store_url: str) -> None:
    """Read the tables of a store into a history."""
    events = "position, network, entity_id, version, type, data, message_id, ordinal"
    for position, network, entity, version, kind, data, message_id, ordinal in _select(
        store_url,
        f"SELECT {events} FROM pachyderm_events ORDER BY position",  # noqa: S608 - the names above
    ):
        row = Row(position, network, str(entity), version, kind, json.loads(data), str(message_id), ordinal)
        history.rows.append(row)
    for network, entity, version in _select(store_url, "SELECT network, id, version FROM pachyderm_entities"):
        history.heads[network, str(entity)] = version
    for each in _select(
        store_url, "SELECT id, network, entity_id, version, message_id, type, status FROM pachyderm_outbox"
    ):
        effect_id, network, entity, version, message_id, kind, status = each
        history.outbox.append(Queued(str(effect_id), network, str(entity), version, str(message_id), kind, status))


def _lines(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what was noted in a folder's files; a last line that was cut off when its process died is none."""
    for file in sorted(folder.glob("*.jsonl")):
        *whole, _cut = file.read_bytes().split(b"\n")
        for line in whole:
            yield file.stem, json.loads(line)


def _select(store_url: str, statement: str) -> list[tuple[Any, ...]]:
    if store_url.startswith("sqlite:///"):
        with closing(sqlite3.connect(store_url.removeprefix("sqlite:///"))) as connection:
            return connection.execute(statement).fetchall()
    with psycopg.connect(store_url.replace("postgresql+psycopg", "postgresql"), autocommit=True) as server:
        return server.execute(statement.encode()).fetchall()
