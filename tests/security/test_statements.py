"""No value reaches SQL as text: what the drivers are given to run never has one in it."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg
import pytest

from pachyderm_cli.store import connection
from pachyderm_cli.store.store import Store
from tests.cli.running import Command
from tests.security.surface import CORE, NETWORK, VALUES, run_all

FAILURES = {2, 3, 4, 5, 6, 7, 8, 9}
"""What a call of the whole surface may end with, beside 0: some ask for what is not there, or of the other database."""


def _noting(method: Callable[..., Any], texts: list[str]) -> Callable[..., Any]:
    def noting(self: Any, statement: Any, *args: Any, **kwargs: Any) -> Any:
        texts.append(str(statement))
        return method(self, statement, *args, **kwargs)

    return noting


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the texts of all statements that either driver is given in this process."""
    found: list[str] = []
    ways = ("execute", "executemany", "executescript")
    cursor = type("Noting", (sqlite3.Cursor,), {name: _noting(getattr(sqlite3.Cursor, name), found) for name in ways})

    class Noting(connection._Connection):
        def cursor(self, *_: Any) -> Any:  # of one kind, whatever is asked for
            return super().cursor(cursor)

    for name in ways:
        setattr(Noting, name, _noting(getattr(sqlite3.Connection, name), found))
    real = sqlite3.connect

    def connect(*args: Any, **kwargs: Any) -> Any:
        return real(*args, **{**kwargs, "factory": Noting})

    for module in (sqlite3, sqlite3.dbapi2):
        monkeypatch.setattr(module, "connect", connect)
    for kind, name in ((psycopg.Cursor, "execute"), (psycopg.Cursor, "executemany"), (psycopg.ServerCursor, "execute")):
        monkeypatch.setattr(kind, name, _noting(getattr(kind, name), found))
    return found


def test_a_statement_with_a_value_in_it_would_be_seen(store_url: str, texts: list[str]) -> None:
    """What the test below looks at is what is run, on either database."""
    with closing(Store(store_url)) as store:
        store.write(lambda transaction: transaction.run(f"SELECT '{CORE}'"))
        assert [each for each in texts if CORE in each] == [f"SELECT '{CORE}'"]
        if not store.is_sqlite:
            texts.clear()
            store.read(lambda transaction: transaction.commit([]))
            assert texts == ["BEGIN", "COMMIT"]


@pytest.mark.usefixtures("outbox_lab", "time_lab")
def test_no_command_writes_a_value_into_a_statement(pachyderm: Command, store_url: str, texts: list[str]) -> None:
    """Names, data, ids and numbers that are given to every command, or stored, are parameters and never text."""
    done = 0
    for call, result in run_all(pachyderm.store(store_url), "--network", NETWORK):
        assert result.status in {0, *FAILURES}, (call, result)
        done += result.status == 0
    assert done > 40
    exported = (pachyderm.folder / "all.jsonl").read_text(encoding="utf-8")
    assert [value for value in VALUES if value not in exported] == []  # they did come to be stored
    assert len(set(texts)) > 100
    assert [each for each in texts for value in VALUES if value in each] == []
