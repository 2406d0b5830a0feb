"""What a command said that it did, so that it can be judged: the messages that it sent, the copies that it made."""

import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from torture.judge.laws import Breach
from torture.load.commands import Done, command
from torture.load.notes import note

_PLAIN = {"parts": 1, "ring": False, "whisper": False, "give_to": None}


def note_sent(done: Done, notes: Path) -> None:
    """Note as a client does what `send --json` says that it sent, whatever became of it after that."""
    for line in done.out.splitlines():
        told = json.loads(line)
        asked = {"network": told["network"], "amount": told["events"][0]["data"]["amount"], **_PLAIN}
        entity, message_id = told["entity"]["id"], told["message_id"]
        begun = {"network": told["network"], "entity": entity, "id": message_id, "message": asked}
        note(notes, {"note": "begin", **begun})
        note(notes, {"note": "end", "id": message_id, "version": told["version"], "took": 0.0})


def events_in(database: Path, network: str | None = None) -> int:
    """Return how many events a store has, in a network or in all; 0 where there is no table of them."""
    with closing(sqlite3.connect(database)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'pachyderm_events'").fetchone():
            return 0
        where = "SELECT count(*) FROM pachyderm_events WHERE ? IN (network, '')"
        return int(connection.execute(where, (network or "",)).fetchone()[0])


def not_the_whole(project: Path, result: Path, at_least: int) -> Iterator[Breach]:
    """Yield how a backup, or an export, that a command called done is not all of it, where there is room to look."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(shutil.copy(result, folder))
        store = place
        if place.suffix == ".jsonl":
            store = place.with_suffix(".db")
            yield from _kept(command(project, "--store", f"sqlite:///{store}", "import", str(place)))
        yield from _kept(command(project, "--store", f"sqlite:///{store}", "store", "verify", "--all-networks"))
        try:
            count = events_in(store)
        except sqlite3.DatabaseError as error:
            yield Breach("no_part_passes_for_the_whole", f"{result.name}: {error}")
        else:
            if count < at_least:
                yield Breach("no_part_passes_for_the_whole", f"{result.name}: {count} of {at_least} events")


def _kept(done: Done) -> list[Breach]:
    return [Breach("no_part_passes_for_the_whole", what) for _, what in done.breaches((0,), "what was called done")]
