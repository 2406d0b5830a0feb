"""Kill: writers, workers and followers under random SIGKILL."""

import time
from functools import partial
from pathlib import Path
from random import Random

from torture.figure import Figure, Run
from torture.judge.history import History, read_history
from torture.judge.laws import judge
from torture.load import clients
from torture.load.clients import NETWORKS, Task
from torture.load.crew import Crew, in_a_process

WRITERS, WORKERS, FOLLOWERS = 8, 2, 2


def on_sqlite(run: Run) -> Figure:
    """On a SQLite file."""
    return _kill(run, run.sqlite_url(), "sqlite")


def on_postgres(run: Run) -> Figure:
    """On a Postgres server."""
    return _kill(run, run.postgres_url(), "postgres")


def _kill(run: Run, store_url: str, database: str) -> Figure:
    folder = run.folder(f"kill-{database}")
    for part in ("clients", "followers", "traces"):
        (folder / part).mkdir()
    wanted = run.size(kills=1000, quick=100)
    random = Random(f"kill:{database}:{run.seed}")  # noqa: S311 - chances, no secrets
    crew, began = Crew(), time.monotonic()
    tasks = _tasks(store_url, folder, run.seed)
    try:
        for client, task in tasks:
            crew.begin(client, task)
        while crew.kills < wanted:
            time.sleep(random.expovariate(1 / 0.06))
            crew.kill(random.choice(crew.processes))
            run.progress(crew.kills, wanted)
        crew.end()
    finally:
        crew.abandon()
    settle(tasks)
    history = read_history(folder, store_url)
    return Figure(
        f"kill -9, {database}",
        {
            "kills": crew.kills,
            "seconds": round(time.monotonic() - began),
            **told(history),
        },
        judge(history),
    )


def settle(tasks: list[tuple[clients.Client, Task]]) -> None:
    """Let everything that is open come to its end: last messages, then the outbox, then the followers."""
    for client, task in tasks:
        if client is clients.write:
            in_a_process(partial(clients.finish, task))
    for network in NETWORKS:
        task = next(task for client, task in tasks if client is clients.work and task.network == network)
        in_a_process(partial(clients.drain, task))
    for client, task in tasks:
        if client is clients.follow:
            in_a_process(partial(clients.follow_to_the_end, task))


def told(history: History) -> dict[str, int]:
    """Return what a history holds, in numbers."""
    return {
        "acknowledged sends": len({each.message_id for each in history.answers}),
        "events": len(history.rows),
        "effects run": len(history.traces),
        "durable effects and messages": len(history.outbox),
        "events followed": len(history.seen),
    }


def _tasks(store_url: str, folder: Path, seed: int) -> list[tuple[clients.Client, Task]]:
    """Return who does what: the networks share a store and the ids of their entities."""
    kinds = (
        (clients.write, "writer", WRITERS),
        (clients.work, "worker", WORKERS),
        (clients.follow, "follower", FOLLOWERS),
    )
    return [
        (client, Task(f"{name}-{number}", store_url, NETWORKS[number % len(NETWORKS)], folder, seed))
        for client, name, count in kinds
        for number in range(count)
    ]
