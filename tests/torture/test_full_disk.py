"""What commands made and sent on a full disk is judged: a part that passes for the whole, a send that is gone."""

import json
from collections import Counter
from pathlib import Path

import pytest

from torture.judge.history import read_history
from torture.judge.laws import judge
from torture.load.commands import Done, command
from torture.load.project import make_project
from torture.load.results import note_sent
from torture.scenarios.full_disk import judge_results

SEND = ("send", "account:@a", "put", "network=green", "amount=5", "--json")
COPIES = {"copy.db": ("backup", "copy.db"), "export.jsonl": ("export", "-o", "export.jsonl")}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project with a few events."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))  # or it is warned of that there is none
    make_project(tmp_path / "project", "green", tmp_path / "traces.jsonl")
    for _ in range(3):
        assert command(tmp_path / "project", *SEND).status == 0
    return tmp_path / "project"


@pytest.mark.parametrize("name", COPIES)
@pytest.mark.parametrize("harm", ["none", "cut off", "older", "failed", "missing"])
def test_a_part_that_passes_for_the_whole_is_found(name: str, harm: str, project: Path) -> None:
    """What a command calls done is read back: cut off, of fewer events, not there, or there though it failed."""
    done = command(project, *COPIES[name])
    assert done.status == 0
    result = project / name
    if harm == "cut off":
        content = result.read_bytes()
        result.write_bytes(content[: len(content) // 2])
    elif harm == "missing":
        result.unlink()
    elif harm == "failed":
        done = Done(done.arguments, 7, "", "error: the disk is full\n")
    found = judge_results(project, done, {name: 4 if harm == "older" else 3}, Counter())
    assert {law for law, _ in found} == (set() if harm == "none" else {"no_part_passes_for_the_whole"})
    assert not result.exists()


def test_what_a_command_sent_is_judged(project: Path, tmp_path: Path) -> None:
    """An acknowledged send of a command's is held against the tables as a client's is."""
    (tmp_path / "clients").mkdir()
    noted = tmp_path / "clients" / "commands.jsonl"
    url = f"sqlite:///{project}/pachyderm.db"
    done = command(project, *SEND[:1], "account:@b", *SEND[2:])
    note_sent(done, noted)
    laws = {breach.law for breach in judge(read_history(tmp_path, url))}
    # Of those that the fixture sent, and nobody noted; and nobody follows here.
    assert laws == {"an_id_has_one_outcome", "followers_miss_nothing"}
    other = {**json.loads(done.out), "message_id": "00000000-0000-0000-0000-000000000007"}
    note_sent(Done(SEND, 0, json.dumps(other) + "\n", ""), noted)
    laws = {breach.law for breach in judge(read_history(tmp_path, url))}
    assert "nothing_acknowledged_is_missing" in laws
