"""Soak: an hour of mixed load on one engine, whose memory, files, threads and log are to stay level."""

import gc
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from pathlib import Path
from random import Random
from statistics import linear_regression, median
from typing import Any, NamedTuple

from pachyderm_cli import Pachyderm, PachydermError
from pachyderm_cli.errors import NotFound
from torture.figure import Figure, Run
from torture.judge.history import read_history
from torture.judge.laws import Breach, judge
from torture.load.cast import settle
from torture.load.clients import Task, follow, follow_on, intend, note_end, send, work, work_on, write
from torture.load.crew import in_a_process
from torture.load.notes import note, notes

SENDERS, READERS = 4, 2
_PAUSE = 0.05  # seconds between what a thread does: an hour is to be long, not large
_SAMPLES = 60
_WARM = 0.25  # of the time, after which everything that is kept is there

# What may be more at the end than it was once warm: a few per cent of memory, or, of a small process, what an allocator
# keeps of a few batches; a connection or two.
_MEMORY_RATIO, _MEMORY_MORE = 1.05, 8 * 2**20
_FILES_MORE, _THREADS_MORE = 4, 2
_LARGEST_LOG = 32 * 2**20


def on_sqlite(run: Run) -> Figure:
    """On a SQLite file."""
    return _soak(run, run.sqlite_url(), "sqlite")


def on_postgres(run: Run) -> Figure:
    """On a Postgres server."""
    return _soak(run, run.postgres_url(), "postgres")


class Sample(NamedTuple):
    """What the process has at a moment: bytes of memory, open files, threads, bytes of SQLite's log; and when that is.

    The moment is in seconds since the load began.
    """

    memory: int
    files: int
    threads: int
    log: int
    at: float


def _soak(run: Run, store_url: str, database: str) -> Figure:
    seconds = run.size(3600, quick=40)
    folder = run.folder(f"soak-{database}")
    for part in ("clients", "followers", "traces"):
        (folder / part).mkdir()
    # More entities than an engine keeps, so that some are dropped and loaded again.
    task = Task("soak", store_url, "red", folder, run.seed, entities=5000)
    in_a_process(lambda: _load(task, seconds, folder / "samples.jsonl"))
    settle([(write, task), (work, task), (follow, task)])
    samples = [Sample(**each) for each in notes(folder / "samples.jsonl")]
    history = read_history(folder, store_url)
    seen = {each.position for each in history.seen}
    breaches = [*not_level(samples), *judge(history)]
    first, last = _middle(samples[: len(samples) // 3]), _middle(samples[-len(samples) // 3 :])
    numbers: dict[str, Any] = {
        "minutes": round(seconds / 60, 1),
        "acknowledged sends": len(history.answers),
        "events": len(history.rows),
        "followed": len(seen),
        "memory": f"{first.memory / 2**20:.1f} to {last.memory / 2**20:.1f} MB",
        "memory in the second half": f"{slope([each for each in samples if each.at > seconds / 2]):+.1f} MB an hour",
        "open files": f"{first.files} to {last.files}",
        "threads": f"{first.threads} to {last.threads}",
    }
    if database == "sqlite":
        numbers["write-ahead log"] = f"{max(each.log for each in samples) / 2**20:.1f} MB at most"
    return Figure(f"soak, {database}", numbers, breaches)


def _load(task: Task, seconds: float, samples: Path) -> None:
    """Do everything at once on one engine, and note what it takes."""
    stop = threading.Event()
    with task.engine() as engine, ThreadPoolExecutor(SENDERS + READERS + 2) as pool:
        running = [pool.submit(work_on, engine, stop), pool.submit(follow_on, engine, task, stop)]
        running += [pool.submit(_send, engine, task, number, stop) for number in range(SENDERS)]
        running += [pool.submit(_read, engine, task, number, stop) for number in range(READERS)]
        began = time.monotonic()
        while (passed := time.monotonic() - began) < seconds and not any(each.done() for each in running):
            if passed >= _WARM * seconds:
                gc.collect()  # what is garbage is none of it
                note(samples, _sample(engine, passed)._asdict())
            time.sleep(seconds / _SAMPLES)
        stop.set()
        for each in running:
            each.result()


def _send(engine: Pachyderm, task: Task, number: int, stop: threading.Event) -> None:
    random = _chances(task, number)
    while not stop.wait(_PAUSE):
        if random.random() < 0.9:
            send(engine, task, intend(task, random), stop)
            continue
        batch = [intend(task, random) for _ in range(10)]
        outcomes = engine.send_all(
            [
                engine.request(f"account:{each['entity']}", "put", each["message"], message_id=each["id"])
                for each in batch
            ],
            keep_going=True,
        )
        for intent, outcome in zip(batch, outcomes, strict=True):
            note_end(task, intent, None if isinstance(outcome, PachydermError) else outcome.version, time.monotonic())


def _read(engine: Pachyderm, task: Task, number: int, stop: threading.Event) -> None:
    random = _chances(task, SENDERS + number)
    looks: list[Callable[[str], object]] = [
        engine.state,
        lambda reference: list(engine.history(reference)),
        lambda reference: engine.replay(reference, to_version=1),
        lambda _: list(islice(engine.entities(), 100)),
        lambda _: list(islice(engine.effects(status="pending"), 100)),
        engine.snapshot,
    ]
    while not stop.wait(_PAUSE):
        with suppress(NotFound):  # nobody has sent it anything yet
            random.choice(looks)(f"account:{task.entity(random.randrange(task.entities))}")


def _chances(task: Task, number: int) -> Random:
    return Random(f"{task.seed}:{task.name}:{number}")  # noqa: S311 - chances, no secrets


def _sample(engine: Pachyderm, at: float) -> Sample:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    store = engine.store
    log = Path(f"{store.url.file}-wal") if store.is_sqlite else None
    return Sample(
        memory=pages * os.sysconf("SC_PAGESIZE"),
        files=len(list(Path("/proc/self/fd").iterdir())),
        threads=threading.active_count(),
        log=log.stat().st_size if log is not None and log.exists() else 0,
        at=at,
    )


def _middle(samples: list[Sample]) -> Sample:
    return Sample(*(int(median(column)) for column in zip(*samples, strict=True)))


def slope(samples: list[Sample]) -> float:
    """Return how much memory becomes more, in MB an hour, by the line that fits best."""
    line = linear_regression([each.at for each in samples], [each.memory for each in samples])
    return line.slope * 3600 / 2**20


def not_level(samples: list[Sample]) -> list[Breach]:
    """Compare the first third of what was noted once warm with the last."""
    third = len(samples) // 3
    first, last = _middle(samples[:third]), _middle(samples[-third:])
    found = []
    if last.memory > max(first.memory * _MEMORY_RATIO, first.memory + _MEMORY_MORE):
        found.append(f"memory went from {first.memory:,} to {last.memory:,} bytes")
    if last.files > first.files + _FILES_MORE:
        found.append(f"open files went from {first.files} to {last.files}")
    if last.threads > first.threads + _THREADS_MORE:
        found.append(f"threads went from {first.threads} to {last.threads}")
    if max(each.log for each in samples) > _LARGEST_LOG:
        found.append(f"the write-ahead log came to {max(each.log for each in samples):,} bytes")
    return [Breach("everything_stays_level", each) for each in found]
