"""The tables, once, for both databases.

Every index has the network in it. Ids and times are text that `sqlite3` and `psql` show as they are (on Postgres
ids are of type uuid); event data and state are JSON text, never jsonb, which would reorder and round.
The names carry a prefix because a project's own tables may live in the same database.
"""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    UUID,
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.event import listen, listens_for

from pachyderm_cli.store.version import VERSION_TABLE

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

_ID = String(36).with_variant(UUID(as_uuid=False), "postgresql")
_COUNTER = BigInteger().with_variant(Integer, "sqlite")  # SQLite's rowid alias must be spelt INTEGER

entities = Table(
    "pachyderm_entities",
    metadata,
    Column("network", Text, primary_key=True),
    Column("id", _ID, primary_key=True),
    Column("type", Text, nullable=False),  # the type that handled it last
    Column("version", _COUNTER, nullable=False),
    Column("position", _COUNTER, nullable=False),  # orders entities by last write; see events.append
    Column("created_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""The heads: one row an entity. The compare-and-swap on `version` decides every race.

Every send rewrites one, so there is no index but the key: one on what changes would cost more than all else here.
What lists entities by type or last write reads the network's heads.
"""
# Room to update a row in its own page. As an argument of the table it would load all of SQLAlchemy's Postgres.
_FILL = DDL("ALTER TABLE pachyderm_entities SET (fillfactor = 80)")  # type: ignore[no-untyped-call]  # SQLAlchemy's own
listen(entities, "after_create", _FILL.execute_if(dialect="postgresql"))

events = Table(
    "pachyderm_events",
    metadata,
    Column("position", _COUNTER, primary_key=True, autoincrement=True),
    Column("network", Text, nullable=False),
    Column("entity_id", _ID, nullable=False),
    Column("version", _COUNTER, nullable=False),
    Column("entity_type", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("message_id", _ID, nullable=False),
    Column("ordinal", Integer, nullable=False),  # 0, 1, … among the events of one message
    Column("message", Text, nullable=False),
    Column("message_fingerprint", Text, nullable=False),
    Column("caused_by", _ID, nullable=True),  # the id of the message that led to this one
    Column("recorded_at", Text, nullable=False),
    Column("type_version", Integer, nullable=False, server_default=text("1")),  # of the event's class
    Index("uq_pachyderm_events_version", "network", "entity_id", "version", unique=True),
    # Whatever entity it is used for, a message id collides at ordinal 0.
    Index("uq_pachyderm_events_message", "network", "message_id", "ordinal", unique=True),
    # Most events are caused by no message. To say so to Postgres as well would load all of SQLAlchemy's Postgres.
    Index("ix_pachyderm_events_caused_by", "network", "caused_by", sqlite_where=text("caused_by IS NOT NULL")),
)
"""The log. Rows are never updated, nor deleted but by an erasure, which leaves one row of the type ERASED.

SQLite gives a new row the highest position there is and one more. AUTOINCREMENT, which remembers those of deleted
rows too, would rewrite another page with every send; the row that an erasure leaves comes after all it deletes.
"""

snapshots = Table(
    "pachyderm_snapshots",
    metadata,
    Column("network", Text, primary_key=True),
    Column("entity_id", _ID, primary_key=True),
    Column("entity_type", Text, primary_key=True),
    Column("version", _COUNTER, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("taken_at", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""A cache of folds; dropping every row changes speed alone."""

outbox = Table(
    "pachyderm_outbox",
    metadata,
    # The id first: a key that begins with the network is what SQLite would search by, for whatever of a network.
    Column("id", _ID, primary_key=True),  # of the effect; what it sends is a message of this id
    Column("network", Text, primary_key=True),
    Column("entity_id", _ID, nullable=False),
    Column("entity_type", Text, nullable=False),
    Column("version", _COUNTER, nullable=False),  # the entity's, once the events beside it are appended
    Column("message_id", _ID, nullable=False),  # the message that led to it
    Column("ordinal", Integer, nullable=False),  # 0, 1, … among the effects of one message
    Column("type", Text, nullable=False),
    Column("data", Text, nullable=False),  # the effect's, or that of the message it sends
    Column("handler", Text, nullable=False),  # the entity type whose code is needed to carry it out
    Column("to_type", Text, nullable=True),  # these four: of what sends a message
    Column("to_id", _ID, nullable=True),
    Column("message", Text, nullable=True),
    Column("on_rejected", Text, nullable=True),
    Column("timer", Text, nullable=True),  # a timer's name; empty: a message with a time
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Text, nullable=False),
    Column("next_attempt_at", Text, nullable=True),  # the end of the lease while there is one
    Column("lease", _ID, nullable=True),
    Column("error", Text, nullable=True),
    Column("fingerprint", Text, nullable=True),  # of the code that it was parked with
    Column("created_at", Text, nullable=False),
    Column("ended_at", Text, nullable=True),
    Column("to_network", Text, nullable=True),  # the receiver's, where it is another
    # The message first, and below only what is open: to Postgres, as long as it has no statistics, every index that
    # begins with the network is as good a way to the row of an id as the key is.
    Index("uq_pachyderm_outbox_message", "message_id", "ordinal", "network", unique=True),
    Index("ix_pachyderm_outbox_next_attempt", "network", "next_attempt_at", sqlite_where=text("status = 'pending'")),
    Index("ix_pachyderm_outbox_parked", "network", "handler", sqlite_where=text("status = 'parked'")),
    Index("ix_pachyderm_outbox_entity", "network", "entity_id", sqlite_where=text("ended_at IS NULL")),
    sqlite_with_rowid=False,
)
"""What is to be carried out after a commit, and what became of it. Its times are by the database's clock."""


@listens_for(outbox, "before_create")
def _partial_on_postgres_too(_target: Table, connection: Connection, **_: object) -> None:
    # To say so above would load all of SQLAlchemy's Postgres for SQLite.
    if connection.dialect.name == "postgresql":
        for index in outbox.indexes:
            index.dialect_options["postgresql"]["where"] = index.dialect_options["sqlite"]["where"]


lookups = Table(
    "pachyderm_lookups",
    metadata,
    Column("network", Text, primary_key=True),
    Column("entity_type", Text, primary_key=True),
    Column("entity_id", _ID, primary_key=True),
    Column("version", _COUNTER, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("state", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""The newest state of each entity of the types that ask for it; written with its events."""

forks = Table(
    "pachyderm_forks",
    metadata,
    Column("network", Text, primary_key=True),
    Column("entity_id", _ID, primary_key=True),
    Column("from_type", Text, nullable=False),
    Column("from_id", _ID, nullable=False),
    Column("from_version", _COUNTER, nullable=False),
    Column("forked_at", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""Where entities came from whose first events were copied from another's."""

cursors = Table(
    "pachyderm_cursors",
    metadata,
    Column("network", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("position", _COUNTER, nullable=False),  # up to here the log was followed
    Column("lease", _ID, nullable=True),  # whose it is
    Column("lease_until", Text, nullable=True),
    Column("created_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""How far followers have come. Its times are by the database's clock."""

imports = Table(
    "pachyderm_imports",
    metadata,
    Column("network", Text, primary_key=True),
    Column("lines", _COUNTER, nullable=False),  # of the file that are in the store
    Column("checksum", Text, nullable=False),  # of those lines
    Column("position", _COUNTER, nullable=False),  # in the file, of the last event that is in the store
    Column("new_position", _COUNTER, nullable=False),  # which it has here
    Column("started_at", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""Imports in parts that are not at their end yet."""

schema_version = Table(
    VERSION_TABLE,
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name=f"{VERSION_TABLE}_pkc"),  # the name that Alembic gives it
)
"""Alembic's own table; read at every opening without loading Alembic."""
