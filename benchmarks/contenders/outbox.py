"""Pachyderm's worker, and what is queued for it: durable effects that do nothing, or messages to other entities."""

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg

from benchmarks.contenders.contender import WrongOutcome
from benchmarks.contenders.engine import store_url
from benchmarks.project.entities import notifier
from pachyderm_cli import Message, Pachyderm, PachydermError

_ENTITIES = 100
_SENT_AT_ONCE = 500


class Outbox:
    """`Pachyderm.work` with everything at its default, as `pachyderm worker --once` calls it."""

    def __init__(self, database: str, *, messages: bool = False) -> None:
        """Work on a SQLite file or a Postgres URL; with `messages`, deliver them to as many entities again."""
        self.database = database
        self._messages = messages
        self._pachyderm = open_notifier(database)

    def queue(self, jobs: int) -> None:
        """Send as many messages, each with one effect, which is left to a worker. Raises WrongOutcome."""
        for first in range(0, jobs, _SENT_AT_ONCE):
            numbers = range(first, min(first + _SENT_AT_ONCE, jobs))
            requests = [
                self._pachyderm.request(f"notifier:@e{number % _ENTITIES}", self._message(number)) for number in numbers
            ]
            failed = [
                each
                for each in self._pachyderm.send_all(requests, effects=False)
                if isinstance(each, PachydermError) or [effect.status for effect in each.effects] != ["pending"]
            ]
            if failed:
                raise WrongOutcome(f"pachyderm could not queue: {failed[0]}")

    def drain(self) -> None:
        """Carry out what is due. Raises WrongOutcome for what failed."""
        for each in self._pachyderm.work(once=True):
            if each.result.status != "done":
                raise WrongOutcome(f"pachyderm carried out {each}")

    def count_done(self) -> int:
        """Return how many effects are done."""
        return count_done(self.database)

    def close(self) -> None:
        """Close its connections."""
        self._pachyderm.close()

    def _message(self, number: int) -> Message:
        if self._messages:
            return notifier.NoteAndForward(to=f"notifier:@r{number % _ENTITIES}")
        return notifier.NoteAndNotify()


def open_notifier(where: Path | str) -> Pachyderm:
    """Return an engine on a SQLite file or a Postgres URL that serves the notifier."""
    return Pachyderm(store_url(where), {"notifier": notifier})


def count_done(database: str) -> int:
    """Return how many effects are done in a store, as another connection reads them."""
    query = "SELECT count(*) FROM pachyderm_outbox WHERE status = 'done'"
    if database.startswith("postgresql"):
        with psycopg.connect(database) as postgres:
            row = postgres.execute(query).fetchone()
            return int(row[0]) if row else 0
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute(query).fetchone()[0])
