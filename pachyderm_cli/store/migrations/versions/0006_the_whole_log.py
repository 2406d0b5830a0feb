"""Cursors of followers, imports in parts, messages into other networks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ID = sa.String(36).with_variant(postgresql.UUID(as_uuid=False), "postgresql")
_COUNTER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add the tables and the column; no row changes."""
    op.create_table(
        "pachyderm_cursors",
        sa.Column("network", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("position", _COUNTER, nullable=False),
        sa.Column("lease", _ID, nullable=True),
        sa.Column("lease_until", sa.Text, nullable=True),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("updated_at", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("network", "name", name="pk_pachyderm_cursors"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "pachyderm_imports",
        sa.Column("network", sa.Text, nullable=False),
        sa.Column("lines", _COUNTER, nullable=False),
        sa.Column("checksum", sa.Text, nullable=False),
        sa.Column("position", _COUNTER, nullable=False),
        sa.Column("new_position", _COUNTER, nullable=False),
        sa.Column("started_at", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("network", name="pk_pachyderm_imports"),
        sqlite_with_rowid=False,
    )
    op.add_column("pachyderm_outbox", sa.Column("to_network", sa.Text, nullable=True))
