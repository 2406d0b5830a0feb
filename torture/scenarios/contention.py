"""Contention: 64 threads of one engine, and 16 processes, on one entity and on 10,000."""

import time
from collections.abc import Iterator, Mapping
from math import inf
from pathlib import Path
from statistics import median
from typing import Any

from torture.figure import Figure, Run
from torture.judge.history import read_history
from torture.judge.laws import OF_SENDS, Breach, an_id_has_one_outcome
from torture.load import contenders
from torture.load.clients import Client, Task
from torture.load.crew import Crew
from torture.load.notes import notes

PROCESSES = 16
MOST_SECONDS = 10
"""A send takes at most, in a full run."""
HANGS = 60
"""As long in a bounded run, which is to judge pachyderm and not what else the machine does at the moment."""
MANY = 10_000
LAWS = (*OF_SENDS, an_id_has_one_outcome)


def on_sqlite(run: Run) -> Figure:
    """On a SQLite file."""
    return _contention(run, "sqlite")


def on_postgres(run: Run) -> Figure:
    """On a Postgres server."""
    return _contention(run, "postgres")


def _contention(run: Run, database: str) -> Figure:
    seconds = run.size(20, quick=4)
    numbers: dict[str, Any] = {"seconds each": seconds}
    breaches: list[Breach] = []
    kinds: tuple[tuple[str, Client, int], ...] = (
        ("64 threads", contenders.many_threads, 1),
        ("16 processes", contenders.one_of_many, PROCESSES),
    )
    # Who gets least gets at least this part of the median. Threads take turns; processes race, and within the seconds
    # of a bounded run one of them may well lose: there it is to be served at last.
    parts = {1: 2.0, PROCESSES: inf if run.quick else 5.0}
    for name, client, count in kinds:
        for entities in (1, MANY):
            folder = run.folder(f"contention-{database}-{count}-{entities}")
            for part in ("clients", "followers", "traces"):
                (folder / part).mkdir()
            store_url = run.sqlite_url() if database == "sqlite" else run.postgres_url()
            tasks = [Task(f"c{number}", store_url, "red", folder, run.seed, entities) for number in range(count)]
            _contend(client, tasks, max(count, contenders.THREADS if count == 1 else 0), seconds)
            history = read_history(folder, store_url)
            where = f"{name}, {entities:,} {'entity' if entities == 1 else 'entities'}"
            told, wrong = _told(folder, parts[count], run.size(MOST_SECONDS, quick=HANGS))
            numbers[where] = told
            breaches += [Breach(law.__name__, f"{where}: {what}") for law in LAWS for what in law(history)]
            breaches += [Breach("everybody_is_served", f"{where}: {what}") for what in wrong]
    return Figure(f"contention, {database}", numbers, breaches)


def _contend(client: Client, tasks: list[Task], clients: int, seconds: float) -> None:
    crew = Crew()
    try:
        for task in tasks:
            crew.begin(client, task)
        contenders.begin(tasks[0].folder, clients)
        time.sleep(seconds)
        crew.end()
    finally:
        crew.abandon()


def _told(folder: Path, part: float, most_seconds: int) -> tuple[str, list[str]]:
    """Return what is to be told of a run, and what was wrong with it."""
    noted = {file.stem: list(_ends(file)) for file in sorted((folder / "clients").glob("*.jsonl"))}
    failed = [each["error"] for ends in noted.values() for each in ends if each["note"] == "failed"]
    counted = {client: [each for each in ends if each["is_counted"]] for client, ends in noted.items()}
    shares = {client: sum(each["note"] == "end" for each in ends) for client, ends in counted.items()}
    took, conflicts, retries = (
        sorted(each[what] for ends in counted.values() for each in ends) for what in ("took", "conflicts", "retries")
    )
    told = (
        f"{sum(shares.values()):,} sends, {sum(conflicts):,} conflicts ({conflicts[-1]} at most for one), "
        f"{sum(retries):,} retries ({retries[-1]} at most), median {1000 * took[len(took) // 2]:.0f} ms, "
        f"slowest {took[-1]:.2f} s, least, median and most of a client {min(shares.values())}, "
        f"{median(shares.values()):g} and {max(shares.values())}, {len(failed)} refused"
    )
    return told, [*failed, *starved(shares, part), *too_slow(took[-1], most_seconds)]


def too_slow(slowest: float, most_seconds: int) -> list[str]:
    """Return that a send took too long, where one did."""
    return [f"a send took {slowest:.1f} s"] if slowest > most_seconds else []


def starved(shares: Mapping[str, int], part: float) -> list[str]:
    """Return who was never served, or less than a part of the median, given how many sends each of a kind had."""
    middle = median(shares.values())
    return [
        f"{client} was served {count} times, half of them {middle:g}"
        for client, count in shares.items()
        if not count or count * part < middle
    ]


def _ends(file: Path) -> Iterator[dict[str, Any]]:
    return (each for each in notes(file) if each["note"] != "begin")
