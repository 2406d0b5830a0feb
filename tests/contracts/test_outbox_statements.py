"""What effects, messages and timers say to the database: no statement more than they need."""

from collections.abc import Iterator
from typing import Any

import pytest

from pachyderm_cli import Pachyderm, Rejected
from pachyderm_cli.store import acknowledgements
from pachyderm_cli.store.statement import Transaction
from tests.support.courier import Do, Forget, Order, Pass, Post, Remind, Tell
from tests.support.office import Office

DURABLY, AT_ONCE = ["BEGIN IMMEDIATE", "COMMIT"], ["PRAGMA synchronous=NORMAL", "PRAGMA synchronous=FULL"]


@pytest.fixture
def office(store_url: str) -> Iterator[Office]:
    """Return a store for couriers, on each database."""
    with Office(store_url) as opened:
        yield opened


@pytest.fixture
def warm(office: Office) -> Pachyderm:
    """Return an engine that knows the entities."""
    engine = office.open()
    for name in "ab":
        engine.send(f"courier:@{name}", Do(note="n"))
    return engine


@pytest.fixture
def said(warm: Pachyderm, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of all that connections are told from now on, by the first word, in order."""
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


def durable(*statements: str) -> list[str]:
    """Return a transaction of SQLite's that waits for the disk."""
    return [DURABLY[0], *statements, DURABLY[1]]


def at_once(statement: str) -> list[str]:
    """Return a statement that is a transaction of its own, and does not."""
    return [AT_ONCE[0], statement, AT_ONCE[1]]


def send(engine: Pachyderm, *orders: Order) -> None:
    """Send an errand with those orders to an entity by its id, which needs no looking up."""
    engine.send(engine.receiver("courier:@a"), Do(note="n", orders=orders))


def test_a_durable_effect_costs_one_insert_and_one_mark(
    warm: Pachyderm, office: Office, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Postgres it goes along with the events, in one statement; the next send marks it done in its own."""
    monkeypatch.setattr(acknowledgements, "_TICK", 3600)
    for marks in ([], ["UPDATE"]):
        send(warm, Tell(text="t"), Post(text="p"))
        on_sqlite = durable("UPDATE", "INSERT", "INSERT", *marks)
        assert said == (on_sqlite if office.store_url.startswith("sqlite") else ["WITH"])
        said.clear()


def test_a_message_is_done_with_what_it_leads_to(warm: Pachyderm, office: Office, said: list[str]) -> None:
    """The sender's commit and the receiver's: no other. Nothing is read of an entity that is known."""
    send(warm, Pass(to="courier:@b", errand=Do(note="hello")))
    on_sqlite = [*durable("UPDATE", "INSERT", "INSERT"), *durable("UPDATE", "INSERT", "UPDATE")]
    assert said == (
        on_sqlite if office.store_url.startswith("sqlite") else ["WITH", "BEGIN", "WITH", "UPDATE", "COMMIT"]
    )


def test_an_entity_without_timers_is_not_asked_for_any(warm: Pachyderm, said: list[str]) -> None:
    """Neither one that is new, nor one whose timers are known to be ended."""
    warm.send("courier:new", Do(note="n"))
    assert said[:2] == ["SELECT", "SELECT"]  # a snapshot, and events
    assert "SELECT" not in said[2:]
    send(warm, Remind(name="t", errand=Do(note="m"), after=60))
    send(warm, Forget(name="t"))
    send(warm)
    said.clear()
    send(warm)
    assert "SELECT" not in said


def test_an_entity_with_a_timer_is_asked_once_for_each_message(warm: Pachyderm, said: list[str]) -> None:
    """Whether it is due."""
    send(warm, Remind(name="t", errand=Do(note="m"), after=60))
    said.clear()
    send(warm)
    assert said.count("SELECT") == 1


def test_a_rejection_looks_twice_where_there_are_timers(warm: Pachyderm, said: list[str]) -> None:
    """At the log, and for timers: no append finds out that one was delivered in between."""
    send(warm, Remind(name="t", errand=Do(note="m"), after=60))
    said.clear()
    with pytest.raises(Rejected):
        warm.send(warm.receiver("courier:@a"), Do(note="no", answer="refuse"))
    assert said == ["SELECT"] * 5


def test_an_idle_worker_only_reads(warm: Pachyderm, said: list[str]) -> None:
    """It takes no lock and writes nothing where nothing is due."""
    list(warm.work(once=True))
    assert set(said) == {"SELECT"}
