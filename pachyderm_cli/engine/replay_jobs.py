"""Replay testing on several cores: each process opens the store and the modules for itself.

`python -m pachyderm_cli.engine.replay_jobs` reads lines of JSON: first where the store and the code are, then entities,
some at a time. It answers each line with one. So nothing is pickled, and a URL's password is in no process's arguments.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple
from uuid import UUID

from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.engine.loader import FolderEntityTypes
from pachyderm_cli.engine.replay_testing import ReplayTest
from pachyderm_cli.engine.results import Replayed
from pachyderm_cli.errors import PachydermError, StoreError
from pachyderm_cli.store.store import Store

_TOGETHER = 32  # entities that a process is given at a time, at most
_EVENTS = 50_000  # events, the same

Work = tuple[str, str, int]
"""An entity, by type and id, and the version up to which it is replayed."""


class Job(NamedTuple):
    """What a process needs to begin: the store, the network, and the folders of the code here and of other code."""

    store_url: str
    network: str
    entities: Path
    others: Path | None


class _Process:
    """A process that replays. For one thread at a time."""

    def __init__(self, job: Job) -> None:
        # Without -P the current folder's modules would come before all others, whoever put them there.
        command = [sys.executable, "-P", "-m", "pachyderm_cli.engine.replay_jobs"]
        package = str(Path(__file__).parents[2])
        path = os.pathsep.join([package, *filter(None, [os.environ.get("PYTHONPATH")])])
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(  # noqa: S603 - this very package  # nosec B603
            command, stdin=pipe, stdout=pipe, env={**os.environ, "PYTHONPATH": path}, text=True, encoding="utf-8"
        )
        others = None if job.others is None else str(job.others)
        place = {"store": job.store_url, "network": job.network, "entities": str(job.entities), "others": others}
        self._first: str | None = json.dumps({**place, "path": sys.path}) + "\n"

    def replay(self, part: list[Work]) -> list[Replayed]:
        """Return how the replays of a part went. Raises StoreError, and PachydermError if the process has ended."""
        answer = self._said(part)
        if isinstance(answer, dict):
            raise StoreError(answer["error"], **answer["details"])
        return [
            Replayed(Reference(type_name, UUID(identifier)), version, *said)
            for (type_name, identifier, version), said in zip(part, answer, strict=True)
        ]

    def _said(self, part: list[Work]) -> Any:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None  # noqa: S101 - for mypy: both are pipes
        assert stdout is not None  # noqa: S101 - as above
        try:
            stdin.write((self._first or "") + json.dumps(part) + "\n")
            stdin.flush()
            self._first = None
            return json.loads(stdout.readline())
        except (OSError, ValueError) as error:
            raise PachydermError(f"a process that replays has ended: {error}") from error

    def stop(self) -> None:
        """End it in the middle of what it does: it only reads."""
        self._process.kill()

    def close(self) -> None:
        """Let it end, and wait until it has."""
        self._process.communicate()


def replayed_by_jobs(job: Job, work: Iterable[Work], jobs: int) -> Iterator[Replayed]:
    """Yield how each replay went, as they come to an end, on so many processes."""
    processes: list[_Process] = []
    free: SimpleQueue[_Process] = SimpleQueue()

    def replayed(part: list[Work]) -> list[Replayed]:
        process = free.get()  # there are as many as threads
        try:
            return process.replay(part)
        finally:
            free.put(process)

    try:
        for _ in range(jobs):
            processes.append(_Process(job))
            free.put(processes[-1])
        with ThreadPoolExecutor(jobs, "pachyderm-replay") as pool:
            try:
                yield from _each(pool, replayed, _parts(iter(work)), 2 * jobs)
            except BaseException:  # also where nobody wants the rest: the pool is not to wait for it
                for process in processes:
                    process.stop()
                raise
    finally:
        for process in processes:
            process.close()


def _each(
    pool: ThreadPoolExecutor,
    replayed: Callable[[list[Work]], list[Replayed]],
    parts: Iterator[list[Work]],
    at_a_time: int,
) -> Iterator[Replayed]:
    running: set[Future[list[Replayed]]] = set()
    try:
        while True:
            running |= {pool.submit(replayed, part) for part in islice(parts, at_a_time - len(running))}
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for each in done:
                yield from each.result()
    finally:
        for each in running:
            each.cancel()


def _parts(work: Iterator[Work]) -> Iterator[list[Work]]:
    part: list[Work] = []
    events = 0
    for each in work:
        part.append(each)
        events += each[2]
        if len(part) >= _TOGETHER or events >= _EVENTS:
            yield part
            part, events = [], 0
    if part:
        yield part


def main() -> None:
    """Answer until there is nothing more to replay; what user code prints goes to standard error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks, which then ends this one
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    lines = iter(sys.stdin.readline, "")
    first = next(lines, None)
    if first is None:
        return
    place = json.loads(first)
    sys.path[:] = place["path"]
    others = None if place["others"] is None else FolderEntityTypes(Path(place["others"]))
    with closing(Store(place["store"])) as store:
        test = ReplayTest(store, place["network"], FolderEntityTypes(Path(place["entities"])), others)
        for line in lines:
            out.write(json.dumps(_answered(test, json.loads(line))) + "\n")
            out.flush()


def _answered(test: ReplayTest, part: list[Work]) -> Any:
    """Return of each entity what is wrong, and where; or of all of them the error that ends it."""
    try:
        replays = [test.replay(Reference(name, UUID(identifier)), version) for name, identifier, version in part]
    except StoreError as error:
        return {"error": error.message, "details": error.details}
    return [[each.problem, each.diverged_at, each.event] for each in replays]


if __name__ == "__main__":
    main()
