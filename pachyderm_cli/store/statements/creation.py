"""What is said to the database to find out whether there is a store in it, and to stamp one."""

from __future__ import annotations

from sqlalchemy import bindparam, insert, select, text

from pachyderm_cli.store.schema import schema_version

IN_FILE = text("SELECT 1 FROM sqlite_master WHERE name = :name")
# Not to_regclass, whose cached "not there" outlives the wait for the lock in `begin_alone`.
ON_SERVER = text(
    "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = ANY (current_schemas(false)) AND tablename = :name"
)
VERSION = select(schema_version.c.version_num)
STAMP = insert(schema_version).values(version_num=bindparam("version_num"))
