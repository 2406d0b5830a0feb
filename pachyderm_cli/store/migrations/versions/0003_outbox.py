"""The outbox, and an index on what caused a message."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ID = sa.String(36).with_variant(postgresql.UUID(as_uuid=False), "postgresql")
_COUNTER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the table and the indexes; nothing that is there changes."""
    op.create_index(
        "ix_pachyderm_events_caused_by",
        "pachyderm_events",
        ["network", "caused_by"],
        sqlite_where=sa.text("caused_by IS NOT NULL"),
    )
    op.create_table(
        "pachyderm_outbox",
        sa.Column("id", _ID, nullable=False),
        sa.Column("network", sa.Text, nullable=False),
        sa.Column("entity_id", _ID, nullable=False),
        sa.Column("entity_type", sa.Text, nullable=False),
        sa.Column("version", _COUNTER, nullable=False),
        sa.Column("message_id", _ID, nullable=False),
        sa.Column("ordinal", sa.Integer, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("handler", sa.Text, nullable=False),
        sa.Column("to_type", sa.Text, nullable=True),
        sa.Column("to_id", _ID, nullable=True),
        sa.Column("message", sa.Text, nullable=True),
        sa.Column("on_rejected", sa.Text, nullable=True),
        sa.Column("timer", sa.Text, nullable=True),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", sa.Text, nullable=False),
        sa.Column("next_attempt_at", sa.Text, nullable=True),
        sa.Column("lease", _ID, nullable=True),
        sa.Column("error", sa.Text, nullable=True),
        sa.Column("fingerprint", sa.Text, nullable=True),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("ended_at", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("id", "network", name="pk_pachyderm_outbox"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "uq_pachyderm_outbox_message", "pachyderm_outbox", ["network", "message_id", "ordinal"], unique=True
    )
    op.create_index("ix_pachyderm_outbox_next_attempt", "pachyderm_outbox", ["network", "status", "next_attempt_at"])
    op.create_index("ix_pachyderm_outbox_entity", "pachyderm_outbox", ["network", "entity_id", "status"])
