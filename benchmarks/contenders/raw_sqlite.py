"""sqlite3 itself, with the least statements that could serve: compare-and-swap on a head row, insert, commit."""

import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import uuid4

from benchmarks.contenders.contender import WrongOutcome
from pachyderm_cli.domain.identifiers import new_message_id
from pachyderm_cli.domain.timestamps import now, to_text

_NETWORK = "default"
_HEADS = "CREATE TABLE heads (network TEXT, id TEXT, version INTEGER, PRIMARY KEY (network, id)) WITHOUT ROWID"
_EVENTS = (
    "CREATE TABLE events (network TEXT, entity TEXT, version INTEGER, type TEXT, data TEXT, message_id TEXT,"
    " message TEXT, recorded_at TEXT, PRIMARY KEY (network, entity, version)) WITHOUT ROWID"
)
_UNIQUE_MESSAGE = "CREATE UNIQUE INDEX events_message ON events (network, message_id)"
_SWAP = "UPDATE heads SET version = ? WHERE network = ? AND id = ? AND version = ?"
_INSERT = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


class RawSqlite:
    """One connection in WAL mode with synchronous=FULL; versions are known, nothing is read."""

    def __init__(self, file: Path, entities: int, *, message_index: bool = True) -> None:
        """Make the tables and the entities' heads; without `message_index` a repeated id would go unnoticed."""
        self.name = "raw sqlite3" if message_index else "raw sqlite3, no message index"
        self.database = str(file)
        self._connection = sqlite3.connect(file, isolation_level=None)
        for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", _HEADS, _EVENTS):
            self._connection.execute(statement)
        if message_index:
            self._connection.execute(_UNIQUE_MESSAGE)
        self._ids = [str(uuid4()) for _ in range(entities)]
        self._versions = [0] * entities
        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT INTO heads VALUES (?, ?, 0)", [(_NETWORK, each) for each in self._ids])
        self._connection.execute("COMMIT")

    def send(self, entity: int) -> None:
        """Append one event."""
        identifier, version = self._ids[entity], self._versions[entity]
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        if execute(_SWAP, (version + 1, _NETWORK, identifier, version)).rowcount != 1:
            raise WrongOutcome("another writer")
        message_id, at = str(new_message_id()), to_text(now())
        execute(
            _INSERT,
            (_NETWORK, identifier, version + 1, "Increased", '{"amount":1}', message_id, "Increment", at),
        )
        execute("COMMIT")
        self._versions[entity] = version + 1

    def count(self) -> int:
        """Return how many events there are."""
        with closing(sqlite3.connect(self.database)) as connection:
            return int(connection.execute("SELECT count(*) FROM events").fetchone()[0])

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
