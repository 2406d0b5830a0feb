"""Migrating a store of an older schema: every row is kept, and what is sent next goes on from there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, MetaData, Table, func, insert, make_url, select, text

from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.append import append
from pachyderm_cli.store.connection import create_owner_only
from pachyderm_cli.store.events import find_message, read_events
from pachyderm_cli.store.heads import heads
from pachyderm_cli.store.migrate import _SCRIPTS, migrate
from pachyderm_cli.store.records import Outcome
from pachyderm_cli.store.schema import metadata, schema_version
from pachyderm_cli.store.snapshots import snapshots_of
from pachyderm_cli.store.store import Store
from pachyderm_cli.store.version import SCHEMA_VERSION, VERSION_TABLE
from tests.store.test_migrations import shape, sqlite_texts
from tests.support.appends import an_append, an_entity
from tests.support.raw import connected, execute

NETWORK = "n"
TIME = "2026-11-23T10:00:00.000000Z"
A, B = an_entity("a"), an_entity("b")
MESSAGE_ID = uuid4()
POSITIONS = (3, 4, 900)
"""Places in the log, with gaps as erased rows and failed writes leave them."""

ADDED = {"type_version", "to_network"}
"""Columns of later schemas."""


def upgrade_to(store_url: str, revision: str) -> None:
    """Apply the migrations up to `revision`, as the version did whose newest it was."""
    url = make_url(store_url)
    if url.get_backend_name() == "sqlite":
        create_owner_only(Path(str(url.database)))
    with connected(store_url) as connection:
        config = Config()
        config.set_main_option("script_location", str(_SCRIPTS))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def an_event(position: int, entity_id: UUID, version: int, message_id: UUID) -> dict[str, Any]:
    """Return a row of the log as older schemas have it."""
    return {
        "position": position,
        "network": NETWORK,
        "entity_id": str(entity_id),
        "version": version,
        "entity_type": "tally",
        "type": "Added",
        "data": f'{{"amount": {version}.50, "text": "\U0001f418"}}',
        "message_id": str(message_id),
        "ordinal": 0,
        "message": "Add",
        "message_fingerprint": "f",
        "caused_by": str(uuid4()) if version > 1 else None,
        "recorded_at": TIME,
    }


def a_message_on_its_way() -> dict[str, Any]:
    """Return a row of the outbox, as 0003 has it."""
    return {
        "network": NETWORK,
        "id": str(uuid4()),
        "message_id": str(MESSAGE_ID),
        "ordinal": 0,
        "entity_type": "tally",
        "entity_id": str(A.id),
        "version": 2,
        "type": "Send",
        "data": "{}",
        "handler": "tally",
        "to_type": "tally",
        "to_id": str(B.id),
        "message": "Add",
        "status": "pending",
        "attempts": 1,
        "due_at": TIME,
        "next_attempt_at": TIME,
        "created_at": TIME,
    }


def fill(connection: Connection) -> None:
    """Write two entities, three events, a snapshot and, where there is an outbox, a message between the two."""
    tables = MetaData()
    tables.reflect(connection)
    written_at = {"created_at": TIME, "updated_at": TIME}
    rows: dict[str, list[dict[str, Any]]] = {
        "entities": [
            {"network": NETWORK, "id": str(A.id), "type": "tally", "version": 2, "position": 900, **written_at},
            {"network": NETWORK, "id": str(B.id), "type": "tally", "version": 1, "position": 4, **written_at},
        ],
        "events": [
            an_event(POSITIONS[0], A.id, 1, uuid4()),
            an_event(POSITIONS[1], B.id, 1, uuid4()),
            an_event(POSITIONS[2], A.id, 2, MESSAGE_ID),
        ],
        "snapshots": [
            {
                "network": NETWORK,
                "entity_id": str(A.id),
                "entity_type": "tally",
                "version": 2,
                "fingerprint": "f",
                "state": '{"count": 4.0}',
                "taken_at": TIME,
            }
        ],
    }
    if "pachyderm_outbox" in tables.tables:
        rows["outbox"] = [a_message_on_its_way()]
    for name, given in rows.items():
        table: Table = tables.tables[f"pachyderm_{name}"]
        for row in given:
            connection.execute(insert(table).values(row))
    if connection.dialect.name == "postgresql":  # as if the positions had been drawn from it
        connection.execute(text("SELECT setval('pachyderm_events_position_seq', 900)"))


def everything(store_url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of the tables, column by column as the database has them, but for what came later."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    with connected(store_url) as connection:
        tables = MetaData()
        tables.reflect(connection)
        for name in ("entities", "events", "snapshots", "outbox"):
            found[name] = []
            if (table := tables.tables.get(f"pachyderm_{name}")) is None:
                continue
            columns = [table.c[name] for name in sorted(table.c.keys()) if name not in ADDED]
            found[name] = sorted((tuple(map(str, row)) for row in connection.execute(select(*columns))), key=str)
    return found


@pytest.fixture(params=["0001", "0002", "0003", "0004", "0005"])
def revision(request: pytest.FixtureRequest) -> str:
    """Return an older schema."""
    found: str = request.param
    return found


@pytest.fixture
def old_url(store_url: str, revision: str) -> str:
    """Return the URL of a store of that schema that holds something, on each database."""
    upgrade_to(store_url, revision)
    with connected(store_url) as connection:
        fill(connection)
    return store_url


@pytest.mark.parametrize(
    "use",
    [
        lambda store: list(heads(store, NETWORK)),
        lambda store: append(store, NETWORK, [an_append(an_entity())]),
        lambda store: find_message(store, NETWORK, MESSAGE_ID),
    ],
)
def test_it_is_refused_until_it_is_migrated(old_url: str, revision: str, use: Callable[[Store], Any]) -> None:
    """Reading and writing say what to run, and change nothing; once that was run, both work."""
    before = everything(old_url)
    store = Store(old_url)
    for _ in range(2):
        with pytest.raises(StoreError, match=rf"schema {revision}.*run: pachyderm store migrate"):
            use(store)
    assert everything(old_url) == before
    migrate(old_url)
    assert use(store)
    store.close()


def test_every_row_is_kept(old_url: str, revision: str) -> None:
    """Heads, events with their positions, and snapshots are what they were, to the character."""
    before = everything(old_url)
    migrated = migrate(old_url)
    assert (migrated.before, migrated.after) == (revision, SCHEMA_VERSION)
    assert everything(old_url) == before
    store = Store(old_url)
    of_a = list(read_events(store, NETWORK, A.id))
    assert [each.type_version for each in of_a] == [1, 1]
    assert [(each.position, each.version) for each in of_a] == [(POSITIONS[0], 1), (POSITIONS[2], 2)]
    assert [head.entity for head in heads(store, NETWORK)] == [A, B]
    assert [each.state for each in snapshots_of(store, NETWORK, A.id)] == ['{"count": 4.0}']
    store.close()


def test_sending_goes_on(old_url: str) -> None:
    """The next event has the next version and a higher position; old message ids are still taken."""
    migrate(old_url)
    store = Store(old_url)
    assert append(store, NETWORK, [an_append(B)]) == [Outcome.CONFLICT]
    assert append(store, NETWORK, [an_append(B, 1, message_id=MESSAGE_ID)]) == [Outcome.MESSAGE_ID_USED]
    assert append(store, NETWORK, [an_append(B, 1)]) == [Outcome.APPENDED]
    new = list(read_events(store, NETWORK, B.id))[-1]
    assert new.version == 2
    assert new.position > POSITIONS[-1]
    assert [head.entity for head in heads(store, NETWORK)] == [B, A]
    store.close()


def test_migrating_again_does_nothing(old_url: str) -> None:
    """The second time there is nothing to apply, and every row stays."""
    before = everything(old_url)
    migrate(old_url)
    assert migrate(old_url).before == SCHEMA_VERSION
    assert everything(old_url) == before


def described(store_url: str) -> tuple[Any, ...]:
    """Return what the database says of its tables; on SQLite to the letter, but for its own."""
    with connected(store_url) as connection:
        stamp = connection.execute(schema_version.select()).all()
        texts = sqlite_texts(connection) if connection.dialect.name == "sqlite" else {}
        return shape(connection), stamp, {name: sql for name, sql in texts.items() if not name.startswith("sqlite_")}


def test_its_schema_is_that_of_a_fresh_store(old_url: str, tmp_path: Path) -> None:
    """Columns, keys, indexes and stamp are the same, and nothing of the old tables stays beside them."""
    migrate(old_url)
    migrated = described(old_url)
    fresh_url = f"sqlite:///{tmp_path / 'fresh.db'}"
    if not old_url.startswith("sqlite"):
        fresh_url = old_url
        execute(
            old_url,
            text(f"DROP TABLE {', '.join([*metadata.tables, VERSION_TABLE])}"),
        )
    store = Store(fresh_url)
    append(store, NETWORK, [an_append(an_entity())])
    store.close()
    assert described(fresh_url) == migrated


@pytest.mark.postgres
@pytest.mark.parametrize("is_migrated", [False, True])
def test_heads_have_room_to_be_updated_in_place(postgres_url: str, *, is_migrated: bool) -> None:
    """Postgres leaves a fifth of each page of heads free, in a fresh store and in a migrated one."""
    if is_migrated:
        upgrade_to(postgres_url, "0001")
        migrate(postgres_url)
    else:
        store = Store(postgres_url)
        append(store, NETWORK, [an_append(an_entity())])
        store.close()
    options = text("SELECT reloptions FROM pg_class WHERE relname = 'pachyderm_entities'")
    with connected(postgres_url) as connection:
        assert connection.execute(options).scalar_one() == ["fillfactor=80"]


def test_a_migration_that_fails_changes_nothing(old_url: str) -> None:
    """All of it is one transaction: a store on which it cannot be finished stays as it was, stamp and all."""
    execute(old_url, text("CREATE TABLE pachyderm_imports (in_the_way INTEGER)"))
    before, described_before = everything(old_url), described(old_url)
    with pytest.raises(StoreError):
        migrate(old_url)
    assert (everything(old_url), described(old_url)) == (before, described_before)
    with connected(old_url) as connection:
        assert connection.execute(select(func.count()).select_from(schema_version)).scalar_one() == 1
