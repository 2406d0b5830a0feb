"""The version of its class that an event was written in."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what is there was written in version 1."""
    op.add_column(
        "pachyderm_events", sa.Column("type_version", sa.Integer, nullable=False, server_default=sa.text("1"))
    )
