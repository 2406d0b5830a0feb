"""What a database can do wrong, as one clear line that never shows a password."""

import errno
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pytest
from sqlalchemy import make_url

from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.append import append
from pachyderm_cli.store.failures import any_error, is_constraint, store_error
from pachyderm_cli.store.heads import heads
from pachyderm_cli.store.snapshots import drop_snapshots
from pachyderm_cli.store.statement import Transaction
from pachyderm_cli.store.store import Store
from pachyderm_cli.store.url import parse_url
from tests.support.appends import an_append, an_entity
from tests.support.raw import row_counts

Use = Callable[[Store], Any]


def write(store: Store) -> None:
    """Write one event."""
    append(store, "n", [an_append(an_entity())])


def read(store: Store) -> None:
    """List what there is."""
    list(heads(store, "n"))


def failure(store: Store, use: Use) -> str:
    """Return the message of the StoreError that using the store raises."""
    try:
        with pytest.raises(StoreError) as caught:
            use(store)
    finally:
        store.close()
    assert "\n" not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize("use", [read, write])
def test_a_file_that_is_no_database(tmp_path: Path, use: Use) -> None:
    """A file of something else is named, and left as it was."""
    file = tmp_path / "letter.txt"
    file.write_text("Dear Sir or Madam, " * 100)
    said = failure(Store(f"sqlite:///{file}"), use)
    assert f"{file} is not a SQLite database" in said
    assert file.read_text() == "Dear Sir or Madam, " * 100


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    """A store in a folder that is not there is not made, and the path is named."""
    said = failure(Store(f"sqlite:///{tmp_path}/none/store.db"), write)
    assert f"{tmp_path}/none/store.db" in said
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("use", [read, write])
def test_a_folder_in_place_of_a_file(tmp_path: Path, use: Use) -> None:
    """A folder cannot be opened as a store."""
    assert "cannot be opened" in failure(Store(f"sqlite:///{tmp_path}"), use)


def test_a_locked_file(sqlite_url: str) -> None:
    """A writer that holds the lock for longer than the store waits is reported; readers are not kept out."""
    sqlite_store = Store(sqlite_url, wait_seconds=0)
    write(sqlite_store)
    with closing(sqlite3.connect(str(make_url(sqlite_url).database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        read(sqlite_store)
        assert "is locked by another process" in failure(sqlite_store, write)
        other.execute("ROLLBACK")
    write(sqlite_store)
    sqlite_store.close()


@pytest.mark.parametrize(
    ("pragma", "said"),
    [("PRAGMA query_only=ON", "is read-only"), ("PRAGMA max_page_count=1", "the disk is full")],
)
def test_a_file_that_cannot_grow_or_be_written(sqlite_store: Store, sqlite_url: str, pragma: str, said: str) -> None:
    """SQLite's own refusals to write are told apart, and nothing is half written."""
    write(sqlite_store)
    sqlite_store.read(lambda connection: connection.run(pragma))  # the one that is used next
    many = [an_append(an_entity(), events=500)]
    assert said in failure(sqlite_store, lambda store: append(store, "n", many))
    assert row_counts(sqlite_url)["events"] == 1


def test_a_damaged_file(sqlite_store: Store, sqlite_url: str) -> None:
    """Pages that make no sense are called damage."""
    append(sqlite_store, "n", [an_append(an_entity()) for _ in range(300)])
    sqlite_store.close()
    file = Path(str(make_url(sqlite_url).database))
    size = file.stat().st_size
    with file.open("r+b") as raw:
        raw.seek(4096)
        raw.write(b"\xff" * (size - 4096))
    assert "is damaged" in failure(sqlite_store, read)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://u:geheim@127.0.0.1:1/db",
        "postgresql+psycopg://u@127.0.0.1:1/db?password=geheim",
        "postgresql+psycopg://u:ge%2Fh%20eim@127.0.0.1:1/db",
        "postgresql+psycopg://u@127.0.0.1:1/db?passwort=geheim",
    ],
)
def test_a_server_that_is_not_there(url: str) -> None:
    """An address at which nothing answers, or an option there is not, is one line without the password."""
    store = Store(url)
    said = failure(store, write)
    assert said.startswith("the store postgresql+psycopg://u")
    assert "heim" not in said.replace("passwort=geheim", "")
    assert "h eim" not in said


@pytest.mark.postgres
def test_a_database_that_is_not_there(postgres_url: str) -> None:
    """The server's own words say which database is missing."""
    url = make_url(postgres_url).set(database="nowhere", password="geheim")  # noqa: S106 - no real one
    said = failure(Store(url.render_as_string(hide_password=False)), read)
    assert 'database "nowhere" does not exist' in said
    assert "geheim" not in said


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), "shared memory"])
def test_a_full_disk_is_called_that(error: OSError | str) -> None:
    """Also where the system says it, and where SQLite finds no room for the memory that its connections share."""
    if isinstance(error, str):
        error = cast("OSError", sqlite3.OperationalError("disk I/O error"))
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE  # type: ignore[attr-defined]
    assert "the disk is full; make room" in store_error(parse_url("sqlite:///a.db"), error).message


def test_a_failure_of_sqlite_without_a_code_is_none_of_a_server() -> None:
    """What Python's module raises by itself is not told as a server that cannot be reached."""
    said = store_error(parse_url("sqlite:///a.db"), sqlite3.ProgrammingError("what is this")).message
    assert "a.db cannot be used (what is this)" in said


def test_tables_that_are_gone(store: Store) -> None:
    """A store whose tables someone dropped is refused in one line."""
    write(store)
    store.write(lambda transaction: transaction.run("DROP TABLE pachyderm_snapshots"))
    assert "pachyderm_snapshots" in failure(store, lambda store: drop_snapshots(store, "n"))


def test_an_error_of_the_caller_rolls_back(store: Store, store_url: str) -> None:
    """What is raised inside a writing transaction comes through as it is, and nothing is written."""
    write(store)

    def interrupted(transaction: Transaction) -> None:
        transaction.run("DELETE FROM pachyderm_events")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.write(interrupted)
    assert row_counts(store_url)["events"] == 1


def test_a_library_that_another_thread_is_just_loading_has_no_errors_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half loaded it has raised nothing, and what was raised is told as ever."""
    for name in ("psycopg", "sqlalchemy.exc"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    assert any_error() == (sqlite3.Error, OSError, UnicodeDecodeError)
    assert is_constraint(sqlite3.IntegrityError())
