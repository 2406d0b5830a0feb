"""What is said to the database of its whole log."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, func, select, text

from pachyderm_cli.store.schema import events
from pachyderm_cli.store.statements.events import RECORDED_COLUMNS
from pachyderm_cli.store.statements.expressions import byte_length

POSITIONS = (
    select(events.c.position, byte_length(events.c.data))
    .where(events.c.position > bindparam("after"))
    .order_by(events.c.position)
    .limit(bindparam("page"))
)
"""The next positions, each with how many bytes of data its event has."""
LAST = select(func.coalesce(func.max(events.c.position), 0))
LAST_WITHIN = select(func.coalesce(func.max(events.c.position), 0)).where(events.c.position <= bindparam("up_to"))
LAST_DRAWN = text("SELECT last_value FROM pachyderm_events_position_seq")
# A crash that the server itself survived makes it begin its statistics anew.
SERVER = text(
    "SELECT pg_is_in_recovery(), concat(pg_postmaster_start_time(), ' ', "
    "(SELECT stats_reset FROM pg_catalog.pg_stat_bgwriter))"
)
WRITERS = text(
    "SELECT virtualtransaction FROM pg_catalog.pg_locks WHERE locktype = 'relation' AND granted "
    "AND mode = 'RowExclusiveLock' AND relation = 'pachyderm_events'::regclass "
    "AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())"
)


# Set apart, with a limit: otherwise SQLite would search by an index for all of the network, or all of the entity.
_page = (
    select(events)
    .where(events.c.position > bindparam("after"), events.c.position <= bindparam("up_to"))
    .order_by(events.c.position)
    .limit(bindparam("page"))
    .subquery("page")
)


def _part(*, of_type: bool, of_entity: bool) -> Any:
    columns = [_page.c[each.name] for each in (events.c.entity_id, *RECORDED_COLUMNS)]
    found = select(*columns).where(_page.c.network == bindparam("network"))
    if of_type:
        found = found.where(_page.c.entity_type == bindparam("entity_type"))
    if of_entity:
        found = found.where(_page.c.entity_id == bindparam("entity_id"))
    return found.order_by(_page.c.position)


PARTS = {
    "all": _part(of_type=False, of_entity=False),
    "of_type": _part(of_type=True, of_entity=False),
    "of_entity": _part(of_type=False, of_entity=True),
    "of_both": _part(of_type=True, of_entity=True),
}
