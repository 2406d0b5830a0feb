"""Contention: 64 threads of one engine, and 16 processes, on one entity and on 10,000."""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torture.figure import Figure, Run
from torture.judge.history import History, read_history
from torture.judge.laws import (
    Breach,
    a_send_is_whole,
    an_id_has_one_outcome,
    no_decision_is_stale,
    nothing_acknowledged_is_missing,
    versions_have_no_gap,
)
from torture.load import contenders
from torture.load.clients import Client, Task
from torture.load.crew import Crew
from torture.load.notes import notes

PROCESSES = 16
MANY = 10_000
LAWS = (
    nothing_acknowledged_is_missing,
    versions_have_no_gap,
    no_decision_is_stale,
    a_send_is_whole,
    an_id_has_one_outcome,
)


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
    for name, client, count in kinds:
        for entities in (1, MANY):
            folder = run.folder(f"contention-{database}-{count}-{entities}")
            for part in ("clients", "followers", "traces"):
                (folder / part).mkdir()
            store_url = run.sqlite_url() if database == "sqlite" else run.postgres_url()
            tasks = [Task(f"c{number}", store_url, "red", folder, run.seed, entities) for number in range(count)]
            _contend(client, tasks, seconds)
            history = read_history(folder, store_url)
            where = f"{name}, {entities:,} {'entity' if entities == 1 else 'entities'}"
            told, wrong = _told(folder, history)
            numbers[where] = told
            breaches += [Breach(law.__name__, f"{where}: {what}") for law in LAWS for what in law(history)]
            breaches += [Breach("everybody_is_served", f"{where}: {what}") for what in wrong]
    return Figure(f"contention, {database}", numbers, breaches)


def _contend(client: Client, tasks: list[Task], seconds: float) -> None:
    crew = Crew()
    try:
        for task in tasks:
            crew.begin(client, task)
        time.sleep(seconds)
        crew.end()
    finally:
        crew.abandon()


def _told(folder: Path, history: History) -> tuple[str, list[str]]:
    """Return what is to be told of a run, and what was wrong with it."""
    ends = [each for file in sorted((folder / "clients").glob("*.jsonl")) for each in _ends(file)]
    failed = [each["error"] for each in ends if each["note"] == "failed"]
    took = sorted(each["took"] for each in ends)
    retries = sum(each["retries"] for each in ends)
    each_had = Counter(answer.client for answer in history.answers)
    clients = {intent.client for intent in history.intents}
    starved = [f"{client} was never served" for client in sorted(clients - each_had.keys())]
    told = (
        f"{len(history.answers):,} sends, {retries:,} lost races ({max(each['retries'] for each in ends)} at most for "
        f"one), median {1000 * took[len(took) // 2]:.0f} ms, slowest {took[-1]:.2f} s, "
        f"{min(each_had.values())} to {max(each_had.values())} a client, {len(failed)} refused"
    )
    return told, [*failed, *starved]


def _ends(file: Path) -> Iterator[dict[str, Any]]:
    return (each for each in notes(file) if each["note"] != "begin")
