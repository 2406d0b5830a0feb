"""An interruption in the middle of a connection's work: it comes through, and nobody is given that connection again."""

import pytest

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
