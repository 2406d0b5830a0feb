"""Replay tests on several processes: what comes from them, and how they end."""

import subprocess
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from pachyderm_cli import Pachyderm
from pachyderm_cli.engine.loader import FolderEntityTypes
from pachyderm_cli.engine.replay_jobs import Job, Work, replayed_by_jobs
from pachyderm_cli.errors import PachydermError, StoreError
from tests.support.modules import COUNTER, write

COUNT = 100


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return the processes that are started, as they come."""
    found: list[Any] = []

    class Noting(subprocess.Popen[Any]):
        def __init__(self, *args: Any, **settings: Any) -> None:
            super().__init__(*args, **settings)
            found.append(self)

    monkeypatch.setattr(subprocess, "Popen", Noting)
    return found


def job(folder: Path, url: str, source: str = COUNTER) -> tuple[Job, list[Work]]:
    """Return what replays entities of a counter, which are in the store."""
    entities = write(folder, {"counter": COUNTER})
    with Pachyderm(url, FolderEntityTypes(entities)) as engine:
        sent = engine.send_all([engine.request(f"counter:{uuid4()}", "increment") for _ in range(COUNT)])
        assert len(sent) == COUNT
        work = [(each.entity.type, str(each.entity.id), each.version) for each in engine.entities()]
    write(folder, {"counter": source})
    return Job(url, "default", entities, None), work


def test_every_entity_is_answered_once(tmp_path: Path, store_url: str, started: list[Any]) -> None:
    """By as many processes as are wanted, none of which is left, or is told the store by its arguments."""
    its, work = job(tmp_path, store_url)
    answers = list(replayed_by_jobs(its, work, 2))
    assert {each.entity.id for each in answers} == {UUID(identifier) for _, identifier, _ in work}
    assert [each for each in answers if each.problem is not None] == []
    assert [process.returncode for process in started] == [0, 0]
    assert [process.args for process in started if store_url in str(process.args)] == []


def test_who_stops_listening_ends_the_processes(tmp_path: Path, sqlite_url: str, started: list[Any]) -> None:
    """They are not waited for, and not left behind."""
    its, work = job(tmp_path, sqlite_url)
    answers = replayed_by_jobs(its, work, 2)
    next(answers)
    answers.close()  # type: ignore[attr-defined]  # it is a generator
    assert len(started) == 2
    assert None not in [process.returncode for process in started]


def test_a_store_that_cannot_be_read_is_told_as_such(tmp_path: Path, sqlite_url: str) -> None:
    """An error of the store in another process is one of the store here, with what it says and its details."""
    its, work = job(tmp_path, sqlite_url)
    (tmp_path / "other.db").write_bytes(b"no database" * 1000)
    broken = its._replace(store_url=f"sqlite:///{tmp_path / 'other.db'}")
    with pytest.raises(StoreError, match="is not a SQLite database") as caught:
        list(replayed_by_jobs(broken, work, 2))
    assert caught.value.details == {"store": broken.store_url}


def test_a_process_that_ends_by_itself_is_told(tmp_path: Path, sqlite_url: str) -> None:
    """Where an entity module ends its process, the replay fails, and does not wait for an answer."""
    its, work = job(tmp_path, sqlite_url, f"import os\nos._exit(3)\n{COUNTER}")
    with pytest.raises(PachydermError, match="has ended"):
        list(replayed_by_jobs(its, work, 2))


def test_what_user_code_prints_is_no_answer(tmp_path: Path, sqlite_url: str, capfd: pytest.CaptureFixture[str]) -> None:
    """It goes to standard error, as in the process that asks."""
    its, work = job(tmp_path, sqlite_url, f"print('here I am')\n{COUNTER}")
    assert len(list(replayed_by_jobs(its, work, 2))) == COUNT
    out, err = capfd.readouterr()
    assert (out, err) == ("", "here I am\n" * 2)


def test_modules_of_the_current_folder_are_not_run(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever calls the command in a folder of somebody else's runs nothing of what is there."""
    its, work = job(tmp_path, sqlite_url)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pydantic.py").write_text("open('run', 'w').close()\n", encoding="utf-8")
    assert len(list(replayed_by_jobs(its, work, 2))) == COUNT
    assert not (tmp_path / "run").exists()
