"""Bringing an older store up to date with Alembic. Loaded by `pachyderm store migrate` alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, NullPool, create_engine

from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.connection import create_owner_only, open_database
from pachyderm_cli.store.creation import begin_alone, stamped_version
from pachyderm_cli.store.failures import storage_errors
from pachyderm_cli.store.statement import Transaction
from pachyderm_cli.store.url import parse_url
from pachyderm_cli.store.version import SCHEMA_VERSION

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
        if url.file is not None:
            create_owner_only(url.file)
        database = open_database(url)
        driver = "postgresql+psycopg://" if url.file is None else "sqlite://"
        engine = create_engine(driver, creator=database.connect, poolclass=NullPool)
        try:
            with engine.connect() as connection:
                connection.begin()  # so that Alembic takes the transaction for its caller's, and ends none
                transaction = Transaction(connection.connection.driver_connection, database)
                begin_alone(transaction)
                before = stamped_version(transaction)
                if before is not None and before > SCHEMA_VERSION:
                    raise StoreError(
                        f"the store {url} was made by a newer pachyderm (schema {before}, this one reads "
                        f"{SCHEMA_VERSION}); upgrade pachyderm-cli"
                    )
                upgrade(connection)
                transaction.run("COMMIT")
        finally:
            engine.dispose()
    return Migrated(str(url), before, SCHEMA_VERSION)


def upgrade(connection: Connection) -> None:
    """Run the migrations that the database lacks, inside the caller's transaction."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
