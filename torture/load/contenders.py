"""Clients that want the same: each as fast as it can, counting its conflicts and how often it decides anew.

They begin at the same moment, each with its engine open, so that what each gets says how fair the engine is.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from pachyderm_cli import Pachyderm, PachydermError
from pachyderm_cli.engine.deciding import Delivery, Prepared
from pachyderm_cli.engine.folding import Fold
from pachyderm_cli.engine.sending import Sender
from torture.load.clients import Task
from torture.load.notes import note

THREADS = 64
_PATIENCE = 60.0
_BEGIN = "begin"  # a file in the folder of a run


def many_threads(task: Task, stop: threading.Event) -> None:
    """Send from many threads of one engine."""
    with task.engine() as engine, ThreadPoolExecutor(THREADS) as pool:
        for each in [pool.submit(_contend, engine, task, number, stop) for number in range(THREADS)]:
            each.result()


def one_of_many(task: Task, stop: threading.Event) -> None:
    """Send from one thread; the others are processes."""
    with task.engine() as engine:
        _contend(engine, task, 0, stop)


def begin(folder: Path, clients: int) -> None:
    """Let the clients begin, once each of them has sent something. Raises SystemExit where one does not."""
    end = time.monotonic() + _PATIENCE
    while (ready := sum(b"took" in file.read_bytes() for file in (folder / "clients").iterdir())) < clients:
        if time.monotonic() > end:
            raise SystemExit(f"{ready} of {clients} clients are ready after {_PATIENCE:g} seconds")
        time.sleep(0.05)
    (folder / _BEGIN).touch()


def _contend(engine: Pachyderm, task: Task, number: int, stop: threading.Event) -> None:
    random = Random(f"{task.seed}:{task.name}:{number}")  # noqa: S311 - chances, no secrets
    file = task.folder / "clients" / f"{task.name}-{number}.jsonl"
    _send(engine, task, random, file, is_counted=False)
    while not (task.folder / _BEGIN).exists():
        if stop.wait(0.01):
            return
    while not stop.is_set():
        _send(engine, task, random, file, is_counted=True)


def _send(engine: Pachyderm, task: Task, random: Random, file: Path, *, is_counted: bool) -> None:
    entity = task.entity(random.randrange(task.entities))
    message = {"network": task.network, "amount": 1, "parts": 1, "ring": False, "whisper": False, "give_to": None}
    message_id = str(UUID(int=random.getrandbits(128), version=4))
    note(file, {"note": "begin", "network": task.network, "entity": entity, "id": message_id, "message": message})
    began, before = time.monotonic(), _Races.of_this_thread()
    told: dict[str, Any] = {"id": message_id, "is_counted": is_counted}
    try:
        version = engine.send(f"account:{entity}", "put", message, message_id=message_id).version
        told |= {"note": "end", "version": version}
    except PachydermError as error:
        told |= {"note": "failed", "error": f"{error.code}: {error}"}
    took = round(time.monotonic() - began, 4)
    conflicts, decisions = (now - then for now, then in zip(_Races.of_this_thread(), before, strict=True))
    note(file, {**told, "took": took, "conflicts": conflicts, "retries": max(0, decisions - 1)})


class _Races:
    """How often a thread's appends came too late, and how often it decided: both only go up."""

    _counts = threading.local()

    @classmethod
    def of_this_thread(cls) -> tuple[int, int]:
        """Return how many conflicts there were, and how many decisions."""
        return getattr(cls._counts, "conflicts", 0), getattr(cls._counts, "decisions", 0)

    @classmethod
    def watch(cls) -> None:
        """Count from here on, in this process and those that it forks."""
        appended, prepare = Sender._appended, Delivery.prepare  # noqa: SLF001 - nothing else sees every conflict

        def counted(self: Sender, delivery: Delivery, prepared: Prepared) -> bool:
            is_in = appended(self, delivery, prepared)
            cls._counts.conflicts = cls.of_this_thread()[0] + (not is_in)
            return is_in

        def decided(self: Delivery, fold: Fold) -> Prepared:
            cls._counts.decisions = cls.of_this_thread()[1] + 1
            return prepare(self, fold)

        Sender._appended = counted  # type: ignore[method-assign]  # noqa: SLF001 - as above
        Delivery.prepare = decided  # type: ignore[method-assign]


_Races.watch()
