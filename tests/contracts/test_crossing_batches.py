"""Batches and sends that want the same entities in other orders: on Postgres none of them stops another for long."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from sqlalchemy import text

from pachyderm_cli import Pachyderm
from pachyderm_cli.store.append import append, append_all
from pachyderm_cli.store.records import Outcome
from pachyderm_cli.store.store import Store
from tests.contracts.conftest import OpenEngine
from tests.support.appends import an_append, an_entity
from tests.support.batches import all_sent
from tests.support.raw import connected, execute, row_counts
from tests.support.tally import Add

NETWORK = "n"
NAMES = "abcdefgh"


def deadlocks(postgres_url: str) -> int:
    """Return how many transactions the server had to undo for the sake of another."""
    with connected(postgres_url) as connection:
        query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        return int(connection.execute(text(query)).scalar_one())


def send_crossing(engine: Pachyderm, number: int) -> None:
    """Send a batch to all entities, forwards or backwards, or one message to each."""
    names = NAMES if number % 2 else NAMES[::-1]
    if number % 3:
        requests = [engine.request(f"tally:@{name}", Add(), message_id=uuid4()) for name in names * 2]
        all_sent(engine.send_all(requests))
    else:
        for name in names * 2:
            engine.send(f"tally:@{name}", Add())


@pytest.mark.parametrize("snapshots_every", [0, 3])
def test_crossing_batches_and_sends_all_get_through(open_engine: OpenEngine, snapshots_every: int) -> None:
    """Whatever the order, every message is in exactly once."""
    engines = [open_engine(snapshots_every=snapshots_every) for _ in range(2)]
    with ThreadPoolExecutor(6) as pool:
        for each in [pool.submit(send_crossing, engines[number % 2], number) for number in range(12)]:
            each.result(60)
    assert [engines[0].replay(f"tally:@{name}").state.count for name in NAMES] == [24] * len(NAMES)


@pytest.mark.postgres
def test_locks_are_taken_in_one_order(postgres_url: str) -> None:
    """Batches and groups of the same entities, some new and some not, in any order, never stand in each other's way."""
    stores = [Store(postgres_url) for _ in range(2)]
    old = [an_entity() for _ in range(6)]
    append(stores[0], NETWORK, [an_append(each) for each in old])

    def append_many(number: int) -> None:
        new = [an_append(each, 1) for each in (old if number % 2 else old[::-1])]
        fresh = [an_append(an_entity()) for _ in range(3)]
        appends = [*fresh, *new] if number % 3 else [*new, *fresh]
        (append_all if number % 4 < 2 else append)(stores[number % 2], NETWORK, appends)

    before = deadlocks(postgres_url)
    with ThreadPoolExecutor(8) as pool:
        for each in [pool.submit(append_many, number) for number in range(64)]:
            each.result(60)
    assert deadlocks(postgres_url) == before
    for store in stores:
        store.close()


@pytest.mark.postgres
@pytest.mark.parametrize("number", [1, 2])
def test_a_deadlock_is_a_lost_race(postgres_url: str, number: int) -> None:
    """A transaction that Postgres undid for another's sake has written nothing, and is to be decided anew."""
    store = Store(postgres_url)
    appends = [an_append(an_entity()) for _ in range(number)]
    append(store, NETWORK, [an_append(an_entity())])
    before = row_counts(postgres_url)
    function = "$$ BEGIN RAISE EXCEPTION 'undone' USING ERRCODE = '40P01'; END $$"
    execute(postgres_url, text(f"CREATE FUNCTION undo() RETURNS trigger LANGUAGE plpgsql AS {function}"))
    execute(postgres_url, text("CREATE TRIGGER undo BEFORE INSERT ON pachyderm_events EXECUTE FUNCTION undo()"))
    assert append(store, NETWORK, appends) == [Outcome.CONFLICT] * number
    assert append_all(store, NETWORK, appends) == list(range(number))
    execute(postgres_url, text("DROP TRIGGER undo ON pachyderm_events"))
    assert row_counts(postgres_url) == before
    assert append(store, NETWORK, appends) == [Outcome.APPENDED] * number
    store.close()
