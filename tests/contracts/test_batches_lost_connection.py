"""A connection that Postgres ends around a batch's commit: every message is in exactly once, as it was decided."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from sqlalchemy import text

from pachyderm_cli import Pachyderm, Rejected
from pachyderm_cli.engine.results import Sent
from pachyderm_cli.errors import PachydermError, StoreError
from pachyderm_cli.store.connection import Database
from pachyderm_cli.store.failures import ConnectionLost
from pachyderm_cli.store.statement import Transaction
from tests.contracts.test_lost_connection import kill
from tests.support import quota
from tests.support.batches import all_sent, brief, history, requests
from tests.support.engines import tally_engine
from tests.support.quota import GiveBack, Take, TakeFirst
from tests.support.raw import execute, row_counts
from tests.support.tally import Add, AddAll

pytestmark = pytest.mark.postgres

Commit = Callable[[], None]
Lose = Callable[[Transaction, str, Commit], None]


def before_commit(transaction: Transaction, postgres_url: str, commit: Commit) -> None:
    """Lose the connection before the commit is sent: nothing was written."""
    kill(transaction, postgres_url)
    commit()


def after_commit(transaction: Transaction, postgres_url: str, commit: Commit) -> None:
    """Lose the connection after the commit, before its answer is read: everything was written."""
    commit()
    kill(transaction, postgres_url)
    commit()


@contextmanager
def losing(monkeypatch: pytest.MonkeyPatch, postgres_url: str, lose: Lose, times: int = 1) -> Iterator[None]:
    """Make the next commits of batches lose their connection."""
    run = Transaction.run
    left = times

    def lossy(transaction: Transaction, sql: str) -> None:
        nonlocal left
        if sql != "COMMIT" or not left:
            run(transaction, sql)
            return
        left -= 1
        lose(transaction, postgres_url, lambda: run(transaction, sql))

    with monkeypatch.context() as patched:
        patched.setattr(Transaction, "run", lossy)
        yield
    assert left == 0


@pytest.fixture
def engine(postgres_url: str, told: list[str]) -> Iterator[Pachyderm]:
    """Return an engine whose store exists."""
    with tally_engine(postgres_url, config={"told": told}) as opened:
        opened.send("tally:@warm", AddAll(amounts=(1,)))
        yield opened


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize(("lose", "times"), [(before_commit, 1), (before_commit, 2), (after_commit, 1)])
def test_every_message_is_in_exactly_once(
    engine: Pachyderm,
    postgres_url: str,
    told: list[str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    lose: Lose,
    times: int,
    named: bool,
) -> None:
    """The sender sees one batch that worked, effects and all; what was known before stays a duplicate."""
    known = engine.request("tally:@warm", Add(amount=9), message_id=uuid4())
    engine.send_all([known])
    batch = requests(engine, *[("tally:@new", Add()), ("tally:@warm", Add())] * 3)
    if named:
        batch = [each._replace(message_id=uuid4()) for each in batch]
    told.clear()
    with losing(monkeypatch, postgres_url, lose, times):
        sent = all_sent(engine.send_all([known, *batch]))
    assert [each.version for each in sent] == [2, 1, 3, 2, 4, 3, 5]
    assert [each.state.count for each in sent] == [10, 1, 11, 2, 12, 3, 13]
    assert [each.duplicate for each in sent] == [True, *[False] * 6]
    assert told == ["0 + 1", "10 + 1", "1 + 1", "11 + 1", "2 + 1", "12 + 1"]
    assert history(engine, "tally:@new") == [(version, '{"amount":1}') for version in (1, 2, 3)]
    assert row_counts(postgres_url)["events"] == 8
    assert engine.send("tally:@new", Add()).state.count == 4


def test_a_batch_with_an_id_twice(engine: Pachyderm, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was in the lost commit is no duplicate, the second of its id is."""
    one = engine.request("tally:@a", Add(), message_id=uuid4())
    with losing(monkeypatch, postgres_url, after_commit):
        sent = all_sent(
            engine.send_all([one, engine.request("tally:@a", Add()), one, engine.request("tally:@b", Add())])
        )
    assert [(each.version, each.duplicate) for each in sent] == [(1, False), (2, False), (1, True), (1, False)]


