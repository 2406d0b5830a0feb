"""`pachyderm init`: a small project that runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import SECONDS, Command, Result

FILES = ["pachyderm.toml", "entities/counter.py", "tests/test_counter.py", ".gitignore"]


@pytest.fixture
def nowhere(tmp_path: Path, site: Path) -> Command:
    """Return the command, run in an empty folder that is in no project."""
    folder = tmp_path / "empty"
    folder.mkdir()
    return Command(folder, site)


def written(folder: Path) -> dict[str, str]:
    """Return every file below `folder` with its text."""
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file()
    }


def test_the_project_runs_at_once(nowhere: Command) -> None:
    """`init DIR` writes four files, a message can be sent there, and the project's own test passes."""
    result = nowhere("init", "demo")
    assert result == Result(0, "".join(f"created  demo/{name}\n" for name in FILES), "")
    assert sorted(written(nowhere.folder / "demo")) == sorted(FILES)
    demo = nowhere.elsewhere(nowhere.folder / "demo")
    sent = demo("send", "counter:new", "increment", "amount=10", "--json").done()
    assert sent.document["state"] == {"count": 10}
    assert sent.err == "alert for admin@example.org: the counter reached 10\n"
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=demo.folder,
        env={**demo.environment({}), "PYTHONPATH": os.pathsep.join([str(demo.site), *filter(None, sys.path)])},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert tests.returncode == 0, tests.stdout
    assert "11 passed" in tests.stdout


def test_init_without_a_folder_is_here(nowhere: Command) -> None:
    """`init` alone writes into the current folder; --json says where, and what was created and kept."""
    assert nowhere.quick("init", "--json").done().document == {
        "project": str(nowhere.folder),
        "created": FILES,
        "kept": [],
    }
    assert sorted(written(nowhere.folder)) == sorted(FILES)


def test_a_second_run_keeps_every_file(nowhere: Command) -> None:
    """`init` never overwrites: what is there stays as it is, what is missing is written."""
    nowhere.quick("init").done()
    (nowhere.folder / "entities/counter.py").write_text("# mine\n", encoding="utf-8")
    (nowhere.folder / ".gitignore").unlink()
    before = written(nowhere.folder)
    again = nowhere.quick("init", "--json").done().document
    assert (again["created"], again["kept"]) == ([".gitignore"], FILES[:3])
    assert before.items() <= written(nowhere.folder).items()
    assert nowhere.quick("init").done().out == "".join(f"kept     {name}\n" for name in FILES)


def test_a_link_that_leads_nowhere_is_kept(nowhere: Command) -> None:
    """`init` does not write through a dangling symbolic link."""
    (nowhere.folder / "pachyderm.toml").symlink_to(nowhere.folder / "elsewhere")
    assert "pachyderm.toml" in nowhere.quick("init", "--json").done().document["kept"]
    assert not (nowhere.folder / "elsewhere").exists()


def test_the_store_is_the_owners_alone(nowhere: Command) -> None:
    """The store that the first send makes can be read by its owner alone, and git is told to leave it out."""
    nowhere.quick("init").done()
    nowhere.quick("send", "counter:new", "increment").done()
    assert (nowhere.folder / "pachyderm.db").stat().st_mode & 0o777 == 0o600
    assert "pachyderm.db*" in (nowhere.folder / ".gitignore").read_text(encoding="utf-8").splitlines()
