"""On Postgres nobody waits for another entity's commit."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pachyderm_cli.store import append as append_module
from pachyderm_cli.store.records import Append, Outcome
from pachyderm_cli.store.statement import Transaction
from pachyderm_cli.store.store import Store
from tests.support.appends import an_append, an_entity, versions
from tests.support.engines import tally_engine
from tests.support.tally import Add

SECONDS = 60


@pytest.mark.postgres
def test_a_transaction_that_stays_open_stops_nobody_else(postgres_url: str) -> None:
    """While one writer has appended and not committed, sends to other entities, alone or in a group, go through."""
    held, entity = Store(postgres_url), an_entity()
    appended, go_on = threading.Event(), threading.Event()

    def append_and_wait(transaction: Transaction) -> list[Outcome]:
        appends: list[Append] = [an_append(entity)]
        outcomes = append_module._written(transaction, "default", appends, ())
        appended.set()
        assert go_on.wait(SECONDS)
        return outcomes

    with tally_engine(postgres_url, snapshots_every=2) as engine, ThreadPoolExecutor(9) as pool:
        engine.send("tally:@a", Add())
        holding = pool.submit(held.write, append_and_wait)
        try:
            assert appended.wait(SECONDS)
            sent = [pool.submit(engine.send, f"tally:@{name}", Add()) for name in "abcdefgh"]
            assert [each.result(SECONDS).version for each in sent] == [2, 1, 1, 1, 1, 1, 1, 1]
            requests = [engine.request(f"tally:@{name}", Add()) for name in "xyzxyz"]
            assert len(engine.send_all(requests)) == 6
            assert not holding.done()
            assert versions(held, "default", entity) == []
        finally:
            go_on.set()
        assert holding.result(SECONDS) == [Outcome.APPENDED]
        assert versions(held, "default", entity) == [1]
    held.close()
