"""The benchmark's figures of the outbox: what they count, what they wait for, and what they refuse."""

import asyncio
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url, text

from benchmarks.contenders.contender import WrongOutcome, require_count, send_in_turn
from benchmarks.contenders.notifying import Notifying
from benchmarks.contenders.outbox import Outbox
from benchmarks.durability import NotDurable, read_back
from benchmarks.worker_process import worker_process
from tests.support.raw import execute


def database_of(store_url: str) -> str:
    """Return a store as the benchmark names it: a file, or a URL that libpq reads."""
    url = make_url(store_url)
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


@pytest.mark.parametrize("messages", [False, True])
def test_what_is_queued_waits_for_the_worker(store_url: str, messages: bool) -> None:  # noqa: FBT001 - a parameter
    """To queue carries nothing out, and a drain all of it."""
    with closing(Outbox(database_of(store_url), messages=messages)) as outbox:
        for queued in (7, 14):
            outbox.queue(7)
            assert outbox.count_done() == queued - 7
            outbox.drain()
            assert outbox.count_done() == queued


def test_a_worker_process_tells_its_rate_and_its_settings(store_url: str) -> None:
    """It queues and drains as often as it is asked to, on durable connections."""
    with worker_process(Outbox, database_of(store_url), "benchmarks.worker_process") as worker:
        assert [worker.drained(jobs) > 0 for jobs in (5, 3)] == [True, True]
        assert worker.settings().startswith(("journal_mode=wal synchronous=2", "synchronous_commit=on fsync=on"))


def test_a_drain_that_did_not_do_what_was_queued_is_found_out(sqlite_url: str) -> None:
    """The jobs that are done are counted: one that somebody else queued is one too many."""
    database = database_of(sqlite_url)
    with closing(Outbox(database)) as other:
        other.queue(1)
    with (
        worker_process(Outbox, database, "benchmarks.worker_process") as worker,
        pytest.raises(WrongOutcome, match="6 jobs are done where 5 were queued"),
    ):
        worker.drained(5)


def test_a_worker_process_that_fails_is_noticed(tmp_path: Path) -> None:
    """Nobody waits for one that has ended."""
    with (
        pytest.raises(EOFError),
        worker_process(Outbox, str(tmp_path / "missing" / "store.db"), "benchmarks.worker_process") as worker,
    ):
        worker.drained(1)


@pytest.mark.parametrize("with_effect", [False, True])
def test_a_send_has_its_effect_done_when_it_answers(store_url: str, with_effect: bool) -> None:  # noqa: FBT001 - as above
    """The effects in the outbox are counted beside the events: one that is not done ends the run."""
    where = database_of(store_url)
    with closing(
        Notifying(Path(where) if store_url.startswith("sqlite") else where, with_effect=with_effect)
    ) as sender:
        send_in_turn(sender, 6, 2)
        require_count(sender, 6)
        if with_effect:
            execute(store_url, text("UPDATE pachyderm_outbox SET status = 'pending' WHERE version = 3"))
            with pytest.raises(WrongOutcome, match="4 effects done beside 6 events"):
                require_count(sender, 6)


@pytest.mark.postgres
def test_connections_of_an_event_loop_are_read_back_too(postgres_url: str) -> None:
    """A pool of asynchronous connections is found as any other."""
    database = database_of(postgres_url)

    async def settings(synchronous_commit: str) -> str:
        async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
            await connection.execute(f"SET synchronous_commit TO {synchronous_commit}")
            return read_back(database)

    assert asyncio.run(settings("on")) == "synchronous_commit=on fsync=on (1 connection)"
    with pytest.raises(NotDurable):
        asyncio.run(settings("off"))
