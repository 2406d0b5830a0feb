"""The version of its class that an event was written in; where copied histories came from; lookups."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


_ID = sa.String(36).with_variant(postgresql.UUID(as_uuid=False), "postgresql")
_COUNTER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add the column, what is there being of version 1, and the tables."""
    op.create_table(
        "pachyderm_lookups",
        sa.Column("network", sa.Text, nullable=False),
        sa.Column("entity_type", sa.Text, nullable=False),
        sa.Column("entity_id", _ID, nullable=False),
        sa.Column("version", _COUNTER, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("network", "entity_type", "entity_id", name="pk_pachyderm_lookups"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "pachyderm_forks",
        sa.Column("network", sa.Text, nullable=False),
        sa.Column("entity_id", _ID, nullable=False),
        sa.Column("from_type", sa.Text, nullable=False),
        sa.Column("from_id", _ID, nullable=False),
        sa.Column("from_version", _COUNTER, nullable=False),
        sa.Column("forked_at", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("network", "entity_id", name="pk_pachyderm_forks"),
        sqlite_with_rowid=False,
    )
    op.add_column(
        "pachyderm_events", sa.Column("type_version", sa.Integer, nullable=False, server_default=sa.text("1"))
    )
