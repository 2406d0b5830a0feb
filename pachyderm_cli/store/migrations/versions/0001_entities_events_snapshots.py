"""Heads, the log, and snapshots."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.String(36).with_variant(postgresql.UUID(as_uuid=False), "postgresql")
_COUNTER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the three tables."""
    _entities()
    _events()
    _snapshots()


def _entities() -> None:
    op.create_table(
        "pachyderm_entities",
        sa.Column("network", sa.Text, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("version", _COUNTER, nullable=False),
        sa.Column("position", _COUNTER, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("updated_at", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("network", "id", name="pk_pachyderm_entities"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_pachyderm_entities_written", "pachyderm_entities", ["network", "position", "id"])
    op.create_index("ix_pachyderm_entities_type_written", "pachyderm_entities", ["network", "type", "position", "id"])


def _events() -> None:
    op.create_table(
        "pachyderm_events",
        sa.Column("position", _COUNTER, primary_key=True, autoincrement=True),
        sa.Column("network", sa.Text, nullable=False),
        sa.Column("entity_id", _ID, nullable=False),
        sa.Column("version", _COUNTER, nullable=False),
        sa.Column("entity_type", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("message_id", _ID, nullable=False),
        sa.Column("ordinal", sa.Integer, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("message_fingerprint", sa.Text, nullable=False),
        sa.Column("caused_by", _ID, nullable=True),
        sa.Column("recorded_at", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    keys = {"version": ["entity_id", "version"], "message": ["message_id", "ordinal"]}
    for name, columns in keys.items():
        op.create_index(f"uq_pachyderm_events_{name}", "pachyderm_events", ["network", *columns], unique=True)


def _snapshots() -> None:
    op.create_table(
        "pachyderm_snapshots",
        sa.Column("network", sa.Text, nullable=False),
        sa.Column("entity_id", _ID, nullable=False),
        sa.Column("entity_type", sa.Text, nullable=False),
        sa.Column("version", _COUNTER, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("taken_at", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("network", "entity_id", "entity_type", "version", name="pk_pachyderm_snapshots"),
        sqlite_with_rowid=False,
    )
