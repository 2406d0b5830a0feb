"""Everybody who is at work in a scenario, how it all comes to its end, and what is told of it."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from torture.judge.history import FOLLOWERS, History
from torture.load import clients, crowds
from torture.load.clients import NETWORKS, Client, Task
from torture.load.crew import Crew, in_a_process
from torture.load.notes import note, notes

SENDERS: tuple[Client, ...] = (clients.write, crowds.crowd, crowds.write_in_batches)

# Eight writers, one of them many threads, one with many messages at a time; two workers, two followers.
_EVERYBODY: tuple[tuple[Client, str, int], ...] = (
    (clients.write, "writer", 6),
    (crowds.crowd, "crowd", 1),
    (crowds.write_in_batches, "batch", 1),
    (clients.work, "worker", 2),
    (clients.follow, "follower", 2),
)

Cast = list[tuple[Client, Task]]


def cast(store_url: str, folder: Path, seed: int) -> Cast:
    """Return who does what, in a folder for their notes: the networks share a store and the ids of their entities."""
    for part in ("clients", "followers", "traces"):
        (folder / part).mkdir()
    who = [(client, f"{name}-{number // 2}") for client, name, count in _EVERYBODY for number in range(count)]
    where = [NETWORKS[at % len(NETWORKS)] for at in range(len(who))]
    return [
        (client, Task(f"{role}-{network}", store_url, network, folder, seed))
        for (client, role), network in zip(who, where, strict=True)
    ]


def under_fire(everybody: Cast, trouble: Callable[[Crew], None]) -> None:
    """Let everybody work while there is `trouble`, and end."""
    crew = Crew()
    try:
        for client, task in everybody:
            crew.begin(client, task)
        trouble(crew)
        crew.end()
    finally:
        crew.abandon()
    settle(everybody)


def settle(everybody: Cast) -> None:
    """Let everything that is open come to its end: last messages, then the outbox, then the followers.

    The followers that the judge is to hold to it are noted here, by somebody else than themselves.
    """
    for client, task in everybody:
        if client is clients.follow:
            note(task.folder / FOLLOWERS, {"name": task.name, "network": task.network})
    for client, task in everybody:
        if client in SENDERS:
            in_a_process(partial(clients.finish, task))
    for task in {task.network: task for client, task in everybody if client is clients.work}.values():
        in_a_process(partial(clients.drain, task))
    for client, task in everybody:
        if client is clients.follow:
            in_a_process(partial(clients.follow_to_the_end, task))


def told(history: History) -> dict[str, int]:
    """Return what a history holds, in numbers."""
    return {
        "acknowledged sends": len({(each.client, each.message_id) for each in history.answers}),
        "of them sent again by their ids": len(history.repeats),
        "events": len(history.rows),
        "effects run": len(history.traces),
        "durable effects and messages": len(history.outbox),
        "events followed": len(history.seen),
    }


def outages(everybody: Sequence[tuple[Client, Task]]) -> dict[str, Any]:
    """Return how many sends the store refused, and how long the slowest of those that worked took."""
    noted = [each for client, task in everybody if client in SENDERS for each in notes(task.file("clients"))]
    slowest = max((each["took"] for each in noted if each["note"] == "end"), default=0.0)
    refused = [each["error"] for each in noted if each["note"] == "failed"]
    return {"sends refused": len(refused), "slowest send": f"{slowest:.1f} s"}


def wait_for_sends(everybody: Cast, seconds: float = 30) -> float:
    """Return once every sender was told something new, after how long. Raises SystemExit where one hangs for longer."""
    senders = [task for client, task in everybody if client in SENDERS]
    before = {task.name: _answered(task) for task in senders}
    began = time.monotonic()
    while hanging := [task.name for task in senders if _answered(task) <= before[task.name]]:
        if time.monotonic() > began + seconds:
            raise SystemExit(f"{', '.join(hanging)} sent nothing for {seconds:g} seconds")
        time.sleep(0.05)
    return time.monotonic() - began


def _answered(task: Task) -> int:
    file = task.file("clients")
    return file.read_bytes().count(b'"note": "end"') if file.exists() else 0
