"""Bringing an older store up to date with Alembic. Loaded by `pachyderm store migrate` alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.connection import create_owner_only, make_engine, parse_url
from pachyderm_cli.store.creation import begin_alone, stamped_version
from pachyderm_cli.store.failures import shown, storage_errors
from pachyderm_cli.store.schema import SCHEMA_VERSION

_SCRIPTS = Path(__file__).resolve().parent / "migrations"


@dataclass(frozen=True, slots=True)
class Migrated:
    """What a migration did: the store, and its schema's version before (None: no store) and after."""

    store: str
    before: str | None
    after: str


def migrate(store_url: str) -> Migrated:
    """Apply what migrations the store lacks, in one transaction, and return what changed. Raises StoreError."""
    url = parse_url(store_url)
    with storage_errors(url):
        if url.get_backend_name() == "sqlite":
            create_owner_only(Path(str(url.database)))
        engine = make_engine(url)
        try:
            with engine.connect() as connection:
                begin_alone(connection)
                before = stamped_version(connection)
                if before is not None and before > SCHEMA_VERSION:
                    raise StoreError(
                        f"the store {shown(url)} was made by a newer pachyderm (schema {before}, this one reads "
                        f"{SCHEMA_VERSION}); upgrade pachyderm-cli"
                    )
                upgrade(connection)
                connection.exec_driver_sql("COMMIT")
        finally:
            engine.dispose()
    return Migrated(shown(url), before, SCHEMA_VERSION)


def upgrade(connection: Connection) -> None:
    """Run the migrations that the database lacks, inside the caller's transaction."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
