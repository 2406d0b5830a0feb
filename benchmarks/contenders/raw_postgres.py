"""psycopg itself, with the least that could serve: compare-and-swap and insert as one prepared statement.

In autocommit the statement is its own transaction, so that a send is a single round trip.
"""

from uuid import uuid4

import psycopg

from benchmarks.contenders.contender import WrongOutcome
from pachyderm_cli.domain.identifiers import new_message_id
from pachyderm_cli.domain.timestamps import now, to_text

_NETWORK = "default"
_HEADS = "CREATE TABLE heads (network text, id uuid, version bigint, PRIMARY KEY (network, id))"
_EVENTS = (
    "CREATE TABLE events (network text, entity uuid, version bigint, type text, data text, message_id uuid,"
    " message text, recorded_at text, PRIMARY KEY (network, entity, version))"
)
_UNIQUE_MESSAGE = "CREATE UNIQUE INDEX events_message ON events (network, message_id)"
_APPEND = (
    "WITH head AS (UPDATE heads SET version = version + 1 WHERE network = %s AND id = %s AND version = %s"
    " RETURNING network, id, version)"
    " INSERT INTO events SELECT network, id, version, %s, %s, %s, %s, %s FROM head"
)


class RawPostgres:
    """One connection; versions are known, nothing is read."""

    def __init__(self, url: str, entities: int, *, message_index: bool = True, create: bool = True) -> None:
        """Make the entities' heads, and with `create` the tables.

        Without `message_index` a repeated id would go unnoticed.
        """
        self.name = "raw psycopg" if message_index else "raw psycopg, no message index"
        self.database = url
        if create:
            with psycopg.connect(url) as connection:
                for statement in (_HEADS, _EVENTS, *([_UNIQUE_MESSAGE] if message_index else [])):
                    connection.execute(statement)
        self._ids = [uuid4() for _ in range(entities)]
        self._versions = [0] * entities
        with psycopg.connect(self.database) as connection:
            rows = [(_NETWORK, each) for each in self._ids]
            connection.cursor().executemany("INSERT INTO heads VALUES (%s, %s, 0)", rows)
        self._connection = psycopg.connect(self.database, autocommit=True)
        self._cursor = self._connection.cursor()

    def send(self, entity: int) -> None:
        """Append one event."""
        identifier, version = self._ids[entity], self._versions[entity]
        message_id, at = new_message_id(), to_text(now())
        self._cursor.execute(
            _APPEND,
            (_NETWORK, identifier, version, "Increased", '{"amount":1}', message_id, "Increment", at),
            prepare=True,
        )
        if self._cursor.rowcount != 1:
            raise WrongOutcome("another writer")
        self._versions[entity] = version + 1

    def count(self) -> int:
        """Return how many events there are."""
        with psycopg.connect(self.database) as connection:
            row = connection.execute("SELECT count(*) FROM events").fetchone()
        return int(row[0]) if row else 0

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
