"""Migrations: a store that they made is the same as one made from the tables."""

import re
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, make_url, text

from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.append import append
from pachyderm_cli.store.heads import heads
from pachyderm_cli.store.migrate import _SCRIPTS, migrate
from pachyderm_cli.store.schema import metadata, schema_version
from pachyderm_cli.store.store import Store
from pachyderm_cli.store.version import SCHEMA_VERSION, VERSION_TABLE
from tests.support.appends import an_append, an_entity
from tests.support.raw import connected, execute


def shape(connection: Connection) -> dict[str, Any]:
    """Return all that the database says of its tables."""
    found = inspect(connection)
    return {
        name: {
            "columns": [{**column, "type": str(column["type"])} for column in found.get_columns(name)],
            "primary key": found.get_pk_constraint(name),
            "indexes": sorted(_text(index) for index in found.get_indexes(name)),
            "unique": found.get_unique_constraints(name),
            "checks": found.get_check_constraints(name),
        }
        for name in found.get_table_names()
    }


def _text(index: Any) -> str:
    """Return an index as text; a partial one's condition is an object that equals itself alone."""
    options = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return str({**index, "dialect_options": options})


def sqlite_texts(connection: Connection) -> dict[str, str]:
    """Return the statements that SQLite keeps of its tables and indexes, without their white space."""
    rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
    return {name: re.sub(r"\s+", "", sql) for name, sql in rows}


def clear(store_url: str) -> None:
    """Drop every table."""
    for name in (*metadata.tables, VERSION_TABLE):
        execute(store_url, text(f"DROP TABLE {name}"))


def test_migrations_lead_to_the_tables(store_url: str) -> None:
    """Alembic finds nothing to change between a migrated store and the Core tables."""
    migrated = migrate(store_url)
    assert (migrated.before, migrated.after) == (None, SCHEMA_VERSION)
    with connected(store_url) as connection:
        options = {"version_table": VERSION_TABLE, "compare_type": True, "compare_server_default": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


def test_a_migrated_store_is_the_same_as_a_fresh_one(store_url: str) -> None:
    """Columns, keys, indexes and stamp are those of a store that was made at once; on SQLite to the letter."""
    migrate(store_url)
    is_sqlite = make_url(store_url).get_backend_name() == "sqlite"
    with connected(store_url) as connection:
        migrated = shape(connection)
        migrated_texts = sqlite_texts(connection) if is_sqlite else {}
        stamp = connection.execute(schema_version.select()).all()
    clear(store_url)
    store = Store(store_url)
    append(store, "n", [an_append(an_entity())])
    store.close()
    with connected(store_url) as connection:
        assert shape(connection) == migrated
        assert connection.execute(schema_version.select()).all() == stamp
        assert (sqlite_texts(connection) if is_sqlite else {}) == migrated_texts


def test_a_migrated_store_works(store_url: str) -> None:
    """It is opened without a question, written and read."""
    migrate(store_url)
    store = Store(store_url)
    entity = an_entity()
    append(store, "n", [an_append(entity)])
    assert [head.entity for head in heads(store, "n")] == [entity]
    store.close()


def test_migrating_again_changes_nothing(store_url: str) -> None:
    """A store that is up to date says so, and keeps its rows."""
    store = Store(store_url)
    append(store, "n", [an_append(an_entity())])
    assert migrate(store_url).before == SCHEMA_VERSION
    assert len(list(heads(store, "n"))) == 1
    store.close()


def test_a_newer_store_is_not_migrated(store_url: str) -> None:
    """A store that a newer version made is refused, and left as it is."""
    migrate(store_url)
    execute(store_url, schema_version.update().values(version_num="9999"))
    with pytest.raises(StoreError, match="made by a newer pachyderm"):
        migrate(store_url)
    with connected(store_url) as connection:
        assert connection.execute(schema_version.select()).all() == [("9999",)]


def test_the_stamp_is_the_newest_migration() -> None:
    """What a fresh store is stamped with is Alembic's one head."""
    assert ScriptDirectory(str(_SCRIPTS)).get_heads() == [SCHEMA_VERSION]
