"""Replay testing on several cores: each process opens the store and the modules for itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.engine.loader import FolderEntityTypes
from pachyderm_cli.engine.replay_testing import ReplayTest
from pachyderm_cli.engine.results import Replayed
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


def replayed_by_jobs(job: Job, work: Iterable[Work], jobs: int) -> Iterator[Replayed]:
    """Yield how each replay went, as they come to an end, on so many processes."""
    parts = _parts(iter(work))
    # Not forked: a thread of this process might hold a lock.
    with ProcessPoolExecutor(jobs, get_context("spawn"), _begin, (job,)) as pool:
        running: set[Future[list[Replayed]]] = set()
        try:
            while True:
                running |= {pool.submit(_replay, part) for part in islice(parts, 2 * jobs - len(running))}
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


_tests: list[ReplayTest] = []  # of this process: one, once it has begun


def _begin(job: Job) -> None:
    others = None if job.others is None else FolderEntityTypes(job.others)
    _tests.append(ReplayTest(Store(job.store_url), job.network, FolderEntityTypes(job.entities), others))


def _replay(part: list[Work]) -> list[Replayed]:
    [test] = _tests
    return [test.replay(Reference(type_name, UUID(identifier)), version) for type_name, identifier, version in part]
