"""Clients that want the same: as many as there are, each as fast as it can, counting how often it begins again."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any
from uuid import UUID

from pachyderm_cli import Pachyderm, PachydermError
from pachyderm_cli.engine import sending
from torture.load.clients import Task
from torture.load.notes import note

THREADS = 64


def many_threads(task: Task, stop: threading.Event) -> None:
    """Send from many threads of one engine."""
    with task.engine() as engine, ThreadPoolExecutor(THREADS) as pool:
        for each in [pool.submit(_contend, engine, task, number, stop) for number in range(THREADS)]:
            each.result()


def one_of_many(task: Task, stop: threading.Event) -> None:
    """Send from one thread; the others are processes."""
    with task.engine() as engine:
        _contend(engine, task, 0, stop)


def _contend(engine: Pachyderm, task: Task, number: int, stop: threading.Event) -> None:
    random = Random(f"{task.seed}:{task.name}:{number}")  # noqa: S311 - chances, no secrets
    file = task.folder / "clients" / f"{task.name}-{number}.jsonl"
    while not stop.is_set():
        entity = task.entity(random.randrange(task.entities))
        message = {"network": task.network, "amount": 1, "parts": 1, "ring": False, "whisper": False, "give_to": None}
        message_id = str(UUID(int=random.getrandbits(128), version=4))
        note(file, {"note": "begin", "network": task.network, "entity": entity, "id": message_id, "message": message})
        began, before = time.monotonic(), _Retries.of_this_thread()
        told: dict[str, Any] = {"id": message_id}
        try:
            told |= {
                "note": "end",
                "version": engine.send(f"account:{entity}", "put", message, message_id=message_id).version,
            }
        except PachydermError as error:
            told |= {"note": "failed", "error": f"{error.code}: {error}"}
        took = round(time.monotonic() - began, 4)
        note(file, {**told, "took": took, "retries": _Retries.of_this_thread() - before})


class _Retries:
    """How often a thread lost the race for an entity: an engine pauses then, and before nothing else."""

    _counts = threading.local()
    _pause = staticmethod(sending.pause)

    @classmethod
    def count(cls, attempt: int) -> None:
        cls._counts.count = cls.of_this_thread() + 1
        cls._pause(attempt)

    @classmethod
    def of_this_thread(cls) -> int:
        count: int = getattr(cls._counts, "count", 0)
        return count


sending.pause = _Retries.count
