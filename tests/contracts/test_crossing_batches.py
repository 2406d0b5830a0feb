"""Batches and sends that want the same entities in other orders: on Postgres none of them stops another for long."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from sqlalchemy import text

from pachyderm_cli import Pachyderm
from pachyderm_cli.errors import StoreError
from pachyderm_cli.store import append as append_module
from pachyderm_cli.store import failures
from pachyderm_cli.store.append import append, append_all
from pachyderm_cli.store.records import Outcome
from pachyderm_cli.store.store import Store
from tests.contracts.conftest import OpenEngine
from tests.support.appends import an_append, an_entity
from tests.support.batches import all_sent
from tests.support.raw import execute, row_counts
from tests.support.tally import Add

NETWORK = "n"
NAMES = "abcdefgh"


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
def test_crossing_batches_and_sends_all_get_through(
    open_engine: OpenEngine, monkeypatch: pytest.MonkeyPatch, snapshots_every: int
) -> None:
    """Whatever the order, every message is in exactly once, and the database undoes none for the sake of another."""
    undone: list[StoreError] = []

    def is_lost_race(error: StoreError) -> bool:
        undone.append(error)
        return failures.is_lost_race(error)

    monkeypatch.setattr(append_module, "is_lost_race", is_lost_race)
    engines = [open_engine(snapshots_every=snapshots_every) for _ in range(2)]
    with ThreadPoolExecutor(6) as pool:
        for each in [pool.submit(send_crossing, engines[number % 2], number) for number in range(12)]:
            each.result(60)
    assert [engines[0].replay(f"tally:@{name}").state.count for name in NAMES] == [24] * len(NAMES)
    assert undone == []


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
