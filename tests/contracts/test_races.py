"""Many writers at one entity: every acknowledged message counts, exactly once."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from entities import counter
from pachyderm_cli import Pachyderm
from pachyderm_cli.engine import sending
from pachyderm_cli.errors import VersionConflict
from pachyderm_cli.store.append import append
from tests.contracts.conftest import OpenEngine
from tests.support import tally
from tests.support.tally import Add

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = 16
TIMES = 50


def test_sixteen_processes_lose_no_increment(store_url: str) -> None:
    """Sixteen processes that increment one counter fifty times end at exactly what was acknowledged to them."""
    command = [sys.executable, "-m", "tests.support.increment_often", store_url, "counter:@shared", str(TIMES)]
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(PROCESSES)
        ]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        acknowledged = [int(process.communicate()[0]) for process in processes]
        assert [process.returncode for process in processes] == [0] * PROCESSES
    with Pachyderm(store_url, {"counter": counter}) as engine:
        assert engine.state("counter:@shared") == counter.State(count=sum(acknowledged))
        versions = [event.version for event in engine.history("counter:@shared")]
    assert sum(acknowledged) == PROCESSES * TIMES
    assert versions == list(range(1, PROCESSES * TIMES + 1))


def test_threads_share_one_engine(open_engine: OpenEngine) -> None:
    """Eight threads that send through one engine lose nothing, and each effect runs once."""
    told: list[str] = []
    engine = open_engine(config={"told": told}, snapshots_every=10)

    def increment(_: int) -> None:
        for _ in range(25):
            engine.send("tally:@a", Add())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(increment, range(8)))
    assert engine.state("tally:@a").count == 200
    assert engine.replay("tally:@a").version == 200
    assert sorted(told) == sorted(f"{before} + 1" for before in range(200))


def test_threads_read_a_store_that_is_not_there_yet(engine: Pachyderm) -> None:
    """Before the first write any number of threads may look, and see nothing."""
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: list(engine.entities()), range(8))) == [[]] * 8


def overtake(monkeypatch: pytest.MonkeyPatch, engine: Pachyderm, times: int) -> None:
    """Let `engine` write to tally:@a just before each of the next appends."""
    original = append
    left = times

    def overtaken(*arguments: Any) -> Any:
        nonlocal left
        left -= 1
        monkeypatch.setattr(sending, "append", original)
        engine.send("tally:@a", Add(amount=10))
        if left:
            monkeypatch.setattr(sending, "append", overtaken)
        return original(*arguments)

    monkeypatch.setattr(sending, "append", overtaken)


@pytest.mark.parametrize("before", [0, 1])
def test_a_loser_is_folded_forward_and_handled_again(
    open_engine: OpenEngine, monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    """Its decision is made anew on what the others wrote; the effects of its first decisions never ran."""
    told: list[str] = []
    slow, quick = open_engine(config={"told": told}), open_engine()
    for _ in range(before):
        quick.send("tally:@a", Add(amount=1))
    overtake(monkeypatch, quick, 3)
    sent = slow.send("tally:@a", Add(amount=5))
    assert sent.version == before + 4
    assert sent.state == tally.State(count=before + 35)
    assert told == [f"{before + 30} + 5"]
    assert not sent.duplicate
    assert [event.message for event in slow.history("tally:@a")] == ["Add"] * (before + 4)


def test_a_loser_that_expected_a_version_is_not_handled_again(
    open_engine: OpenEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `expect` the first conflict is final, and says which version the entity is at."""
    told: list[str] = []
    slow, quick = open_engine(config={"told": told}), open_engine()
    overtake(monkeypatch, quick, 1)
    with pytest.raises(VersionConflict) as caught:
        slow.send("tally:@a", Add(), expect=0)
    assert caught.value.details["version"] == 1
    assert told == []
    assert slow.state("tally:@a").count == 10


def test_attempts_are_bounded(open_engine: OpenEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A send that loses every time gives up with a conflict, having written nothing."""
    monkeypatch.setattr(sending, "ATTEMPTS", 3)
    slow, quick = open_engine(), open_engine()
    overtake(monkeypatch, quick, 3)
    with pytest.raises(VersionConflict, match="written by others 3 times in a row"):
        slow.send("tally:@a", Add(amount=1))
    assert slow.state("tally:@a").count == 30
