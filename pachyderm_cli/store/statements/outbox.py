"""What is said to the database of the effects in the outbox: claiming, ending and finding them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Integer, Text, bindparam, case, func, literal_column, or_, select, update

from pachyderm_cli.store.records import EFFECT_COLUMNS, Due, EffectStatus
from pachyderm_cli.store.schema import outbox
from pachyderm_cli.store.statements.expressions import database_time, is_listed, without_waiting
from pachyderm_cli.store.statements.outbox_terms import (
    DISCARDED,
    DONE,
    ID,
    IN_NETWORK,
    IS_NOT_ENDED,
    NOTHING,
    PARKED,
    PENDING,
    TIME,
)

_is_the_one = outbox.c.id == bindparam("id")
_is_open = outbox.c.status.in_([PENDING, PARKED])
_is_due = outbox.c.next_attempt_at <= TIME
_lease_end = database_time(bindparam("lease_for", type_=Text))

COLUMNS = tuple(outbox.c[name] for name in EFFECT_COLUMNS)

# Processes have ended over it, two at least: a lease is given back otherwise, and an attempt was counted for each.
_is_suspect = outbox.c.lease.is_not(None) & (outbox.c.attempts > literal_column("1"))


def _due(condition: Any) -> Any:
    """Return the query for what could be claimed on that condition, the longest due first."""
    return (
        select(outbox.c.id)
        .where(
            IN_NETWORK,
            outbox.c.status == PENDING,
            _is_due,
            is_listed(outbox.c.handler, bindparam("handlers", type_=Text)),
            condition,
        )
        .order_by(outbox.c.next_attempt_at, outbox.c.version, outbox.c.ordinal)
        .limit(bindparam("most"))
    )


def _claim(condition: Any) -> Any:
    # Set apart, so that Postgres runs it once: as a plain subquery it may be run again, and lock more than it returns.
    picked = _due(condition).with_for_update(skip_locked=True).cte("picked")
    return (
        update(outbox)
        .where(IN_NETWORK, outbox.c.id.in_(select(picked.c.id)))
        .values(lease=bindparam("lease", type_=ID), next_attempt_at=_lease_end)
        .returning(*COLUMNS)
    )


HAS_CANDIDATES = _due(~_is_suspect)
"""Finds what could be claimed."""

CLAIM = _claim(~_is_suspect)
"""Leases what is due, the longest due first; nobody waits for what another is claiming."""

HAS_SUSPECTS = _due(_is_suspect)
"""Finds what processes have ended over, as far as it could be claimed."""

CLAIM_SUSPECTS = _claim(_is_suspect)
"""Leases what processes have ended over."""

# What is leased is pending. To say so as well would let Postgres look for one row among all that are pending.
_is_held = outbox.c.lease == bindparam("held_by", type_=ID)

BEGIN_ATTEMPT = (
    update(outbox)
    .where(IN_NETWORK, _is_the_one, _is_held, without_waiting())
    .values(attempts=outbox.c.attempts + literal_column("1"), next_attempt_at=_lease_end)
)
"""Counts an attempt, before it is made, if the lease still holds."""

_is_given_back = bindparam("status", type_=Text) == PENDING  # and nothing new is known: the last error still holds
_done = {
    "status": DONE,
    **dict.fromkeys(("lease", "next_attempt_at", "error", "fingerprint"), NOTHING),
    "ended_at": TIME,
}
_settle = update(outbox).where(IN_NETWORK, _is_the_one, _is_held).values(_done)
SETTLE = _settle
"""Marks an effect done if its lease still holds."""

SETTLED = (
    update(outbox)
    .where(
        outbox.c.network == bindparam("done_network", type_=Text),
        outbox.c.id == bindparam("done_id", type_=ID),
        outbox.c.lease == bindparam("done_held_by", type_=ID),
    )
    .values(_done)
)
"""The same, as a part of another statement."""

FINISH = _settle.where(without_waiting())
"""The same, not waiting for the disk."""

LET_GO = (
    update(outbox)
    .where(IN_NETWORK, _is_the_one, _is_held)
    .values(
        status=bindparam("status", type_=Text),
        lease=NOTHING,
        attempts=outbox.c.attempts - bindparam("uncounted", type_=Integer),
        next_attempt_at=database_time(bindparam("again_in", type_=Text)),
        error=func.coalesce(bindparam("error", type_=Text), case((_is_given_back, outbox.c.error))),
        fingerprint=bindparam("fingerprint", type_=Text),
        ended_at=database_time(bindparam("ended", type_=Text)),
    )
)
"""Ends a lease if it still holds, and says what became of the effect."""

RENEW = (
    update(outbox)
    .where(IN_NETWORK, outbox.c.status == PENDING, _is_held, without_waiting())
    .values(next_attempt_at=_lease_end)
)
"""Prolongs a lease on all that is held under it."""

_of_entity = (
    outbox.c.entity_id == bindparam("entity_id"),
    outbox.c.to_id == outbox.c.entity_id,
    outbox.c.to_network.is_(None),
)
_is_claimed = outbox.c.lease.is_not(None) & (outbox.c.due_at <= TIME)
OWN_TIMERS = (
    select(
        case(
            ((outbox.c.status == PENDING) & _is_due, literal_column(str(Due.NOW.value))),
            ((outbox.c.status == PENDING) & _is_claimed, literal_column(str(Due.HELD.value))),
            else_=literal_column(str(Due.NOT_YET.value)),
        ),
        *COLUMNS,
    )
    .where(IN_NETWORK, *_of_entity, IS_NOT_ENDED, outbox.c.timer.is_not(None))
    .order_by(outbox.c.due_at, outbox.c.version, outbox.c.ordinal)
)
"""Finds the timers that an entity has set for itself, and tells which are due: also those that another claimed."""

SEIZE = (
    update(outbox)
    .where(IN_NETWORK, _is_the_one, _is_due | _is_claimed, without_waiting())
    .values(
        lease=bindparam("lease", type_=ID),
        attempts=outbox.c.attempts + literal_column("1"),
        next_attempt_at=_lease_end,
    )
)
"""Leases an overdue timer, whoever has claimed it, and counts the attempt."""

NEXT_DUE = (
    select(
        outbox.c.next_attempt_at,
        TIME,
    )
    .where(IN_NETWORK, outbox.c.status == PENDING)
    .order_by(outbox.c.next_attempt_at)
    .limit(bindparam("most"))
)
"""Finds when something will be due, and what the time is."""

HANDLERS_OF_PARKED = select(outbox.c.handler).where(IN_NETWORK, outbox.c.status == PARKED).distinct()
"""Finds whose code is needed to carry out what is parked."""

REVIVE = (
    update(outbox)
    .where(
        IN_NETWORK,
        outbox.c.status == PARKED,
        outbox.c.handler == bindparam("handler_name"),
        or_(outbox.c.fingerprint.is_(None), outbox.c.fingerprint != bindparam("current", type_=Text)),
    )
    .values(status=PENDING, attempts=literal_column("0"), next_attempt_at=TIME, fingerprint=NOTHING)
)
"""Lets what other code was parked with be tried again."""

_is_free = or_(outbox.c.lease.is_(None), outbox.c.next_attempt_at <= TIME)
RETRY = (
    update(outbox)
    .where(
        IN_NETWORK,
        _is_the_one,
        _is_open,
        _is_free,
        or_(outbox.c.status == PARKED, outbox.c.attempts > literal_column("0")),
    )
    .values(status=PENDING, attempts=literal_column("0"), next_attempt_at=TIME, lease=NOTHING, fingerprint=NOTHING)
)
"""Lets an effect that failed be tried again at once."""

DISCARD = (
    update(outbox)
    .where(IN_NETWORK, _is_the_one, _is_open)
    .values(
        status=DISCARDED,
        lease=NOTHING,
        next_attempt_at=NOTHING,
        error=bindparam("error", type_=Text),
        ended_at=TIME,
    )
)
"""Gives an effect up for good."""

BY_STATUS = {
    status: (
        select(*COLUMNS)
        .where(IN_NETWORK, outbox.c.status == literal_column(f"'{status.value}'", Text))
        .order_by(outbox.c.next_attempt_at, outbox.c.created_at, outbox.c.version, outbox.c.ordinal)
    )
    for status in EffectStatus
}
"""Finds the effects of one status."""

OF_ENTITY = (
    select(*COLUMNS)
    .where(IN_NETWORK, outbox.c.entity_id == bindparam("entity_id"), IS_NOT_ENDED)
    .order_by(outbox.c.due_at, outbox.c.version, outbox.c.ordinal)
)
"""Finds what an entity emitted and is not ended."""

BY_MESSAGES = (
    select(*COLUMNS)
    .where(IN_NETWORK, is_listed(outbox.c.message_id, bindparam("message_ids", type_=Text)))
    .order_by(outbox.c.message_id, outbox.c.ordinal)
)
"""Finds the effects of some messages."""

# Not the column itself, so that SQLite searches by the ids and not through all of the network.
_is_of_network = outbox.c.network.concat(literal_column("''")) == bindparam("network")
BY_IDS = (
    select(*COLUMNS)
    .where(_is_of_network, outbox.c.id >= bindparam("first"), outbox.c.id <= bindparam("last"))
    .order_by(outbox.c.id)
    .limit(bindparam("most"))
)
"""Finds effects by a prefix of their ids."""
