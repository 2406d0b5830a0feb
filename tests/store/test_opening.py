"""Opening a store: made at the first write, for its owner alone, durable, of this version's schema."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from sqlalchemy import make_url, select, text

from pachyderm_cli.errors import ConfigError, StoreError
from pachyderm_cli.store import connection as connection_module
from pachyderm_cli.store.append import append
from pachyderm_cli.store.events import read_events
from pachyderm_cli.store.heads import find_head, heads
from pachyderm_cli.store.migrate import migrate
from pachyderm_cli.store.schema import schema_version
from pachyderm_cli.store.store import Store
from pachyderm_cli.store.url import parse_url
from pachyderm_cli.store.version import SCHEMA_VERSION
from tests.support.appends import an_append, an_entity
from tests.support.raw import connected, execute, row_counts

ROOT = Path(__file__).resolve().parents[2]


def file_of(url: str) -> Path:
    """Return the file of a SQLite store."""
    return Path(str(make_url(url).database))


def test_a_missing_file_reads_as_empty_and_is_not_made(sqlite_store: Store, sqlite_url: str) -> None:
    """Looking leaves no trace; the first write makes the file, and the same store then reads it."""
    entity = an_entity()
    assert list(heads(sqlite_store, "n")) == []
    assert find_head(sqlite_store, "n", entity.id) is None
    assert list(read_events(sqlite_store, "n", entity.id)) == []
    assert not file_of(sqlite_url).exists()
    append(sqlite_store, "n", [an_append(entity)])
    assert [head.entity for head in heads(sqlite_store, "n")] == [entity]


def test_the_file_is_its_owner_s_alone(sqlite_store: Store, sqlite_url: str) -> None:
    """The file and what SQLite puts beside it can be read and written by the owner, and by nobody else."""
    append(sqlite_store, "n", [an_append(an_entity())])
    files = list(file_of(sqlite_url).parent.glob("store.db*"))
    assert len(files) == 3
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_a_file_that_is_there_keeps_its_mode(sqlite_store: Store, sqlite_url: str) -> None:
    """An empty file that someone prepared becomes the store as it is."""
    file_of(sqlite_url).touch(mode=0o640)
    file_of(sqlite_url).chmod(0o640)
    append(sqlite_store, "n", [an_append(an_entity())])
    assert file_of(sqlite_url).stat().st_mode & 0o777 == 0o640


def test_sqlite_is_durable_on_every_connection(sqlite_store: Store) -> None:
    """Each connection, of several at once, has WAL and synchronous=FULL."""
    append(sqlite_store, "n", [an_append(an_entity())])
    with ExitStack() as stack:
        for _ in range(3):
            connection = stack.enter_context(sqlite_store.streaming())._connection
            assert connection.execute("PRAGMA journal_mode").fetchall() == [("wal",)]
            assert connection.execute("PRAGMA synchronous").fetchall() == [(2,)]


def test_a_sqlite_that_does_not_take_wal_is_refused() -> None:
    """A database that stays in another journal mode, as one in memory does, is an error."""
    with (
        closing(sqlite3.connect(":memory:")) as database,
        pytest.raises(StoreError, match="journal_mode=memory"),
    ):
        connection_module._set_up_sqlite(database, 0)


@pytest.mark.postgres
def test_postgres_is_durable_on_every_connection(postgres_url: str) -> None:
    """A database whose default is a lossy commit is opened with a durable one."""
    name = make_url(postgres_url).database
    execute(postgres_url, text(f"ALTER DATABASE {name} SET synchronous_commit TO off"))
    store = Store(postgres_url)
    with ExitStack() as stack:
        stack.callback(store.close)
        for _ in range(3):
            connection = stack.enter_context(store.streaming())._connection
            assert connection.execute("SHOW synchronous_commit").fetchall() == [("on",)]


def test_a_new_store_is_stamped(store: Store, store_url: str) -> None:
    """The first write makes the tables and says of which version they are."""
    append(store, "n", [an_append(an_entity())])
    with connected(store_url) as connection:
        assert connection.execute(select(schema_version)).all() == [(SCHEMA_VERSION,)]


@pytest.mark.parametrize(
    ("version", "said"), [("9999", "made by a newer pachyderm"), ("0000", "run: pachyderm store migrate")]
)
def test_a_store_of_another_schema_is_refused(store: Store, store_url: str, version: str, said: str) -> None:
    """Newer and older stores are errors that say which and what to do, for reading and for writing."""
    append(store, "n", [an_append(an_entity())])
    store.close()
    execute(store_url, schema_version.update().values(version_num=version))
    for use in (lambda: list(heads(store, "n")), lambda: append(store, "n", [an_append(an_entity())])):
        with pytest.raises(StoreError, match=said) as caught:
            use()
        assert version in caught.value.message
    assert row_counts(store_url)["events"] == 1


@pytest.mark.parametrize("stamps", [[SCHEMA_VERSION, "0007"], ["0005", SCHEMA_VERSION]])
def test_a_store_of_several_versions_is_refused(store: Store, store_url: str, stamps: list[str]) -> None:
    """Neither the newer nor the older one is taken for it, by a send or by a migration."""
    append(store, "n", [an_append(an_entity())])
    store.close()
    execute(store_url, schema_version.delete())
    for each in stamps:
        execute(store_url, schema_version.insert().values(version_num=each))
    for use in (lambda: append(store, "n", [an_append(an_entity())]), lambda: migrate(store_url)):
        with pytest.raises(StoreError, match="has not one version"):
            use()


def test_a_stamp_that_is_no_text_is_refused(sqlite_store: Store, sqlite_url: str) -> None:
    """A file may hold anything there; it is damage, and nothing is made beside it."""
    append(sqlite_store, "n", [an_append(an_entity())])
    sqlite_store.close()
    for text_of_table in ("DROP TABLE pachyderm_schema", "CREATE TABLE pachyderm_schema (version_num)"):
        execute(sqlite_url, text(text_of_table))
    execute(sqlite_url, text("INSERT INTO pachyderm_schema VALUES (NULL)"))
    for use in (lambda: list(heads(sqlite_store, "n")), lambda: migrate(sqlite_url)):
        with pytest.raises(StoreError, match="says None"):
            use()


def test_another_folder_is_no_other_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a relative URL named when the store was opened is the store, wherever the process goes after that."""
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        with closing(Store("sqlite:///a.db")) as each:
            append(each, "n", [an_append(an_entity())])
    monkeypatch.chdir(tmp_path / "here")
    with closing(Store("sqlite:///a.db")) as store:
        append(store, "n", [an_append(an_entity())])
        monkeypatch.chdir(tmp_path / "there")
        with store.streaming():  # on the one connection that there is, so that the append needs another
            append(store, "n", [an_append(an_entity())])
        assert len(list(heads(store, "n"))) == 3


