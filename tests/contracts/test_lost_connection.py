"""A connection that Postgres ends around the commit: the message is in exactly once, its effects run exactly once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from pachyderm_cli import Pachyderm
from pachyderm_cli.errors import StoreError
from pachyderm_cli.store import append as append_module
from pachyderm_cli.store.failures import ConnectionLost
from pachyderm_cli.store.records import Outcome
from pachyderm_cli.store.statement import Transaction
from tests.support import tally
from tests.support.engines import tally_engine
from tests.support.raw import connected
from tests.support.tally import Add, AddAll

pytestmark = pytest.mark.postgres

Commit = Callable[[], Outcome]


def kill(transaction: Transaction, postgres_url: str) -> None:
    """End the server's side of the connection, from another one, and wait until it is gone."""
    with connected(postgres_url) as other:
        pid = transaction._connection.info.backend_pid
        other.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pid})


def before_commit(transaction: Transaction, postgres_url: str, commit: Commit) -> Outcome:
    """Lose the connection before the commit is sent: nothing was written."""
    kill(transaction, postgres_url)
    return commit()


def after_commit(transaction: Transaction, postgres_url: str, commit: Commit) -> Outcome:
    """Lose the connection after the commit, before its answer is read: everything was written."""
    commit()
    kill(transaction, postgres_url)
    transaction.run("SELECT 1")
    raise AssertionError("the connection should be gone")


@pytest.fixture
def engine(postgres_url: str, told: list[str]) -> Iterator[Pachyderm]:
    """Return an engine whose store exists."""
    with tally_engine(postgres_url, config={"told": told}) as opened:
        opened.send("tally:@other", AddAll(amounts=(1,)))
        yield opened


@contextmanager
def losing(
    monkeypatch: pytest.MonkeyPatch,
    postgres_url: str,
    lose: Callable[[Transaction, str, Commit], Outcome],
    times: int = 1,
) -> Iterator[None]:
    """Make the next commits lose their connection."""
    original = append_module._swapped_alone  # its one statement commits by itself
    left = times

    def commit(transaction: Transaction, *arguments: Any) -> Outcome:
        nonlocal left
        if not left:
            return original(transaction, *arguments)
        left -= 1
        return lose(transaction, postgres_url, lambda: original(transaction, *arguments))

    with monkeypatch.context() as patched:
        patched.setattr(append_module, "_swapped_alone", commit)
        yield
    assert left == 0


@pytest.mark.parametrize("lose", [before_commit, after_commit])
@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("times", [1, 2])
def test_the_message_is_in_exactly_once(
    engine: Pachyderm,
    postgres_url: str,
    told: list[str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    lose: Any,
    named: bool,
    times: int,
) -> None:
    """Whether it was committed is looked up by its id; the sender sees one send that worked, effects and all."""
    if lose is after_commit:
        times = 1  # what is committed is not committed again
    message_id = uuid4() if named else None
    with losing(monkeypatch, postgres_url, lose, times):
        sent = engine.send("tally:@a", Add(amount=5), message_id=message_id)
    assert (sent.version, sent.state) == (1, tally.State(count=5))
    assert not sent.duplicate
    assert told == ["0 + 5"]
    assert [(event.version, event.data) for event in engine.history("tally:@a")] == [(1, '{"amount":5}')]


def test_one_s_own_write_is_no_conflict(engine: Pachyderm, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A send that expected the version before its own commit is acknowledged, not refused."""
    with losing(monkeypatch, postgres_url, after_commit):
        assert engine.send("tally:@a", Add(), expect=0).version == 1


def test_another_write_after_the_loss_is_folded(
    engine: Pachyderm, postgres_url: str, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the commit was lost and another writer came in between, the message is decided anew."""

    def lose(transaction: Transaction, url: str, commit: Commit) -> Outcome:
        kill(transaction, url)
        with tally_engine(postgres_url) as other:
            other.send("tally:@a", Add(amount=100))
        return commit()

    engine.send("tally:@a", AddAll(amounts=(1,)))
    # The killed connection's transaction is rolled back, so that the other writer does not wait for it.
    with losing(monkeypatch, postgres_url, lose):
        sent = engine.send("tally:@a", Add(amount=5))
    assert (sent.version, sent.state.count) == (3, 106)
    assert told == ["101 + 5"]


def test_a_server_that_stays_away_is_an_error(
    engine: Pachyderm, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attempts are bounded: the last loss is raised as a store error, and nothing was written."""
    monkeypatch.setattr("pachyderm_cli.engine.sending.RECONNECTIONS", 2)
    with losing(monkeypatch, postgres_url, before_commit, 3), pytest.raises(ConnectionLost) as caught:
        engine.send("tally:@a", Add())
    assert isinstance(caught.value, StoreError)
    assert [head.version for head in engine.entities()] == [1]


def test_reading_works_again_after_a_loss(engine: Pachyderm, postgres_url: str) -> None:
    """A pooled connection that the server ended is replaced, and the reader notices nothing."""
    engine.state("tally:@other")
    with connected(postgres_url) as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    assert engine.state("tally:@other").count == 1
