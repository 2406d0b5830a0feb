"""Files that pachyderm makes are their owner's alone, and what others put in its way is not taken for its own."""

import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pachyderm_cli import Pachyderm
from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.told import Told
from tests.cli.running import ROOT, Command
from tests.security.surface import run_all

pytestmark = pytest.mark.usefixtures("outbox_lab", "time_lab")

WRITTEN_BY_OTHERS = {"seen", "letters"}
"""What the commands' own shell command, and the project's own effects, write."""


@contextmanager
def masked(mask: int) -> Iterator[None]:
    """Let new files have every right that the mask does not take."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077], ids=oct)
def test_every_file_that_a_command_makes_is_its_owners_alone(pachyderm: Command, mask: int) -> None:
    """Stores, backups, exports and copies, whatever the umask; what `init` writes holds nothing of anybody's."""
    folder = pachyderm.folder
    before = set(folder.rglob("*"))
    with masked(mask):
        for _ in run_all(pachyderm):
            pass
    made = {each for each in set(folder.rglob("*")) - before if each.is_file() and "made" not in each.parts}
    made = {each for each in made if "__pycache__" not in each.parts and each.name not in WRITTEN_BY_OTHERS}
    assert {"backup.db", "all.jsonl", "copy.db", "imported.db", "pachyderm.db"} <= {each.name for each in made}
    assert [each.name for each in made if stat.S_IMODE(each.stat().st_mode) & 0o077] == []


@pytest.mark.parametrize("way", ["send", "migrate", "copy"])
def test_a_store_in_use_and_what_is_beside_it_are_their_owners_alone(pachyderm: Command, way: str) -> None:
    """However the file came to be, and while it is open, with its log and its shared memory."""
    file = pachyderm.folder / "own.db"
    with masked(0):
        if way == "migrate":
            pachyderm.quick("--store", f"sqlite:///{file}", "store", "migrate").done()
        if way == "copy":
            pachyderm.quick("send", "counter:@a", "increment").done()
            pachyderm.quick("copy", "--to", f"sqlite:///{file}").done()
        with Pachyderm.open(pachyderm.folder, store=f"sqlite:///{file}") as engine:
            engine.send("counter:new", "increment")
            found = {each.name: stat.S_IMODE(each.stat().st_mode) for each in pachyderm.folder.glob("own.db*")}
    assert found == dict.fromkeys(("own.db", "own.db-wal", "own.db-shm"), 0o600)


def test_a_store_that_was_taken_away_is_not_made_again_by_looking(pachyderm: Command) -> None:
    """SQLite would make an empty file that everybody may read in its place; here it is an error, and no file."""
    file = pachyderm.folder / "pachyderm.db"
    with masked(0), Pachyderm.open(pachyderm.folder) as engine:
        engine.send("counter:@a", "increment")
        kept = list(engine.store._idle)
        for each in pachyderm.folder.glob("pachyderm.db*"):
            each.unlink()
        engine.store._close_idle()
        with pytest.raises(StoreError, match="cannot be opened"):
            engine.send("counter:@a", "increment")
        assert kept != []
    assert not file.exists()


def test_what_is_noted_aside_during_an_import_has_no_name() -> None:
    """SQLite's temporary file for it is gone from its folder as soon as it is open, and was its owner's alone."""
    told = Told()
    told._database.execute("CREATE TABLE filler (text)")
    told._database.execute("INSERT INTO filler VALUES (zeroblob(20000000))")  # more than it keeps in memory
    links = [each for each in map(_target, Path("/proc/self/fd").iterdir()) if "etilqs" in each]
    assert links != []
    assert [each for each in links if not each.endswith(" (deleted)")] == []
    told.close()


def _target(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except OSError:  # what was reading the folder
        return ""


def test_a_new_file_is_not_written_through_somebody_elses_link(pachyderm: Command) -> None:
    """A link that waits where a store, a backup or an export is to be made leads nowhere that was not asked for."""
    victim = pachyderm.folder / "victim"
    victim.write_text("mine", encoding="utf-8")
    pachyderm.quick("send", "counter:@a", "increment").done()
    for command in (("backup", "link"), ("export", "-o", "link")):
        for options in ((), ("--force",)):
            (pachyderm.folder / "link").unlink(missing_ok=True)
            (pachyderm.folder / "link").symlink_to(victim)
            result = pachyderm.quick(*command, *options)
            assert result.status == (0 if options else 2)
            assert victim.read_text(encoding="utf-8") == "mine"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
@pytest.mark.parametrize(("mode", "is_used"), [(0o1777, False), (0o777, False), (0o755, True)])
def test_somebody_elses_project_in_everybodys_folder_is_not_run(
    site: Path, tmp_path: Path, mode: int, *, is_used: bool
) -> None:
    """Its modules would run as whoever calls the command below it; named, it is what they want."""
    everybodys = tmp_path / "everybodys"
    shutil.copytree(ROOT / "pachyderm_cli/cli/template/entities", everybodys / "entities")
    module = everybodys / "entities" / "counter.py"
    text = module.read_text(encoding="utf-8")
    module.write_text(f"{text}\n__import__('pathlib').Path('run').touch()\n", encoding="utf-8")
    file = everybodys / "pachyderm.toml"
    file.touch()
    os.chown(file, 65534, 65534)
    everybodys.chmod(mode)
    mine = everybodys / "mine"
    mine.mkdir()
    result = Command(mine, site).quick("describe", "counter")
    assert (result.status == 0, (mine / "run").exists()) == (is_used, is_used)
    assert is_used or "is another user's, in a folder that everybody may write to" in result.err
    named = Command(mine, site).quick("--project", everybodys, "describe", "counter").done()
    assert "increment" in named.out


def test_sqlite_really_makes_files_for_everybody(tmp_path: Path) -> None:
    """What is guarded against is there: without a mode of one's own a new database has the umask's."""
    with masked(0):
        connection = sqlite3.connect(tmp_path / "new.db")
        connection.execute("CREATE TABLE t (c)")
        connection.close()
    assert stat.S_IMODE((tmp_path / "new.db").stat().st_mode) == 0o644
