"""What is said to the database to find out whether there is a store in it, and to stamp one."""

from __future__ import annotations

from sqlalchemy import bindparam, insert, select, text

from pachyderm_cli.store.schema import schema_version
from pachyderm_cli.store.version import VERSION_TABLE

IN_FILE = text(f"SELECT 1 FROM sqlite_master WHERE name = '{VERSION_TABLE}'")  # noqa: S608 - a name of our own
# Not to_regclass, whose cached "not there" outlives the wait for the lock in `begin_alone`.
ON_SERVER = text(
    "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = ANY (current_schemas(false)) "  # noqa: S608 - as above
    f"AND tablename = '{VERSION_TABLE}'"
)
VERSION = select(schema_version.c.version_num)
STAMP = insert(schema_version).values(version_num=bindparam("version_num"))
