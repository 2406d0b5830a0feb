"""Indexes by which Postgres finds an outbox row by its key even without statistics, and that hold what is open."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_OUTBOX = "pachyderm_outbox"
_PARTIAL = (
    ("ix_pachyderm_outbox_next_attempt", ["network", "next_attempt_at"], "status = 'pending'"),
    ("ix_pachyderm_outbox_parked", ["network", "handler"], "status = 'parked'"),
    ("ix_pachyderm_outbox_entity", ["network", "entity_id"], "ended_at IS NULL"),
)


def upgrade() -> None:
    """Make the indexes anew; no row changes."""
    for name in ("uq_pachyderm_outbox_message", "ix_pachyderm_outbox_next_attempt", "ix_pachyderm_outbox_entity"):
        op.drop_index(name, _OUTBOX)
    op.create_index("uq_pachyderm_outbox_message", _OUTBOX, ["message_id", "ordinal", "network"], unique=True)
    for name, columns, condition in _PARTIAL:
        only = sa.text(condition)
        op.create_index(name, _OUTBOX, columns, sqlite_where=only, postgresql_where=only)
