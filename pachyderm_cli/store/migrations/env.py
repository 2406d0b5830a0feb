"""Alembic's entry: runs migrations on the connection, and inside the transaction, that it is given."""

from alembic import context

from pachyderm_cli.store.schema import metadata
from pachyderm_cli.store.version import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=False,  # the caller's transaction holds it all, on SQLite too
)
context.run_migrations()
