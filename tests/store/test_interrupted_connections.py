"""An interruption in the middle of a connection's work: it comes through, and nobody is given that connection again."""

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import FrameType
from typing import Any

import pytest

from pachyderm_cli.store import statement as statement_module
from pachyderm_cli.store import store as store_module
from pachyderm_cli.store.append import append
from pachyderm_cli.store.heads import heads
from pachyderm_cli.store.records import Outcome
from pachyderm_cli.store.statement import Transaction
from pachyderm_cli.store.store import Store
from tests.support.appends import an_append, an_entity

NETWORK = "n"


def in_a_transaction(transaction: Transaction) -> None:
    """Be interrupted with a transaction open."""
    transaction.run("BEGIN")
    raise KeyboardInterrupt


def while_writing(transaction: Transaction) -> None:
    """Be interrupted with something written."""
    transaction.run("DELETE FROM pachyderm_events")
    raise KeyboardInterrupt


def before_the_answer(transaction: Transaction) -> None:
    """Be interrupted between libpq's sending and its reading."""
    transaction._connection.pgconn.send_query(b"SELECT 1")
    raise KeyboardInterrupt


def assert_it_works(store: Store) -> None:
    """The store writes and reads, and holds what was appended."""
    before = len(list(heads(store, NETWORK)))
    assert append(store, NETWORK, [an_append(an_entity())]) == [Outcome.APPENDED]
    assert len(list(heads(store, NETWORK))) == before + 1


@pytest.fixture
def used(store: Store) -> Store:
    """Return a store with something in it."""
    append(store, NETWORK, [an_append(an_entity())])
    return store


def test_an_open_transaction_is_not_left_to_the_next(used: Store) -> None:
    """Whether it was to read, to write, or to commit by itself, what was begun is undone or its connection closed."""
    for use, work in ((used.read, in_a_transaction), (used.run, in_a_transaction), (used.write, while_writing)):
        with pytest.raises(KeyboardInterrupt):
            use(work)
        assert_it_works(used)


@pytest.mark.postgres
def test_a_connection_in_the_middle_of_an_answer_is_closed(postgres_url: str) -> None:
    """The driver would refuse every later statement on it."""
    store = Store(postgres_url)
    append(store, NETWORK, [an_append(an_entity())])
    for use in (store.read, store.run, store.write):
        with pytest.raises(KeyboardInterrupt):
            use(before_the_answer)
        assert_it_works(store)
    store.close()


def waits_for_disk(transaction: Transaction) -> bool:
    """Tell whether a commit on this connection waits for the disk, by SQLite's own word."""
    [(setting,)] = transaction._connection.execute("PRAGMA synchronous").fetchall()
    return bool(setting == 2)


def nothing(_: Transaction) -> None:
    """Do nothing."""


def interrupted(_: Transaction) -> None:
    """Be interrupted."""
    raise KeyboardInterrupt


@pytest.mark.parametrize("work", [nothing, interrupted, while_writing])
def test_what_need_not_be_durable_leaves_a_connection_that_is(
    sqlite_url: str, work: Callable[[Transaction], None]
) -> None:
    """After a write that does not wait for the disk, ended or interrupted, the next one waits for it again."""
    store = Store(sqlite_url)
    append(store, NETWORK, [an_append(an_entity())])
    seen: list[bool] = []

    def noted(transaction: Transaction) -> None:
        seen.append(waits_for_disk(transaction))
        work(transaction)

    with suppress(KeyboardInterrupt):
        store.write(noted, durable=False)
    store.write(lambda transaction: seen.append(waits_for_disk(transaction)))
    assert seen == [False, True]
    assert_it_works(store)
    store.close()


def test_an_interruption_at_any_call_leaves_no_connection_that_does_not_wait(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever of the transaction's commands is cut off, what is committed next waits for the disk."""
    original = Transaction.run
    for cut in range(5):
        store = Store(sqlite_url)
        append(store, NETWORK, [an_append(an_entity())])
        left = iter([False] * cut + [True])

        def run(transaction: Transaction, sql: str, left: Iterator[bool] = left) -> None:
            if next(left, False):
                raise KeyboardInterrupt
            original(transaction, sql)

        monkeypatch.setattr(Transaction, "run", run)
        with suppress(KeyboardInterrupt):
            store.write(nothing, durable=False)
        monkeypatch.setattr(Transaction, "run", original)
        seen: list[bool] = []
        store.write(lambda transaction, seen=seen: seen.append(waits_for_disk(transaction)))  # type: ignore[misc]  # of a lambda mypy infers no default
        assert seen == [True], cut
        store.close()


def interrupt_at(line: int, act: Callable[[], object]) -> bool:
    """Do something, interrupted at the line number `line` that it executes in the store; tell if it came so far."""
    files = {store_module.__file__, statement_module.__file__}
    left = line

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal left
        if frame.f_code.co_filename not in files:
            return None
        left -= event == "line"
        if left == 0 and event == "line":
            raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        act()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("durable", [False, True])
def test_an_interruption_at_any_line_comes_through_as_it_is(sqlite_url: str, *, durable: bool, fails: bool) -> None:
    """Also while a failed write is rolled back; no connection that is kept is in a transaction or does not wait."""

    def work(transaction: Transaction) -> None:
        transaction.run("DELETE FROM pachyderm_snapshots")
        if fails:
            raise RuntimeError

    def act(store: Store) -> None:
        with suppress(RuntimeError):
            store.write(work, durable=durable)

    line, has_come_so_far = 0, True
    while has_come_so_far:
        line += 1
        store = Store(sqlite_url)
        append(store, NETWORK, [an_append(an_entity())])
        has_come_so_far = interrupt_at(line, lambda store=store: act(store))  # type: ignore[misc]  # as above
        assert all(each.is_at_rest and waits_for_disk(each) for each in store._idle), line
        assert_it_works(store)
        store.close()
    gc.collect()  # the frames that were interrupted hold their connections
    assert line > 20


@pytest.mark.postgres
def test_on_postgres_only_the_transaction_itself_does_not_wait(postgres_url: str) -> None:
    """The setting ends with it, committed or not."""
    store = Store(postgres_url)
    append(store, NETWORK, [an_append(an_entity())])

    def setting(transaction: Transaction) -> str:
        return str(transaction._connection.execute("SHOW synchronous_commit").fetchone()[0])

    assert store.write(setting, durable=False) == "off"
    assert store.write(setting) == "on"
    with pytest.raises(KeyboardInterrupt):
        store.write(interrupted, durable=False)
    assert store.write(setting) == "on"
    store.close()
