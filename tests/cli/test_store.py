"""The store, as the command meets it: what is wrong with a database is told; `store migrate`."""

import os
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text

from tests.cli.running import Command


def spoil_header(file: Path) -> None:
    """Make the file no database."""
    file.write_bytes(b"no database" * 1000)


def spoil_pages(file: Path) -> None:
    """Damage every page but the first."""
    size = file.stat().st_size
    with file.open("r+b") as stream:
        stream.seek(4096)
        stream.write(b"\xff" * (size - 4096))


def make_newer(file: Path) -> None:
    """Stamp the store with a schema of the future."""
    _execute(file, "UPDATE pachyderm_schema SET version_num = '9999'")


def make_older(file: Path) -> None:
    """Stamp the store with a schema of the past."""
    _execute(file, "UPDATE pachyderm_schema SET version_num = '0000'")


def drop_events(file: Path) -> None:
    """Drop the table of events."""
    _execute(file, "DROP TABLE pachyderm_events")


def _execute(file: Path, statement: str) -> None:
    connection = sqlite3.connect(file)
    with connection:
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    ("spoil", "problem", "remedy"),
    [
        (spoil_header, "is not a SQLite database", "name another file"),
        (spoil_pages, "is damaged", "restore it from a backup"),
        (make_newer, "was made by a newer pachyderm (schema 9999", "upgrade pachyderm-cli"),
        (make_older, "was made by an older pachyderm (schema 0000", "run: pachyderm store migrate"),
        (drop_events, "no such table: pachyderm_events", ""),
    ],
)
@pytest.mark.parametrize("command", [("send", "counter:@a", "increment"), ("history", "counter:@a")], ids=" ".join)
def test_a_spoilt_database_is_told(
    pachyderm: Command, command: tuple[str, ...], spoil: Callable[[Path], None], problem: str, remedy: str
) -> None:
    """What is wrong with the store's file is one error with status 7, and the file stays as it was."""
    pachyderm.quick("send", "counter:@a", "increment").done()
    file = pachyderm.folder / "pachyderm.db"
    spoil(file)
    before = file.read_bytes()
    result = pachyderm.quick(*command, "--json")
    assert (result.status, result.out, result.error["code"]) == (7, "", "store_error")
    assert problem in result.error["message"]
    assert remedy in result.error["message"]
    assert str(file) in result.error["store"]
    assert file.read_bytes() == before


@pytest.mark.parametrize("place", ["missing/store.db", "pachyderm.toml/store.db", "entities"])
def test_a_place_that_cannot_hold_a_store_is_told(pachyderm: Command, place: str) -> None:
    """A store in a missing folder, below a file, or where a folder is, is one error with status 7 for a send."""
    result = pachyderm.quick("--store", f"sqlite:///{place}", "send", "counter:new", "increment", "--json")
    assert (result.status, result.out, result.error["code"]) == (7, "", "store_error")
    assert place in result.error["message"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_to_is_told(pachyderm: Command) -> None:
    """A store in a read-only folder is one error with status 7."""
    pachyderm.folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    result = pachyderm.quick("send", "counter:new", "increment", "--json")
    pachyderm.folder.chmod(stat.S_IRWXU)
    assert (result.status, result.error["code"]) == (7, "store_error")


@pytest.mark.skipif(not Path("/proc/1/cmdline").exists(), reason="needs a folder that even root cannot write to")
def test_a_file_system_that_cannot_be_written_to_is_told(pachyderm: Command) -> None:
    """Where not even root may make a file, that is one error with status 7."""
    result = pachyderm.quick("--store", "sqlite:////proc/store.db", "send", "counter:new", "increment", "--json")
    assert (result.status, result.error["code"]) == (7, "store_error")
    assert "/proc/store.db" in result.error["message"]


@pytest.mark.parametrize(
    "command", [("send", "counter:new", "increment"), ("list",), ("store", "migrate")], ids=" ".join
)
def test_a_server_that_cannot_be_reached_is_told(pachyderm: Command, command: tuple[str, ...]) -> None:
    """A Postgres where none listens is one error of one line with status 7."""
    result = pachyderm.quick("--store", "postgresql://user:hush@127.0.0.1:1/db", *command, "--json")
    assert (result.status, result.out, result.error["code"]) == (7, "", "store_error")
    assert "cannot be reached" in result.error["message"]
    assert "\n" not in result.error["message"]
    assert "hush" not in result.err


@pytest.mark.postgres
def test_a_database_that_is_not_there_is_told(pachyderm: Command, postgres_url: str) -> None:
    """A Postgres without the database is one error with status 7 that names it."""
    url = postgres_url.replace("/pachyderm_test_", "/no_such_")
    result = pachyderm.quick("--store", url, "list", "--json")
    assert (result.status, result.error["code"]) == (7, "store_error")
    assert "no_such_" in result.error["message"]


def test_looking_at_a_store_makes_none(pachyderm: Command) -> None:
    """Commands that only read leave no file behind where there was none."""
    assert pachyderm.quick("list", "--json").done().out == ""
    for command in ("history", "inspect", "replay"):
        assert pachyderm.quick(command).status == 3
    assert list(pachyderm.folder.glob("*.db*")) == []


def test_a_store_that_is_up_to_date_is_left_alone(on_store: Command) -> None:
    """`store migrate` says that there is nothing to do, and keeps what is stored."""
    on_store.quick("send", "counter:@a", "increment").done()
    before = on_store.log()
    migrated = on_store("store", "migrate", "--json").done().document
    assert migrated.keys() >= {"store", "from", "to"}
    assert migrated["from"] == migrated["to"]
    assert f"already at schema {migrated['to']}" in on_store.quick("store", "migrate").done().out
    assert on_store.log() == before


def test_migrating_makes_a_store_where_there_is_none(on_store: Command) -> None:
    """`store migrate` on an empty database makes the store that a send would have made."""
    migrated = on_store("store", "migrate", "--json").done().document
    assert migrated["from"] is None
    assert on_store("send", "counter:@a", "increment", "--json").done().document["version"] == 1


def test_a_newer_store_is_not_migrated(on_store: Command, store_url: str) -> None:
    """A store made by a newer pachyderm is refused by `store migrate` too, and stays as it is."""
    on_store.quick("send", "counter:@a", "increment").done()
    engine = create_engine(store_url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("UPDATE pachyderm_schema SET version_num = '9999'"))
    result = on_store("store", "migrate", "--json")
    assert (result.status, result.error["code"]) == (7, "store_error")
    assert "upgrade pachyderm-cli" in result.error["message"]
    with engine.begin() as connection:
        assert connection.execute(text("SELECT version_num FROM pachyderm_schema")).scalar_one() == "9999"
    engine.dispose()
