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

FOLLOWERS = "followers.jsonl"
"""Where a scenario notes who was to follow."""

Entity = tuple[str, str]
"""A network, and an entity's id in it."""


class Intent(NamedTuple):
    """A message that a client is about to send, as it noted before."""

    client: str
    network: str
    entity: str
    message_id: str
    message: Mapping[str, Any]
    at: float = 0.0
    """By the machine's clock that never goes back, which all of its processes share."""


class Answer(NamedTuple):
    """What a client was told of a message, as it noted after: the version, or nothing where it was rejected.

    `is_first` where it was told that the message was not known before; `saw` is how many events, and which sum, were
    there for a decision that added nothing.
    """

    client: str
    message_id: str
    version: int | None
    is_first: bool = False
    saw: tuple[int, int] | None = None
    at: float = 0.0


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
    """What an effect left when it ran: `ring` is delivered at least once, `whisper` at most once.

    `message_id` and `asked_in` are of the message that asked for it, the rest is what it was told when it ran.
    """

    kind: str
    network: str
    entity: str
    version: int
    effect_id: str
    message_id: str
    asked_in: str


class Seen(NamedTuple):
    """An event that a follower noted, in the order of its file."""

    follower: str
    network: str
    position: int
    entity: str
    version: int


class Began(NamedTuple):
    """A follower noted that it begins, for the first time or again."""

    follower: str


class Moved(NamedTuple):
    """A follower noted that it is about to move its cursor behind a position; or, `is_done`, that it has."""

    follower: str
    position: int
    is_done: bool


class Follower(NamedTuple):
    """A follower that was to see all of a network."""

    name: str
    network: str


@dataclass
class History:
    """All of it. Lists are in the order in which they were noted; rows are in the order of their positions."""

    intents: list[Intent] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    repeats: list[Answer] = field(default_factory=list)
    """What clients were told of messages that they sent again once everything was answered."""
    rows: list[Row] = field(default_factory=list)
    heads: dict[Entity, int] = field(default_factory=dict)
    outbox: list[Queued] = field(default_factory=list)
    traces: list[Trace] = field(default_factory=list)
    followers: list[Follower] = field(default_factory=list)
    followed: list[Began | Seen | Moved] = field(default_factory=list)
    cursors_hold: bool = False
    """Whether no database died, which may forget a cursor's last moves, as nobody waits for the disk with them."""

    @property
    def seen(self) -> list[Seen]:
        """The events that followers saw."""
        return [each for each in self.followed if isinstance(each, Seen)]

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


def read_history(folder: Path, store_url: str, *, cursors_hold: bool = False) -> History:
    """Return what a run left in its folder and in its store."""
    history = History(cursors_hold=cursors_hold)
    for name, note in _lines(folder / "clients"):
        at = note.get("at", 0.0)
        if note["note"] == "begin":
            history.intents.append(Intent(name, note["network"], note["entity"], note["id"], note["message"], at))
        elif note["note"] in ("end", "again"):
            saw = tuple(note["saw"]) if note.get("saw") else None
            answer = Answer(name, note["id"], note["version"], note.get("duplicate") is False, saw, at)
            (history.answers if note["note"] == "end" else history.repeats).append(answer)
    history.followers = [Follower(**note) for note in _notes(folder / FOLLOWERS)]
    history.followed = [_followed(name, note) for name, note in _lines(folder / "followers")]
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
        for note in _notes(file):
            yield file.stem, note


def _notes(file: Path) -> Iterator[dict[str, Any]]:
    *whole, _cut = file.read_bytes().split(b"\n") if file.exists() else [b""]
    yield from map(json.loads, whole)


def _followed(name: str, note: Mapping[str, Any]) -> Began | Seen | Moved:
    match note["note"]:
        case "begin":
            return Began(name)
        case "seen":
            return Seen(name, note["network"], note["position"], note["entity"], note["version"])
        case kind:
            return Moved(name, note["position"], kind == "committed")


def _select(store_url: str, statement: str) -> list[tuple[Any, ...]]:
    if store_url.startswith("sqlite:///"):
        with closing(sqlite3.connect(store_url.removeprefix("sqlite:///"))) as connection:
            return connection.execute(statement).fetchall()
    with psycopg.connect(store_url.replace("postgresql+psycopg", "postgresql"), autocommit=True) as server:
        return server.execute(statement.encode()).fetchall()
