"""What statements on the outbox are made of."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Text, bindparam, literal_column, null

from pachyderm_cli.store.distance import NOW
from pachyderm_cli.store.records import EffectStatus
from pachyderm_cli.store.schema import outbox
from pachyderm_cli.store.statements.expressions import database_time

# Constants of the statements, not parameters: Postgres plans better with them.
PENDING, PARKED, DONE, DISCARDED = (
    literal_column(f"'{each.value}'", Text)
    for each in (EffectStatus.PENDING, EffectStatus.PARKED, EffectStatus.DONE, EffectStatus.DISCARDED)
)
NOTHING: Any = null()

ID = outbox.c.id.type
TIME = database_time(literal_column(f"'{NOW}'", Text))
"""What the database's clock says."""

IN_NETWORK = outbox.c.network == bindparam("network")
IS_NOT_ENDED = outbox.c.ended_at.is_(None)
"""Pending or parked, as the index on entities has it."""
