"""Clients that send much at a time: many threads of one engine, whose sends share commits, and batches."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

from pachyderm_cli import Pachyderm, Rejected
from pachyderm_cli.errors import StoreError
from torture.load.clients import Task, intend, note_failure, note_outcome, send, unanswered

THREADS = 8
_BATCH = 20


def crowd(task: Task, stop: threading.Event) -> None:
    """Send from several threads of one engine."""
    left = unanswered(task)  # of before it was killed
    with task.engine() as engine, ThreadPoolExecutor(THREADS) as pool:
        threads = [pool.submit(_one_of_many, engine, task, each, left[each::THREADS], stop) for each in range(THREADS)]
        for each in threads:
            each.result()


def _one_of_many(engine: Pachyderm, task: Task, number: int, left: list[dict[str, Any]], stop: threading.Event) -> None:
    random = Random(f"{task.seed}:{task.role}:{task.incarnation}:{number}")  # noqa: S311 - chances, no secrets
    for intent in left:
        send(engine, task, intent, stop)
    while not stop.is_set():
        send(engine, task, intend(task, random), stop)


def write_in_batches(task: Task, stop: threading.Event) -> None:
    """Send many messages at a time, first once more those that nobody knows the outcome of."""
    random = task.random
    with task.engine() as engine:
        batch, first = unanswered(task), time.monotonic()
        while not stop.is_set():
            if not batch:
                batch, first = [intend(task, random) for _ in range(_BATCH)], time.monotonic()
            batch = _sent_together(engine, task, batch, first, stop)


def _sent_together(
    engine: Pachyderm, task: Task, batch: list[dict[str, Any]], first: float, stop: threading.Event
) -> list[dict[str, Any]]:
    """Send a batch that was tried `first` then; return what is left of it where the store failed."""
    requests = [
        engine.request(f"account:{each['entity']}", "put", each["message"], message_id=each["id"]) for each in batch
    ]
    began = time.monotonic()
    try:
        outcomes = engine.send_all(requests, keep_going=True)
    except StoreError as error:
        note_failure(task, batch[0], error, began)
        stop.wait(0.1)
        return batch
    left = []
    for intent, outcome in zip(batch, outcomes, strict=True):
        if isinstance(outcome, StoreError):
            note_failure(task, intent, outcome, began)
            left.append(intent)
        elif isinstance(outcome, Exception) and not isinstance(outcome, Rejected):
            raise outcome
        else:
            note_outcome(task, intent, outcome, first)
    return left
