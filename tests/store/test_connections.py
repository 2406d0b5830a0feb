"""Connections: kept for the next use, not more than a few, and let go of when they are of no use."""

import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, text

from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.append import append
from pachyderm_cli.store.events import read_events
from pachyderm_cli.store.failures import ConnectionLost
from pachyderm_cli.store.heads import find_head, heads
from pachyderm_cli.store.records import Outcome
from pachyderm_cli.store.statement import Transaction
from pachyderm_cli.store.store import _KEPT, Store
from tests.support.appends import an_append, an_entity
from tests.support.raw import connected, row_counts

NETWORK = "n"
MANY = _KEPT + 8
SECONDS = 60


def used_for_reading(store: Store) -> Any:
    """Return the driver's connection that a read is given."""
    return store.read(lambda transaction: transaction._connection)


def used_for_writing(store: Store) -> Any:
    """Return the driver's connection that a write is given."""
    return store.write(lambda transaction: transaction._connection)


def use_by_many(store: Store) -> list[Any]:
    """Read in many threads at the same time, and return the connections that they had."""
    together = threading.Barrier(MANY, timeout=SECONDS)

    def work(transaction: Transaction) -> Any:
        together.wait()
        return transaction._connection

    with ThreadPoolExecutor(MANY) as pool:
        return list(pool.map(lambda _: store.read(work), range(MANY)))


def is_closed(connection: Any) -> bool:
    """Tell whether a driver's connection is closed."""
    try:
        connection.execute("SELECT 1").fetchall()
    except Exception:  # noqa: BLE001 - each driver has its own
        return True
    return False


def end_all(postgres_url: str) -> None:
    """Have the server end every other connection to the database, and wait until they are gone."""
    with connected(postgres_url) as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


def test_a_connection_is_used_again(store: Store) -> None:
    """One call after the other, reading or writing, has the same one."""
    first = used_for_writing(store)
    assert used_for_reading(store) is first
    append(store, NETWORK, [an_append(an_entity())])
    list(heads(store, NETWORK))
    assert used_for_writing(store) is first
    assert len(store._idle) == 1


def test_two_at_a_time_have_two(store: Store) -> None:
    """A connection that is in use is nobody else's, and both are kept."""
    used_for_writing(store)
    with store.streaming() as first, store.streaming() as second:
        assert first._connection is not second._connection
        assert used_for_reading(store) not in (first._connection, second._connection)
    assert len(store._idle) == 3


@pytest.mark.parametrize("error", [StoreError, KeyboardInterrupt, ValueError])
def test_a_connection_outlives_an_error_of_its_user(store: Store, error: type[BaseException]) -> None:
    """Whatever is raised by the work, its connection is given back, without a transaction."""
    first = used_for_writing(store)

    def fail(_: Transaction) -> None:
        raise error("of the caller's own")

    for use in (store.read, store.write, store.run):
        with pytest.raises(error, match="own"):
            use(fail)
    assert used_for_writing(store) is first
    assert len(store._idle) == 1


def test_no_more_than_a_few_are_kept(store: Store) -> None:
    """After many threads used the store at once, what is over the number to keep is closed."""
    used_for_writing(store)
    for _ in range(3):
        had = use_by_many(store)
        assert len(set(map(id, had))) == MANY
        assert len(store._idle) == _KEPT
        assert sum(not is_closed(each) for each in had) == _KEPT


def test_closing_closes_all_that_wait(store: Store) -> None:
    """Nothing is open then, and the store works after, on new connections."""
    used_for_writing(store)
    had = use_by_many(store)
    store.close()
    assert all(is_closed(each) for each in had)
    assert store._idle == []
    assert append(store, NETWORK, [an_append(an_entity())]) == [Outcome.APPENDED]
    assert used_for_reading(store) not in had


def test_what_comes_back_after_closing_is_closed(store: Store) -> None:
    """A connection that was in use when the store was closed works until it is given back, and is not kept."""
    used_for_writing(store)
    with store.streaming() as lent:
        store.close()
        assert not is_closed(lent._connection)
    assert is_closed(lent._connection)
    assert store._idle == []
    with store.streaming() as lent:
        store.close()
        now = used_for_writing(store)  # opened again meanwhile
    assert is_closed(lent._connection)
    assert [each._connection for each in store._idle] == [now]


def test_closing_while_others_use_the_store_loses_nothing(store: Store, store_url: str) -> None:
    """Threads that write while another closes the store again and again are all served, and no connection stays."""
    append(store, NETWORK, [an_append(an_entity())])
    done = threading.Event()

    def work(_: int) -> list[list[Any]]:
        return [append(store, NETWORK, [an_append(an_entity())]) for _ in range(25)]

    def close() -> None:
        while not done.wait(0.002):
            store.close()

    with ThreadPoolExecutor(5) as pool:
        closing = pool.submit(close)
        try:
            written = [each for outcomes in pool.map(work, range(4)) for each in outcomes]
        finally:
            done.set()
        closing.result(SECONDS)
    store.close()
    assert written == [[Outcome.APPENDED]] * 100
    assert row_counts(store_url)["events"] == 101