def test_processes_that_open_a_new_store_at_once_all_can(store_url: str) -> None:
    """One of them makes the tables; each then writes, and nothing is lost or made twice."""
    command = [sys.executable, "-m", "tests.support.increment_often", store_url, "counter:@new", "1"]
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(6)
        ]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        answers = [process.communicate("go\n")[0] for process in processes]
    assert answers == ["1\n"] * 6
    assert row_counts(store_url) == {"entities": 1, "events": 6, "snapshots": 0}
    with connected(store_url) as connection:
        assert connection.execute(select(schema_version)).all() == [(SCHEMA_VERSION,)]


def test_a_forked_child_leaves_its_parent_s_connections_alone(store_url: str) -> None:
    """The child reads, writes and closes on connections of its own; those of the parent go on working."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.forking", store_url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("fine\n", "", 0)
    assert row_counts(store_url)["events"] == 3


def test_a_closed_store_may_be_used_again(store: Store) -> None:
    """Closing lets go of connections, and the next use opens new ones."""
    entity = an_entity()
    append(store, "n", [an_append(entity)])
    store.close()
    assert append(store, "n", [an_append(entity, 1)])
    store.close()
    store.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "cannot be read"),
        ("", "cannot be read"),
        ("sqlite://", "a file that lasts"),
        ("sqlite:///:memory:", "a file that lasts"),
        ("sqlite://host/file", "a file that lasts"),
        ("sqlite:///file?mode=ro", "takes no options"),
        ("mysql://u:geheim@host/db", "SQLite or Postgres, not 'mysql'"),
        ("postgresql+asyncpg://u:geheim@host/db", "SQLite or Postgres"),
        ("postgresql://u:geheim@host:port/db", "cannot be read"),
        ("postgresql://u:ge@heim@host/db", "write it as %40"),
        ("postgresql://u:geheim@one:1,[]:2/db", "cannot be read"),
        ("postgresql://u:geheim@[one,two]:2/db", "cannot be told apart"),
        ("postgresql://u:geheim@[],[]/db", "cannot be told apart"),
    ],
)
def test_a_url_that_names_no_store_is_refused(url: str, said: str) -> None:
    """The error says what to write, and never shows the password."""
    with pytest.raises(ConfigError) as caught:
        parse_url(url)
    assert said in caught.value.message
    assert "heim" not in caught.value.message


@given(
    file=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0?"), min_size=1).filter(
        lambda each: "%00" not in each
    ),
    scheme=st.sampled_from(["sqlite", "SQLite", "sqlite+pysqlite"]),
)
@example(file="a%20b%3Fc%zz ü#1", scheme="sqlite")
def test_a_files_url_is_read_as_sqlalchemy_reads_it(file: str, scheme: str) -> None:
    """The same file, and the same text that names it: with the library for servers, and without it for files."""
    text = f"{scheme}:///{file}"
    theirs = make_url(text.replace(scheme, scheme.lower(), 1))
    assume(theirs.database not in (None, "", ":memory:"))
    ours = parse_url(text)
    assert str(ours.file) == str(Path(str(theirs.database)))
    assert str(ours) == ours.whole == theirs.set(drivername="sqlite").render_as_string()
    assert parse_url(ours.whole) == ours


def test_a_password_may_have_a_slash_before_several_hosts() -> None:
    """The hosts are told apart whatever stands in the password, as where there is one host."""
    url = parse_url("postgresql://ann:a/b@one:5433,two/db")
    assert url.secrets == ("a/b",)
    assert str(url) == "postgresql+psycopg://ann:***@/db?host=one%2Ctwo&port=5433%2C"
    assert url.has_several_hosts


@pytest.mark.parametrize("driver", ["postgresql", "postgres", "postgresql+psycopg"])
def test_postgres_has_several_spellings(driver: str) -> None:
    """Each means psycopg, and the text of a store hides the password."""
    url: Any = Store(f"{driver}://u:geheim@host/db")
    assert str(url) == "postgresql+psycopg://u:***@host/db"


@pytest.mark.parametrize(
    "use", [lambda store: list(heads(store, "n")), lambda store: append(store, "n", [an_append(an_entity())])]
)
def test_what_keeps_nothing_is_no_store(tmp_path: Path, use: Callable[[Store], object]) -> None:
    """A pipe or a device is refused before SQLite opens it, and makes or removes a journal beside it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(StoreError, match="not a file that lasts"):
        use(Store(f"sqlite:///{pipe}"))
    assert list(tmp_path.iterdir()) == [pipe]
