"""Full, failing, read-only and damaged disks: the scenarios find nothing, and can."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from torture.scenarios import io_errors, read_only

ROOT = Path(__file__).resolve().parents[2]


def run(scenario: str) -> dict[str, Any]:
    """Run a small part of a scenario, in a process of its own: it forks, and what watches SQLite's files stays."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.torture.damaging", scenario],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if found["skipped"]:
        pytest.skip(found["skipped"])
    return found


@pytest.mark.parametrize(
    ("scenario", "number"),
    [
        ("damage", "damaged stores"),
        ("io", "refused sends"),
        ("full", "refused commands"),
        ("read-only", "writes refused"),
    ],
)
def test_a_bad_disk_breaks_no_promise(scenario: str, number: str) -> None:
    """Whatever the disk does, answers are true or clear errors, and what was acknowledged is there."""
    found = run(scenario)
    assert found["breaches"] == []
    assert found["numbers"][number] > 0


def test_what_nobody_else_would_notice_is_judged() -> None:
    """An entity that is missing everywhere is no finding of `store verify`; the judge, who knows it, tells."""
    laws = {law for law, _ in run("judged")["breaches"]}
    assert "what_is_missing_is_found" in laws


def test_a_fault_that_did_not_happen_is_told() -> None:
    """A run in which no operation of a kind failed shows nothing of it, and is no success."""
    counts = Counter({f"failed {kind}s": 1 for kind in io_errors.ERRORS})
    assert io_errors.did_not_happen(counts) == []
    counts["failed syncs"] = 0
    assert [breach.what for breach in io_errors.did_not_happen(counts)] == ["sync"]


def test_an_owner_is_denied_what_others_are() -> None:
    """Without root's rights nobody else can be asked, and the owner has no right that another user would not have."""
    for denial in read_only.DENIALS.values():
        for mode in (denial.folder, denial.files):
            assert read_only.mode_for(0, mode) == mode
            assert read_only.mode_for(1000, mode) >> 6 == mode & 0o007
