"""Workers that are killed, or stopped for longer than their lease."""

import json
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import killed_errand, killed_outbox
from tests.support.batches import all_sent
from tests.support.clients import wait_for_the_server
from tests.support.gated_workers import GATED, GatedWorker, two_workers
from tests.support.killed_aftermath import aftermath
from tests.support.killed_workers import Workplace

MESSAGES, EFFECTS_EACH = 100, 100
CONCURRENCY = 4
KILLS = 30
FAILED = 8
"""How a worker ends of whose attempts one failed."""

ERRAND = Path(killed_errand.__file__).read_text(encoding="utf-8")


@pytest.fixture
def workplace(store_url: str, tmp_path: Path) -> Workplace:
    """Return a project that errands are sent in."""
    return Workplace(tmp_path, store_url, {"errand": ERRAND})


def fill(workplace: Workplace) -> set[str]:
    """Put ten thousand effects into the outbox, and return their marks."""
    batch = []
    with workplace.engine() as engine:
        for number in range(MESSAGES):
            marks = [f"{number}.{each}" for each in range(EFFECTS_EACH)]
            batch.append(engine.request("errand:new", "errand", {"mark": str(number), "durable": marks}))
        all_sent(engine.send_all(batch, effects=False))
    return {f"{number}.{each}" for number in range(MESSAGES) for each in range(EFFECTS_EACH)}


@contextmanager
def working(workplace: Workplace, workers: int) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Give so many workers, which work until nothing more is due; none outlives the block."""
    processes = [workplace.start("--once", "--concurrency", str(CONCURRENCY)) for _ in range(workers)]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def kill_after(workplace: Workplace, process: "subprocess.Popen[bytes]", part: float) -> None:
    """Kill a worker when that part of all the effects has left a trace."""
    line = len("durable 10.10 1 10000\n")
    end = time.monotonic() + killed_outbox.SECONDS
    while workplace.size_of_trace() < part * MESSAGES * EFFECTS_EACH * line:
        assert time.monotonic() < end, "the workers hang"
        time.sleep(0.002)
    process.kill()
    assert process.wait() == -signal.SIGKILL


def test_four_workers_of_whom_two_are_killed(workplace: Workplace) -> None:
    """Of ten thousand effects each is done once; those run twice are of the few that a killed worker had begun."""
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - shown where the test fails
    parts = sorted(random.Random(seed).uniform(0.02, 0.8) for _ in range(2))  # noqa: S311 - no secret
    marks = fill(workplace)
    with working(workplace, 4) as processes:
        killed, living = processes[:2], processes[2:]
        for process, part in zip(killed, parts, strict=True):
            kill_after(workplace, process, part)
        assert [process.wait(killed_outbox.SECONDS) for process in living] == [0, 0]
    wait_for_the_server(workplace.store_url)
    held = [row for row in killed_outbox.rows(workplace.store_url) if row["status"] != "done"]
    assert all(row["lease"] is not None for row in held), "what nobody held was left"
    killed_outbox.let_time_pass(workplace.store_url)
    assert workplace.work_once() == 0
    require_done_once(workplace, marks, {str(process.pid) for process in killed})


def require_done_once(workplace: Workplace, marks: set[str], killed: set[str]) -> None:
    """Require that all is done, once, but for what the killed had begun and could not end."""
    rows = killed_outbox.rows(workplace.store_url)
    assert len(rows) == len(marks)
    assert {(row["status"], row["lease"]) for row in rows} == {("done", None)}
    attempts = Counter(row["attempts"] for row in rows)
    assert set(attempts) <= {1, 2, 3}
    assert sum(attempts[more] * (more - 1) for more in attempts) <= CONCURRENCY * len(killed)
    runs = Counter(mark for _, mark, _, _ in workplace.lines())
    assert set(runs) == marks
    for mark in (mark for mark, times in runs.items() if times > 1):
        *before, last = [line[-1] for line in workplace.lines() if line[1] == mark]
        assert set(before) <= killed, f"{mark} was run again, and who ran it lives"
        assert last not in before
    # Whoever is told that an effect is done has done it: nobody else is.
    told = Counter(document["id"] for document in workplace.told() if document["status"] == "done")
    assert set(told.values()) == {1}


def test_workers_that_are_killed_at_their_steps(store_url: str, tmp_path: Path) -> None:
    """Whatever a worker is killed at, the next one finishes: each message exactly once, each durable effect."""
    seen = aftermath("work", store_url, tmp_path / "trace", kills=KILLS, stride=7)
    assert len(seen.killed) >= KILLS
    assert seen.faults_of_messages() == []
    assert seen.faults_of_order() == []
    assert seen.faults_of_durable_effects() == []
    assert seen.faults_of_other_effects() == []


@pytest.fixture
def gated(store_url: str, tmp_path: Path) -> Workplace:
    """Return a project with an effect that succeeds, one that fails and a message, all of them left to workers."""
    workplace = Workplace(tmp_path, store_url, {"gated": GATED})
    with workplace.engine() as engine:
        engine.send("gated:@one", "set-off", effects=False)
    return workplace


def outcomes(workplace: Workplace) -> dict[str, tuple[str, int]]:
    """Return status and attempts of each effect."""
    rows = killed_outbox.rows(workplace.store_url)
    return {row["message"] or json.loads(row["data"])["mark"]: (row["status"], row["attempts"]) for row in rows}


ENDED = {"succeeds": ("done", 2), "fails": ("parked", 2), "Cross": ("done", 2)}


def test_one_that_was_stopped_while_another_finishes(gated: Workplace) -> None:
    """Whoever was stopped past its lease, and goes on when another has finished, changes nothing any more."""
    with two_workers(gated) as (stopped, other):
        assert other.finish() == FAILED
        assert outcomes(gated) == ENDED
        before = killed_outbox.rows(gated.store_url), killed_outbox.logged(gated.store_url)
        stopped.finish()
    assert (killed_outbox.rows(gated.store_url), killed_outbox.logged(gated.store_url)) == before
    assert [event["message"] for event in before[1]] == ["SetOff", "Cross"]


def test_one_that_was_stopped_while_another_is_at_it(gated: Workplace) -> None:
    """Whoever was stopped past its lease, and goes on while another is at it, leaves it to the other to finish."""
    with two_workers(gated) as (stopped, other):
        stopped.finish()
        assert outcomes(gated) == dict.fromkeys(ENDED, ("pending", 2))
        assert [event["message"] for event in killed_outbox.logged(gated.store_url)] == ["SetOff"]
        assert "done" not in {document["status"] for document in gated.told()}
        assert other.finish() == FAILED
    assert outcomes(gated) == ENDED
    assert [event["message"] for event in killed_outbox.logged(gated.store_url)] == ["SetOff", "Cross"]


def test_one_that_runs_takes_over(store_url: str, tmp_path: Path) -> None:
    """A worker that runs takes over what a killed one was at, when its lease has run out, and ends when it is told."""
    workplace = Workplace(tmp_path, store_url, {"gated": GATED}, lease_seconds=0.5)
    with workplace.engine() as engine:
        engine.send("gated:@one", "set-off", effects=False)
    killed = GatedWorker(workplace, "killed")
    try:
        killed.await_begun()
    finally:
        killed.kill()
    with workplace.start() as living:
        end = time.monotonic() + killed_outbox.SECONDS
        while killed_outbox.pending(store_url) and time.monotonic() < end:
            time.sleep(0.02)
        living.terminate()
        assert living.wait(killed_outbox.SECONDS) == 0
    assert outcomes(workplace) == ENDED
