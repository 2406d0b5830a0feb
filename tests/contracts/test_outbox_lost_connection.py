"""A connection that Postgres ends in the middle of the outbox's work: nothing is lost, and nothing arrives twice."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest

from pachyderm_cli import Pachyderm
from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.statement import Transaction
from tests.contracts.test_lost_connection import kill
from tests.support.batches import all_sent
from tests.support.courier import Do, Order, Pass, Post, Remind, Tell
from tests.support.office import Office, log

pytestmark = pytest.mark.postgres

Statement = Callable[[], object]


@pytest.fixture
def office(postgres_url: str) -> Iterator[Office]:
    """Return a store for couriers."""
    with Office(postgres_url) as opened:
        yield opened


@contextmanager
def losing(office: Office, monkeypatch: pytest.MonkeyPatch, number: int, *, after: bool) -> Iterator[list[str]]:
    """End the connection around the commit number `number` from now on, counted from 0; give what was committed."""
    run = Transaction.run
    commits: list[str] = []

    def around(transaction: Transaction, said: str, statement: Statement) -> object:
        commits.append(said)
        if len(commits) != number + 1:
            return statement()
        if after:
            statement()
        kill(transaction, office.store_url)
        return run(transaction, "SELECT 1") if after else statement()

    def lossy_run(transaction: Transaction, sql: str) -> None:
        if sql == "COMMIT":
            around(transaction, sql, lambda: run(transaction, sql))
        else:
            run(transaction, sql)

    def lossy(execute: Callable[..., Any]) -> Callable[..., Any]:
        def executed(transaction: Transaction, statement: Any, parameters: Any) -> Any:
            text = transaction._prepared(statement, parameters)[0]
            if transaction._connection.pgconn.transaction_status or text.startswith("SELECT"):
                return execute(transaction, statement, parameters)
            return around(transaction, "alone", lambda: execute(transaction, statement, parameters))

        return executed

    with monkeypatch.context() as patched:
        patched.setattr(Transaction, "run", lossy_run)
        patched.setattr(Transaction, "rows", lossy(Transaction.rows))
        patched.setattr(Transaction, "count", lossy(Transaction.count))
        yield commits


def finish(office: Office, engine: Pachyderm) -> None:
    """Let all the time pass that is needed, and workers do the rest."""
    for _ in range(5):
        office.pass_time(7200)
        list(engine.work(once=True))


ORDERS: tuple[Order, ...] = (
    Tell(text="once"),
    Post(text="durable"),
    Pass(to="courier:@b", errand=Do(note="hello", orders=(Post(text="far"),))),
    Pass(to="courier:@c", errand=Do(note="no", answer="refuse"), refused=Do(note="back")),
    Pass(to="courier:@d", errand=Do(note="n", answer="nothing")),
)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("number", range(7))
def test_wherever_the_connection_is_lost_all_of_it_happens(
    office: Office, monkeypatch: pytest.MonkeyPatch, number: int, *, after: bool
) -> None:
    """Each message and rejection once, the effects at least once, and the one at most once not twice."""
    engine, message_id = office.open(), uuid4()
    engine.send("courier:@b", Do(note="set", orders=(Remind(name="t", errand=Do(note="rung"), after=0),)))
    with losing(office, monkeypatch, number, after=after) as commits:
        sent = engine.send("courier:@a", Do(note="go", orders=ORDERS), message_id=message_id)
    assert len(commits) > number
    assert (sent.version, sent.duplicate) == (1, False)
    finish(office, engine)
    assert [log(engine, f"courier:@{name}") for name in "ab"] == [["go", "back"], ["set", "rung", "hello"]]
    assert office.world.heard.count("once") == 1
    assert {"durable", "far"} <= set(office.world.heard)
    assert sorted(row["status"] for row in office.rows()) == ["done"] * 6 + ["rejected"]
    assert engine.send("courier:@a", Do(note="go", orders=ORDERS), message_id=message_id).duplicate


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("number", range(6))
def test_wherever_a_batch_loses_the_connection_all_of_it_happens(
    office: Office, monkeypatch: pytest.MonkeyPatch, number: int, *, after: bool
) -> None:
    """The same, for messages that are committed together."""
    engine = office.open()
    engine.send("courier:@a", Do(note="set", orders=(Remind(name="t", errand=Do(note="rung"), after=0),)))
    orders: tuple[Order, ...] = (Tell(text="once"), Post(text="p"), Pass(to="courier:@b", errand=Do(note="hello")))
    batch = [engine.request(f"courier:@{name}", Do(note=name, orders=orders)) for name in "aca"]
    with losing(office, monkeypatch, number, after=after) as commits:
        sent = all_sent(engine.send_all(batch))
    assert len(commits) > number
    assert [each.version for each in sent] == [3, 1, 4]
    finish(office, engine)
    assert [log(engine, f"courier:@{name}") for name in "abc"] == [["set", "rung", "a", "a"], ["hello"] * 3, ["c"]]
    assert office.world.heard.count("once") == 3
    assert {row["status"] for row in office.rows()} == {"done"}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("number", range(9))
def test_wherever_a_worker_loses_the_connection_all_of_it_happens(
    office: Office, monkeypatch: pytest.MonkeyPatch, number: int, *, after: bool
) -> None:
    """With `once` it may end with the store's error; the next one does the rest."""
    engine = office.open()
    engine.send("courier:@a", Do(note="go", orders=ORDERS), effects=False)
    with losing(office, monkeypatch, number, after=after) as commits:
        try:
            list(engine.work(once=True, concurrency=1))
        except StoreError as error:
            assert "lost the connection" in error.message  # noqa: PT017 - it need not be raised
    assert len(commits) > number
    finish(office, engine)
    assert [log(engine, f"courier:@{name}") for name in "ab"] == [["go", "back"], ["hello"]]
    assert {"durable", "far"} <= set(office.world.heard)
    assert sorted(row["status"] for row in office.rows()) == ["done"] * 5 + ["rejected"]
