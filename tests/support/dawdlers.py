"""Writers of every kind, at once: some hold their transactions open for a while, and not all of those commit."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from uuid import uuid4

from sqlalchemy import Connection, NullPool, create_engine, insert

from pachyderm_cli.store.schema import entities, events
from tests.support.engines import tally_engine
from tests.support.tally import Add, AddAll

TIME = "2026-11-24T00:00:00.000000Z"


def _write_slowly(connection: Connection, dice: random.Random) -> None:
    """Write a new entity's two events in one transaction, past pachyderm, with pauses; roll it back now and then."""
    key = {"network": "default", "id": str(uuid4())}
    times = {"created_at": TIME, "updated_at": TIME}
    connection.execute(insert(entities).values({**key, "type": "tally", "version": 2, "position": 0, **times}))
    message_id = str(uuid4())
    for version in (1, 2):
        connection.execute(
            insert(events).values(
                network="default",
                entity_id=key["id"],
                version=version,
                entity_type="tally",
                type="Added",
                data='{"amount":1}',
                message_id=message_id,
                ordinal=version - 1,
                message="AddAll",
                message_fingerprint="",
                recorded_at=TIME,
            )
        )
        time.sleep(dice.choice([0, 0, 0.02, 0.2]))
    if dice.random() < 0.3:
        connection.rollback()
    else:
        connection.commit()


def _dawdle(store_url: str, seed: int, stop: threading.Event) -> None:
    dice = random.Random(seed)  # noqa: S311 - no secret
    engine = create_engine(store_url, poolclass=NullPool)
    with engine.connect() as connection:
        while not stop.wait(dice.uniform(0, 0.05)):
            _write_slowly(connection, dice)


def _send(store_url: str, seed: int, stop: threading.Event) -> None:
    dice = random.Random(seed)  # noqa: S311 - no secret
    with closing(tally_engine(store_url)) as engine:
        while not stop.wait(dice.uniform(0, 0.02)):
            engine.send(f"tally:@{dice.randrange(5)}", dice.choice([Add(), AddAll(amounts=(1, 2, 3))]))


@contextmanager
def writing(store_url: str, seed: int) -> Iterator[None]:
    """Have three senders and, on Postgres, three that dawdle write as long as the block runs."""
    stop = threading.Event()
    kinds = [_send] * 3 + ([] if store_url.startswith("sqlite") else [_dawdle] * 3)
    threads = [threading.Thread(target=kind, args=(store_url, seed + at, stop)) for at, kind in enumerate(kinds)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
