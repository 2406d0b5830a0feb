"""What a send says to the database: no statement more than it needs."""

from typing import Any

import pytest

from pachyderm_cli import Pachyderm
from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.errors import Rejected
from pachyderm_cli.store.append import append
from pachyderm_cli.store.statement import Transaction
from pachyderm_cli.store.store import Store
from tests.contracts.conftest import OpenEngine
from tests.support import quota
from tests.support.appends import an_append, an_entity
from tests.support.quota import Take
from tests.support.tally import Add, AddAll, Refuse

NETWORK = "n"


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of all that connections were told, by the first word, in order."""
    statements: list[str] = []
    run, prepared, many = Transaction.run, Transaction._prepared, Transaction._prepared_many

    def seen_run(transaction: Transaction, sql: str) -> None:
        statements.append(sql)
        run(transaction, sql)

    def seen_prepared(transaction: Transaction, *arguments: Any) -> tuple[str, Any]:
        text, values = prepared(transaction, *arguments)
        statements.append(text.split()[0])
        return text, values

    def seen_many(transaction: Transaction, *arguments: Any) -> tuple[str, Any]:
        text, each = many(transaction, *arguments)
        statements.extend([text.split()[0]] * len(each))
        return text, each

    monkeypatch.setattr(Transaction, "run", seen_run)
    monkeypatch.setattr(Transaction, "_prepared_many", seen_many)
    monkeypatch.setattr(Transaction, "_prepared", seen_prepared)
    return statements


def reference_of(engine: Pachyderm, name: str) -> Reference:
    """Return an entity by its id, which needs no looking up."""
    return engine.find(name).entity


def test_a_warm_send_reads_nothing(engine: Pachyderm, store_url: str, said: list[str]) -> None:
    """To a cached entity it is one statement on Postgres, and begin, update, insert, commit on SQLite."""
    engine.send("tally:@a", Add())
    entity = reference_of(engine, "tally:@a")
    said.clear()
    engine.send(entity, Add())
    on_sqlite = ["BEGIN IMMEDIATE", "UPDATE", "INSERT", "COMMIT"]
    assert said == (on_sqlite if store_url.startswith("sqlite") else ["WITH"])


def test_several_events_are_still_one_statement_on_postgres(engine: Pachyderm, store_url: str, said: list[str]) -> None:
    """On Postgres all of a send's events go along; on SQLite, where nothing is far, there is one insert for each."""
    engine.send("tally:@a", Add())
    entity = reference_of(engine, "tally:@a")
    said.clear()
    engine.send(entity, AddAll(amounts=(1, 2, 3)))
    on_sqlite = ["BEGIN IMMEDIATE", "UPDATE", *["INSERT"] * 3, "COMMIT"]
    assert said == (on_sqlite if store_url.startswith("sqlite") else ["WITH"])


def test_a_rejection_reads_what_is_new_and_no_more(engine: Pachyderm, said: list[str]) -> None:
    """An answer without an append costs the one look at the log that makes sure of it."""
    engine.send("tally:@a", Add())
    entity = reference_of(engine, "tally:@a")
    said.clear()
    with pytest.raises(Rejected):
        engine.send(entity, Refuse())
    assert said == ["SELECT"]


@pytest.mark.postgres
def test_a_warm_send_is_one_round_trip(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver itself is asked to execute once, and to commit or roll back never."""
    from psycopg import Connection, Cursor  # noqa: PLC0415 - with the extra `postgres` only

    with Pachyderm(postgres_url, {"quota": quota}) as engine:
        engine.send("quota:@a", Take())
        entity = reference_of(engine, "quota:@a")
        asked: list[str] = []

        def watched(kind: type, name: str) -> None:
            original = getattr(kind, name)

            def method(self: Any, *arguments: Any, **options: Any) -> Any:
                asked.append(f"{kind.__name__}.{name}")
                return original(self, *arguments, **options)

            monkeypatch.setattr(kind, name, method)

        for name in ("execute", "commit", "rollback", "pipeline", "cursor"):
            watched(Connection, name)
        for name in ("execute", "executemany"):
            watched(Cursor, name)
        engine.send(entity, Take())
    assert asked == ["Cursor.execute"]


def test_a_group_is_one_commit(store: Store, store_url: str, said: list[str]) -> None:
    """However many appends are in it, there is one begin and one commit."""
    append(store, NETWORK, [an_append(an_entity())])
    said.clear()
    append(store, NETWORK, [an_append(an_entity()) for _ in range(10)])
    one = ["INSERT", "INSERT"] if store_url.startswith("sqlite") else ["WITH"]
    begin = "BEGIN IMMEDIATE" if store_url.startswith("sqlite") else "BEGIN"
    assert said == [begin, *one * 10, "COMMIT"]


def test_without_a_cache_every_send_reads(open_engine: OpenEngine, said: list[str]) -> None:
    """With room for none, a send loads snapshot and events before it writes, and comes to the same."""
    engine = open_engine(cached=0)
    engine.send("tally:@a", Add())
    entity = reference_of(engine, "tally:@a")
    said.clear()
    assert engine.send(entity, Add()).state.count == 2
    assert said[:2] == ["SELECT", "SELECT"]
