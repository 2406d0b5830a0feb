"""What every send rewrote and nothing needed: the heads' indexes on their last write, and SQLite's AUTOINCREMENT."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.String(36).with_variant(postgresql.UUID(as_uuid=False), "postgresql")
_COUNTER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_KEYS = {"version": ["entity_id", "version"], "message": ["message_id", "ordinal"]}


def upgrade() -> None:
    """Drop the indexes; copy SQLite's log into a table that remembers no positions of deleted rows."""
    for order in ("written", "type_written"):
        op.drop_index(f"ix_pachyderm_entities_{order}", "pachyderm_entities")
    if op.get_bind().dialect.name == "sqlite":
        _copy_events()
    else:
        op.execute("ALTER TABLE pachyderm_entities SET (fillfactor = 80)")


def _copy_events() -> None:
    for name in _KEYS:
        op.drop_index(f"uq_pachyderm_events_{name}", "pachyderm_events")
    op.rename_table("pachyderm_events", "pachyderm_events_0001")
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
    )
    op.execute("INSERT INTO pachyderm_events SELECT * FROM pachyderm_events_0001")
    op.drop_table("pachyderm_events_0001")
    for name, columns in _KEYS.items():
        op.create_index(f"uq_pachyderm_events_{name}", "pachyderm_events", ["network", *columns], unique=True)
