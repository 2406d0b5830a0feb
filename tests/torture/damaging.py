"""Small parts of the scenarios of the disk; print what was found. One is of what only the judge can notice."""

import json
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from random import Random

from benchmarks.places import places
from torture.figure import Figure, Run
from torture.scenarios import damage, full_disk, io_errors, read_only


class Small(Run):
    """Less than the quick part."""

    def size(self, full: int, quick: int) -> int:
        """Return a twentieth of the quick part."""
        return super().size(full, max(1, quick // 20))


def forget(database: Path, _: Random) -> str:
    """Take the last events away so that everything agrees: only who knows the original can tell."""
    with closing(sqlite3.connect(database)) as connection:
        for table in ("events", "entities", "snapshots", "lookups", "outbox"):
            column = "id" if table == "entities" else "entity_id"
            connection.execute(f"DELETE FROM pachyderm_{table} WHERE {column} = ?", (damage.ENTITY,))  # noqa: S608 - names
        connection.commit()
    return "an entity forgotten"


def judged(run: Run) -> Figure:
    """Return what the judge of the damage says of it."""
    project = run.folder("judged")
    original = damage.make(project / "project", project / "whole", 1, is_open=False)
    return Figure("", {}, damage.strike(project / "project", original, forget, Random(1), Counter()))  # noqa: S311


SCENARIOS = {
    "damage": damage.on_sqlite,
    "io": io_errors.on_sqlite,
    "full": full_disk.on_sqlite,
    "read-only": read_only.on_sqlite,
    "judged": judged,
}
with places() as given:
    figure = SCENARIOS[sys.argv[1]](Small(given, 7, quick=True))
sys.stdout.write(json.dumps({"skipped": figure.skipped, "numbers": figure.numbers, "breaches": figure.breaches}))
