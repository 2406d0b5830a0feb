"""What the scenarios of faults and of load hold against themselves: faults happen, clients go on, nobody starves."""

from math import inf
from pathlib import Path

import pytest

from torture.judge.faults import the_faults_happened
from torture.judge.laws import Breach
from torture.load import clients, recovery
from torture.load.clients import Task
from torture.load.notes import note
from torture.load.recovery import Recoveries
from torture.scenarios.contention import starved, too_slow


def test_a_fault_that_never_happened_is_a_breach() -> None:
    """Each kind of fault has a count, and one that is 0 is told."""
    assert the_faults_happened({"lock timeouts": 3}) == []
    assert the_faults_happened({"lock timeouts": 3, "statement timeouts": 0}) == [
        Breach("the_faults_happened", "statement timeouts: none")
    ]


@pytest.mark.parametrize(
    ("shares", "part", "found"),
    [
        ({"a": 10, "b": 50, "c": 50}, 5.0, 0),
        ({"a": 9, "b": 50, "c": 50}, 5.0, 1),
        ({"a": 1, "b": 50, "c": 50}, inf, 0),
        ({"a": 0, "b": 50, "c": 50}, inf, 1),
        ({"a": 0, "b": 0, "c": 0}, 5.0, 3),
    ],
)
def test_who_gets_far_less_than_the_others_starves(shares: dict[str, int], part: float, found: int) -> None:
    """Nobody gets less than a part of the median, or nothing."""
    assert len(starved(shares, part)) == found


def test_a_send_that_takes_too_long_is_told() -> None:
    """The slowest of all is held to the bound."""
    assert too_slow(9.9, 10) == []
    assert too_slow(10.1, 10) == ["a send took 10.1 s"]


def recoveries(folder: Path, monkeypatch: pytest.MonkeyPatch, *took: float) -> Recoveries:
    """Return recoveries that took so long, of one writer."""
    (folder / "clients").mkdir()
    task = Task("writer", "sqlite://", "red", folder, 1)
    measured = Recoveries([(clients.write, task)], 10)
    left = iter(took)
    monkeypatch.setattr(recovery, "wait_for_sends", lambda _: next(left))
    for _ in took:
        measured.measure("a fault")
    return measured


def test_a_recovery_that_takes_too_long_is_a_breach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each recovery is held to the bound, and the slowest is told."""
    measured = recoveries(tmp_path, monkeypatch, 1.0, 10.5)
    assert [each.law for each in measured.breaches()] == ["clients_go_on"]
    assert measured.told()["slowest recovery"] == "10.5 s"


def test_no_recovery_that_was_measured_is_a_breach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scenario that measured none has not shown that clients go on."""
    assert [each.law for each in recoveries(tmp_path, monkeypatch).breaches()] == ["clients_go_on"]


def test_a_send_that_is_refused_early_is_a_breach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine waits for as long as it is set to: what it refused before is a breach, and told by its text."""
    measured = recoveries(tmp_path, monkeypatch, 1.0)
    for took in (0.1, 30.2):
        note(tmp_path / "clients" / "writer.jsonl", {"note": "failed", "id": "m", "error": "away", "took": took})
    assert [each.law for each in measured.breaches()] == ["an_engine_waits"]
    assert measured.told()["refused as 'away'"] == 2
