"""Power loss: nothing acknowledged is missing after it, and what judges that can tell."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pachyderm_cli.errors import StoreError
from torture.judge.history import History, Intent, Queued, Row
from torture.judge.outbox import what_is_to_be_done_is_queued
from torture.scenarios import power_loss

ROOT = Path(__file__).resolve().parents[2]


def test_nothing_acknowledged_is_lost_with_the_power(tmp_path: Path) -> None:
    """At many points of a load, from the first write to a new file on; on a disk that never syncs much is missing."""
    done = subprocess.run(  # a process of its own: what watches SQLite's files is there for good
        [sys.executable, "-m", "tests.torture.losing_power", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=250,
        check=True,
    )
    found = json.loads(done.stdout)
    if "skipped" in found:
        pytest.skip(found["skipped"])
    assert found["honest"] == {"points": 40, "laws": []}
    assert "nothing_acknowledged_is_missing" in found["lying"]["laws"]


def test_the_engine_is_the_first_to_open_what_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files are as the power loss left them until the engine has them: a log of another's is still there."""
    seen: list[dict[str, bytes]] = []

    def engine(*_: object, **__: object) -> None:
        seen.append({each.name: each.read_bytes() for each in tmp_path.iterdir() if each.is_file()})
        raise StoreError("no")

    monkeypatch.setattr(power_loss, "Pachyderm", engine)
    left = {"store.db": b"", "store.db-wal": b"anything"}
    for name, content in left.items():
        (tmp_path / name).write_bytes(content)
    laws = {breach.law for breach in power_loss.judge_what_is_left(tmp_path, [], {})}
    assert seen == [left]
    assert "it_goes_on" in laws


@pytest.mark.parametrize(
    ("asked", "queued", "is_sound"), [(True, 1, True), (False, 0, True), (True, 0, False), (False, 1, False)]
)
def test_what_is_to_be_done_is_judged(asked: bool, queued: int, is_sound: bool) -> None:  # noqa: FBT001 - a case each
    """A ring that is not queued, and one that nothing asked for, is found."""
    history = History(
        intents=[Intent("", "red", "a", "m", {"ring": asked})],
        rows=[Row(1, "red", "a", 1, "Added", {}, "m", 0)],
        outbox=[Queued("e", "red", "a", 1, "m", "Ring", "pending")] * queued,
    )
    assert (list(what_is_to_be_done_is_queued(history)) == []) is is_sound