def test_a_statement_that_failed_keeps_no_file_open(sqlite_store: Store) -> None:
    """Though its error is still at hand, closing closes; that the file is not open the fixture checks."""
    append(sqlite_store, NETWORK, [an_append(an_entity())])
    with pytest.raises(StoreError) as caught:
        sqlite_store.write(lambda transaction: transaction.run("INSERT INTO pachyderm_schema VALUES (NULL)"))
    sqlite_store.close()
    files = [str(each.readlink()) for each in Path("/proc/self/fd").glob("*") if each.exists()]
    assert not [name for name in files if name.startswith(str(sqlite_store.url.file))]
    assert caught.value.__cause__ is not None


@pytest.mark.postgres
def test_a_server_that_ended_every_connection_costs_a_reader_nothing(postgres_url: str) -> None:
    """All that waited are let go of at the first that is found dead; the read is answered on a fresh one."""
    store, entity = Store(postgres_url), an_entity()
    append(store, NETWORK, [an_append(entity)])
    had = use_by_many(store)
    end_all(postgres_url)
    assert [event.version for event in read_events(store, NETWORK, entity.id)] == [1]
    assert all(is_closed(each) for each in had)
    assert len(store._idle) == 1
    assert append(store, NETWORK, [an_append(entity, 1)]) == [Outcome.APPENDED]
    store.close()


@pytest.mark.postgres
@pytest.mark.parametrize("number", [1, 2])
def test_a_server_that_ended_every_connection_costs_a_writer_one_attempt(postgres_url: str, number: int) -> None:
    """The first write after that cannot know what became of it; the second works, alone or in a group."""
    store = Store(postgres_url)
    append(store, NETWORK, [an_append(an_entity())])
    use_by_many(store)
    end_all(postgres_url)
    appends = [an_append(an_entity()) for _ in range(number)]
    with pytest.raises(ConnectionLost, match="lost the connection"):
        append(store, NETWORK, appends)
    assert store._idle == []
    assert append(store, NETWORK, appends) == [Outcome.APPENDED] * number
    store.close()


@pytest.mark.postgres
def test_an_interruption_is_not_hidden_by_a_lost_connection(postgres_url: str) -> None:
    """Ctrl-C in a transaction whose connection is gone comes through as it is."""
    store = Store(postgres_url)

    def interrupt(transaction: Transaction) -> None:
        transaction._connection.close()
        raise KeyboardInterrupt

    for use in (store.write, store.run):
        with pytest.raises(KeyboardInterrupt):
            use(interrupt)
        assert store._idle == []
    append(store, NETWORK, [an_append(an_entity())])
    store.close()


def test_threads_share_a_file_that_is_not_there_yet(sqlite_store: Store) -> None:
    """Many read it as empty at once, one makes it, and all then read what is in it; nobody's connection is another's.

    What a thread opened may be used and closed by any other.
    """
    entity = an_entity()
    together = threading.Barrier(MANY, timeout=SECONDS)

    def work(index: int) -> int:
        together.wait()
        for _ in range(10):
            assert list(heads(sqlite_store, NETWORK)) == []
            assert find_head(sqlite_store, NETWORK, entity.id) is None
        together.wait()
        if index == 0:
            append(sqlite_store, NETWORK, [an_append(entity)])
        together.wait()
        found = find_head(sqlite_store, NETWORK, entity.id)
        assert found is not None
        return found.version

    with ThreadPoolExecutor(MANY) as pool:
        assert list(pool.map(work, range(MANY))) == [1] * MANY
    assert len(sqlite_store._idle) <= _KEPT
    assert {each.database for each in sqlite_store._idle} == {sqlite_store.database}


def test_threads_may_look_while_the_file_is_made(sqlite_store: Store, sqlite_url: str) -> None:
    """Before, during and after the first write a reader finds nothing or all of it, and no error."""
    entity = an_entity()
    written = threading.Event()

    def look(_: int) -> int:
        while True:
            was_written = written.is_set()
            found = find_head(sqlite_store, NETWORK, entity.id)
            if was_written:
                assert found is not None
                return found.version

    with ThreadPoolExecutor(8) as pool:
        looking = pool.map(look, range(8))
        append(sqlite_store, NETWORK, [an_append(entity)])
        written.set()
        assert list(looking) == [1] * 8
    assert Path(str(make_url(sqlite_url).database)).exists()


def test_a_listing_that_is_left_gives_its_connection_back(store: Store) -> None:
    """Whoever stops in the middle of a list, or closes it, leaves nothing behind."""
    for _ in range(5):
        append(store, NETWORK, [an_append(an_entity())])
    with ExitStack() as stack:
        listings = [heads(store, NETWORK) for _ in range(3)]
        for each in listings:
            next(each)
            stack.callback(each.close)  # type: ignore[attr-defined]  # it is a generator
        assert append(store, NETWORK, [an_append(an_entity())]) == [Outcome.APPENDED]
    del listings, each
    gc.collect()
    assert len(store._idle) == 4
    assert len(list(heads(store, NETWORK))) == 6


def test_a_listing_may_end_at_any_moment(store: Store) -> None:
    """So it does when the garbage collector finds it, be that while its thread changes what is kept."""
    append(store, NETWORK, [an_append(an_entity())])
    listing = heads(store, NETWORK)
    next(listing)
    with store._keeping:
        del listing
    assert len(store._idle) == 1
