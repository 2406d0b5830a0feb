"""A store from before there was an outbox, migrated: its entities send and wait, and what caused what is found."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import MetaData, insert, inspect

from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.migrate import migrate
from pachyderm_cli.store.schema import entities, events, outbox
from pachyderm_cli.store.version import SCHEMA_VERSION
from tests.store.test_migration_of_older import upgrade_to
from tests.support.courier import Do, Order, Pass, Post, Remind
from tests.support.office import Office, log
from tests.support.raw import connected, row_counts

TIME = "2026-11-23T10:00:00.000000Z"
COURIER = UUID("7bf10ce0-a90e-54fc-b351-6a16a3c5f00c")
ROOT, CHILD = UUID(int=1), UUID(int=2)


def fill(store_url: str) -> None:
    """Write a courier with two notes, the second caused by the first, as 0002 has them."""
    of_both = {"network": "default", "entity_id": str(COURIER), "entity_type": "courier", "recorded_at": TIME}
    rows = [
        {
            **of_both,
            "version": at + 1,
            "type": "Noted",
            "data": f'{{"note":"old {at}"}}',
            "message_id": str(message_id),
            "ordinal": 0,
            "message": "Do",
            "message_fingerprint": "f",
            "caused_by": cause,
        }
        for at, (message_id, cause) in enumerate([(ROOT, None), (CHILD, str(ROOT))])
    ]
    head = {"network": "default", "id": str(COURIER), "type": "courier", "version": 2, "position": 2}
    tables = MetaData()
    with connected(store_url) as connection:
        tables.reflect(connection)
        connection.execute(
            insert(tables.tables[entities.name]).values({**head, "created_at": TIME, "updated_at": TIME})
        )
        connection.execute(insert(tables.tables[events.name]), rows)


@pytest.fixture
def office(store_url: str) -> Iterator[Office]:
    """Return a store of schema 0002 with a courier, on each database."""
    upgrade_to(store_url, "0002")
    fill(store_url)
    with Office(store_url) as opened:
        yield opened


ORDERS: tuple[Order, ...] = (
    Post(text="t"),
    Pass(to="courier:@other", errand=Do(note="hello")),
    Remind(name="t", errand=Do(note="rung"), after=60),
)


def test_until_it_is_migrated_neither_senders_nor_workers_touch_it(office: Office) -> None:
    """Each says what to run, and changes nothing."""
    engine = office.open()
    for use in (lambda: engine.send(f"courier:{COURIER}", Do(note="n")), lambda: list(engine.work(once=True))):
        with pytest.raises(StoreError, match=r"schema 0002.*run: pachyderm store migrate"):
            use()
    with connected(office.store_url) as connection:
        assert not inspect(connection).has_table(outbox.name)
    assert row_counts(office.store_url)["events"] == 2


def test_its_entities_emit_effects_messages_and_timers(office: Office) -> None:
    """As those of a fresh store do, after the events that they have."""
    migrated = migrate(office.store_url)
    assert (migrated.before, migrated.after) == ("0002", SCHEMA_VERSION)
    engine = office.open()
    sent = engine.send(f"courier:{COURIER}", Do(note="new", orders=ORDERS, given="old 1"))
    assert [str(each.status) for each in sent.effects] == ["done", "done", "pending"]
    office.pass_time(61)
    assert [each.result.type for each in engine.work(once=True)] == ["Timer"]
    assert log(engine, f"courier:{COURIER}") == ["old 0", "old 1", "new", "rung"]
    assert (log(engine, "courier:@other"), office.world.heard) == (["hello"], ["t"])


def test_what_caused_what_is_known_of_old_messages_too(office: Office) -> None:
    """It was recorded, and has an index now."""
    migrate(office.store_url)
    engine = office.open()
    found = [(each.depth, each.message_id, each.caused_by) for each in engine.causes(f"courier:{COURIER}")]
    assert found == [(0, ROOT, None), (1, CHILD, ROOT)]
    with connected(office.store_url) as connection:
        assert "ix_pachyderm_events_caused_by" in {
            each["name"] for each in inspect(connection).get_indexes(events.name)
        }