def test_own_writes_are_no_conflict(engine: Pachyderm, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages that expected the versions of their own batch are acknowledged, not refused."""
    batch = [engine.request("tally:@a", Add(), expect=version) for version in range(3)]
    with losing(monkeypatch, postgres_url, after_commit):
        assert brief(engine.send_all(batch)) == [1, 2, 3]


@pytest.mark.parametrize("lose", [before_commit, after_commit])
def test_what_wrote_nothing_is_not_decided_on_what_came_after(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, lose: Lose
) -> None:
    """A rejection, or an answer without events, stands as it was decided in the commit that was lost."""
    with Pachyderm(postgres_url, {"quota": quota}) as engine:
        engine.send("quota:@other", Take())
        takes = [("quota:@a", Take())] * quota.LIMIT
        batch = requests(engine, *takes, ("quota:@a", Take()), ("quota:@a", TakeFirst()), ("quota:@a", GiveBack()))
        with losing(monkeypatch, postgres_url, lose):
            outcomes = engine.send_all(batch, keep_going=True)
        assert brief(outcomes) == [1, 2, 3, Rejected, 3, 4]
        assert isinstance(outcomes[4], Sent)
        assert outcomes[4].state == quota.State(taken=quota.LIMIT)
        assert [event.type for event in engine.history("quota:@a")] == ["Taken"] * 3 + ["GivenBack"]


@pytest.mark.parametrize("lose", [before_commit, after_commit])
def test_another_write_after_the_loss(
    engine: Pachyderm, postgres_url: str, told: list[str], monkeypatch: pytest.MonkeyPatch, lose: Lose
) -> None:
    """What was not committed is decided anew on what another wrote; what was is answered as it was."""

    def overtaken(transaction: Transaction, url: str, commit: Commit) -> None:
        try:
            lose(transaction, url, commit)
        finally:
            with tally_engine(postgres_url) as other:
                other.send("tally:@warm", AddAll(amounts=(100,)))

    batch = requests(engine, *[("tally:@warm", Add())] * 2)
    with losing(monkeypatch, postgres_url, overtaken):
        sent = all_sent(engine.send_all(batch))
    committed = lose is after_commit
    assert [(each.version, each.state.count) for each in sent] == (
        [(2, 2), (3, 3)] if committed else [(3, 102), (4, 103)]
    )
    assert told == (["1 + 1", "2 + 1"] if committed else ["101 + 1", "102 + 1"])
    assert engine.send("tally:@warm", Add()).state.count == 104


def test_a_server_that_stays_away_is_an_error(
    engine: Pachyderm, postgres_url: str, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attempts are bounded: the last loss is raised as a store error, and nothing was written."""
    monkeypatch.setattr("pachyderm_cli.engine.batch.RECONNECTIONS", 2)
    batch = requests(engine, *[("tally:@a", Add())] * 3)
    with losing(monkeypatch, postgres_url, before_commit, 3), pytest.raises(ConnectionLost) as caught:
        engine.send_all(batch, keep_going=True)
    assert isinstance(caught.value, StoreError)
    assert told == []
    assert row_counts(postgres_url)["events"] == 1


def test_a_server_that_goes_for_good_is_no_answer(
    engine: Pachyderm, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it cannot be asked whether the commit was made, that is raised: no message is said to have failed."""

    def gone(transaction: Transaction, url: str, commit: Commit) -> None:
        def unreachable(*_: object) -> None:
            raise OSError("no route to host")

        monkeypatch.setattr(Database, "connect", unreachable)
        after_commit(transaction, url, commit)

    batch = [engine.request("tally:@a", Add(), message_id=uuid4()) for _ in range(3)]
    with (
        monkeypatch.context() as patched,
        losing(patched, postgres_url, gone),
        pytest.raises(StoreError, match="route"),
    ):
        engine.send_all(batch, keep_going=True)
    monkeypatch.undo()
    assert [each.duplicate for each in all_sent(engine.send_all(batch))] == [True] * 3


def test_effects_of_the_parts_before_the_loss_have_run(
    engine: Pachyderm, postgres_url: str, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the server stays away at a later part of the batch, the effects of the first one are not lost."""
    monkeypatch.setattr("pachyderm_cli.engine.batch.RECONNECTIONS", 0)
    bad = engine.receiver("tally:@bad").id
    execute(postgres_url, text(f"ALTER TABLE pachyderm_events ADD CONSTRAINT refuse CHECK (entity_id <> '{bad}')"))
    batch = requests(
        engine, *[("tally:@a", Add(amount=1))] * 2, ("tally:@bad", Add()), *[("tally:@a", Add(amount=2))] * 2
    )
    commits = 0

    def second(transaction: Transaction, url: str, commit: Commit) -> None:
        nonlocal commits
        commits += 1
        if commits == 1:
            commit()
        else:
            before_commit(transaction, url, commit)

    with losing(monkeypatch, postgres_url, second, 2), pytest.raises(ConnectionLost):
        engine.send_all(batch, keep_going=True)
    assert told == ["0 + 1", "1 + 1"]
    assert row_counts(postgres_url)["events"] == 3


def test_a_last_message_alone_is_no_different(
    engine: Pachyderm, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch of one whose connection stays lost raises too: whether it was committed is not known."""
    monkeypatch.setattr("pachyderm_cli.engine.sending.RECONNECTIONS", 0)

    def lost(*_: object) -> list[Sent | PachydermError]:
        raise ConnectionLost("gone")

    monkeypatch.setattr("pachyderm_cli.engine.sending.append", lost)
    with pytest.raises(ConnectionLost):
        engine.send_all(requests(engine, ("tally:@warm", Add())), keep_going=True)
