"""`store status`: size, schema, what each network holds, and how the database is set."""

import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import insert, text, update

from pachyderm_cli.store.records import ERASED
from pachyderm_cli.store.schema import cursors, entities, forks, imports, outbox
from tests.cli.running import Command
from tests.support.raw import execute

KEYS = ["store", "schema", "bytes", "last_position", "networks", "imports", "settings"]
MOMENT = "2026-01-31T10:00:00.000000Z"


def test_what_each_network_holds_is_counted(on_store: Command, store_url: str, outbox_lab: None) -> None:
    """Entities, events, snapshots, effects by status and cursors are counted, network by network."""
    on_store.quick("send", "counter:@a", "increment").done()
    on_store.quick("send", "counter:@a", "increment").done()
    on_store.quick("send", "counter:@b", "increment").done()
    on_store.quick("snapshot", "counter:@a").done()
    on_store.quick(
        "--network", "other", "send", "courier:@a", "forward", "to=courier:@b", "text=x", "--no-effects"
    ).done()
    row = {"network": "other", "name": "mailer", "position": 1, "created_at": MOMENT, "updated_at": MOMENT}
    execute(store_url, insert(cursors).values(row))
    status = on_store.quick("store", "status", "--json").done().document
    assert list(status) == KEYS
    assert status["last_position"] == 4
    first, second = status["networks"]
    assert first == {
        "network": "default",
        "entities": 2,
        "erased": 0,
        "events": 3,
        "last_position": 3,
        "snapshots": 1,
        "lookups": 0,
        "cursors": 0,
        "effects": {},
    }
    assert (second["network"], second["entities"], second["cursors"]) == ("other", 1, 1)
    assert second["effects"]["pending"] >= 1


def test_the_settings_are_those_that_make_commits_durable(on_store: Command, store_url: str) -> None:
    """Settings are read back from a connection: of SQLite its pragmas, of Postgres what decides about durability."""
    on_store.quick("send", "counter:@a", "increment").done()
    status = on_store.quick("store", "status", "--json").done().document
    settings = status["settings"]
    assert status["bytes"] > 8192
    if store_url.startswith("sqlite"):
        assert settings["sqlite_version"] == sqlite3.sqlite_version
        assert (settings["journal_mode"], settings["synchronous"]) == ("wal", "full")
        assert settings["page_size"] * settings["page_count"] == status["bytes"]
    else:
        assert settings.keys() >= {"server_version", "fsync", "full_page_writes"}
        assert settings["synchronous_commit"] == "on"


def test_what_is_not_yet_written_into_the_file_counts(pachyderm: Command) -> None:
    """The size of a SQLite store is that of its file and of the log beside it."""
    pachyderm.quick("send", "counter:@a", "increment").done()
    file = pachyderm.folder / "pachyderm.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint=0")
        connection.execute("CREATE TABLE other (column)")
        status = pachyderm.quick("store", "status", "--json").done().document
        assert status["bytes"] == file.stat().st_size + file.with_name("pachyderm.db-wal").stat().st_size
        assert status["bytes"] > file.stat().st_size


def test_an_unfinished_import_and_an_erased_entity_are_told(on_store: Command, store_url: str) -> None:
    """An import that stopped on its way is named, and erased entities are counted."""
    on_store.quick("send", "counter:@a", "increment").done()
    execute(store_url, update(entities).values(type=ERASED))
    row = {"network": "default", "lines": 7, "checksum": "", "position": 1, "new_position": 1, "started_at": MOMENT}
    execute(store_url, insert(imports).values(row))
    status = on_store.quick("store", "status", "--json").done().document
    assert status["imports"] == [{"network": "default", "lines": 7, "started_at": MOMENT}]
    assert status["networks"][0]["erased"] == 1
    told = on_store.quick("store", "status").done().out
    assert "network   default: 1 entity (1 erased), 1 event\n" in told
    assert f"import    default: 7 lines since {MOMENT}, not at its end\n" in told


def test_a_store_that_is_not_there_stays_so(on_store: Command) -> None:
    """Nothing is made by asking, neither a file nor tables, and there is nothing to count."""
    for _ in range(2):
        status = on_store.quick("store", "status", "--json").done().document
        assert (status["schema"], status["bytes"], status["networks"]) == (None, 0, [])
    assert "nothing was sent yet" in on_store.quick("store", "status").done().out
    assert list(on_store.folder.glob("*.db*")) == []


def test_an_older_store_is_told_of_as_it_is(on_store: Command, store_url: str) -> None:
    """A store of an older schema, which lacks tables of today, is counted, and what brings it up to date is named."""
    on_store.quick("send", "counter:@a", "increment").done()
    for table in (outbox, cursors, imports, forks):
        execute(store_url, text(f"DROP TABLE {table.name}"))
    execute(store_url, text("UPDATE pachyderm_schema SET version_num = '0002'"))
    status = on_store.quick("store", "status", "--json").done().document
    assert (status["schema"], status["networks"][0]["events"]) == ("0002", 1)
    assert "pachyderm store migrate" in on_store.quick("store", "status").done().out
    execute(store_url, text("UPDATE pachyderm_schema SET version_num = '9999'"))
    assert on_store.quick("store", "status").status == 7


@pytest.mark.postgres
def test_a_password_is_never_shown(pachyderm: Command, postgres_url: str) -> None:
    """The store is named without its password."""
    url = postgres_url.replace("postgres@", "postgres:hush@")
    assert url != postgres_url
    for arguments in (("store", "status"), ("store", "status", "--json")):
        shown = pachyderm.store(url).quick(*arguments).done()
        assert "hush" not in shown.out + shown.err
        assert "postgres:***@" in shown.out
