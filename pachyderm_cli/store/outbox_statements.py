"""What the outbox says to the database: the statements, and their parameters."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Integer,
    Text,
    bindparam,
    case,
    cast,
    column,
    func,
    insert,
    literal_column,
    null,
    or_,
    select,
    true,
    update,
)

from pachyderm_cli.domain.timestamps import to_text
from pachyderm_cli.store.expressions import NOW, database_time, distance, is_listed, without_waiting
from pachyderm_cli.store.records import Append, Due, EffectStatus, NewEffect
from pachyderm_cli.store.schema import outbox
from pachyderm_cli.store.statement import Statement

# Constants of the statements, not parameters: Postgres plans better with them.
_PENDING, _PARKED, _DISCARDED = (
    literal_column(f"'{each.value}'", Text)
    for each in (EffectStatus.PENDING, EffectStatus.PARKED, EffectStatus.DISCARDED)
)
_REPLACED = literal_column("'cancelled, or replaced by another timer of that name'", Text)
_NONE: Any = null()
_NO_EFFECT = UUID(int=0)

_id_type = outbox.c.id.type
_now = database_time(literal_column(f"'{NOW}'", Text))
_in_network = outbox.c.network == bindparam("network")
_is_the_one = outbox.c.id == bindparam("id")
_is_open = outbox.c.status.in_([_PENDING, _PARKED])
_is_due = outbox.c.next_attempt_at <= _now
_lease_end = database_time(bindparam("lease_for", type_=Text))

COLUMNS = tuple(outbox.c[name] for name in outbox.c.keys() if name not in ("network", "lease", "fingerprint"))  # noqa: SIM118 - a collection of columns iterates over columns

_own = {
    name: outbox.c[name].type
    for name in ("id", "ordinal", "type", "data", "handler", "to_type", "to_id", "message", "on_rejected", "timer")
}
_given = {**_own, "attempts": Integer(), "lease": _id_type, "at": Text(), "after": Text(), "leased_for": Text()}


def _columns(of_append: dict[str, Any], of_effect: dict[str, Any]) -> dict[str, Any]:
    """Return what goes into each column."""
    due = func.coalesce(of_effect["at"], database_time(of_effect["after"]))
    return {
        **of_append,
        **{name: of_effect[name] for name in (*_own, "attempts", "lease")},
        "status": _PENDING,
        "due_at": due,
        "next_attempt_at": func.coalesce(database_time(of_effect["leased_for"]), due),
        "created_at": _now,
    }


_of_append = {
    "network": bindparam("network", type_=Text),
    "entity_id": bindparam("entity_id", type_=_id_type),
    "entity_type": bindparam("entity_type", type_=Text),
    "version": bindparam("to_version", type_=BigInteger),
    "message_id": bindparam("message_id", type_=_id_type),
}

INSERT_EFFECT = Statement(
    insert(outbox).values(_columns(_of_append, {name: bindparam(name, type_=kind) for name, kind in _given.items()}))
)
"""Inserts one effect."""

_cancelled = {
    "status": _DISCARDED,
    "lease": _NONE,
    "next_attempt_at": _NONE,
    "error": _REPLACED,
    "ended_at": _now,
}
_cancel = (
    update(outbox)
    .where(
        _in_network,
        outbox.c.entity_id == bindparam("entity_id", type_=_id_type),
        _is_open,
        is_listed(outbox.c.timer, bindparam("cancels", type_=Text)),
        outbox.c.to_id == outbox.c.entity_id,
        outbox.c.id != bindparam("settles", type_=_id_type),
    )
    .values(_cancelled)
)
CANCEL_TIMERS = Statement(_cancel)
"""Discards an entity's timers of some names, but for the one that is being settled: it may set itself again."""


def with_outbox(statement: Any, moved: Any) -> Any:
    """Return the one statement for Postgres with the outbox's part, which happens where the head `moved`."""
    given = func.json_to_recordset(cast(bindparam("effects", type_=Text), JSON)).table_valued(
        *(column(name, kind) for name, kind in _given.items())
    )
    given = given.render_derived(name="given_effects", with_types=True)
    columns = _columns(_of_append, {name: given.c[name] for name in _given})
    rows = select(*columns.values()).select_from(moved.join(given, true()))
    queued = insert(outbox).from_select(list(columns), rows).cte("queued")
    cancelled = _cancel.where(select(moved.c.version).exists()).cte("cancelled")
    return statement.add_cte(queued, cancelled)


def effect_row(effect: NewEffect) -> dict[str, Any]:
    """Return what is the effect's own among the parameters of its insert."""
    to, lease = effect.to, effect.lease
    after = None if effect.at is not None else NOW if effect.after is None else distance(effect.after)
    return {
        "id": str(effect.id),
        "ordinal": effect.ordinal,
        "type": effect.type,
        "data": effect.data,
        "handler": effect.handler,
        "to_type": None if to is None else to.type,
        "to_id": None if to is None else str(to.id),
        "message": effect.message,
        "on_rejected": effect.on_rejected,
        "timer": effect.timer,
        "attempts": 0 if lease is None else 1,
        "lease": None if lease is None else str(lease.token),
        "at": None if effect.at is None else to_text(effect.at),
        "after": after,
        "leased_for": None if lease is None else distance(lease.seconds),
    }


def cancel_parameters(each: Append) -> dict[str, str]:
    """Return which timers end with an append."""
    settles = _NO_EFFECT if each.settles is None else each.settles.id
    return {"cancels": json.dumps(each.cancels), "settles": str(settles)}


def outbox_parameters(each: Append) -> dict[str, str]:
    """Return what the one statement for Postgres takes for the outbox's part."""
    return {"effects": json.dumps([effect_row(effect) for effect in each.outbox]), **cancel_parameters(each)}


# Processes have ended over it, two at least: a lease is given back otherwise, and an attempt was counted for each.
_is_suspect = outbox.c.lease.is_not(None) & (outbox.c.attempts > literal_column("1"))


def _due(condition: Any) -> Any:
    """Return the query for what could be claimed on that condition, the longest due first."""
    return (
        select(outbox.c.id)
        .where(
            _in_network,
            outbox.c.status == _PENDING,
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
        .where(_in_network, outbox.c.id.in_(select(picked.c.id)))
        .values(lease=bindparam("lease", type_=_id_type), next_attempt_at=_lease_end)
        .returning(*COLUMNS)
    )


HAS_CANDIDATES = Statement(_due(~_is_suspect))
"""Finds what could be claimed."""

CLAIM = Statement(_claim(~_is_suspect))
"""Leases what is due, the longest due first; nobody waits for what another is claiming."""

HAS_SUSPECTS = Statement(_due(_is_suspect))
"""Finds what processes have ended over, as far as it could be claimed."""

CLAIM_SUSPECTS = Statement(_claim(_is_suspect))
"""Leases what processes have ended over."""

_is_held = (outbox.c.lease == bindparam("held_by", type_=_id_type), outbox.c.status == _PENDING)

BEGIN_ATTEMPT = Statement(
    update(outbox)
    .where(_in_network, _is_the_one, *_is_held, without_waiting())
    .values(attempts=outbox.c.attempts + literal_column("1"), next_attempt_at=_lease_end)
)
"""Counts an attempt, before it is made, if the lease still holds."""

_is_given_back = bindparam("status", type_=Text) == _PENDING  # and nothing new is known: the last error still holds
_let_go = (
    update(outbox)
    .where(_in_network, _is_the_one, *_is_held)
    .values(
        status=bindparam("status", type_=Text),
        lease=_NONE,
        attempts=outbox.c.attempts - bindparam("uncounted", type_=Integer),
        next_attempt_at=database_time(bindparam("again_in", type_=Text)),
        error=func.coalesce(bindparam("error", type_=Text), case((_is_given_back, outbox.c.error))),
        fingerprint=bindparam("fingerprint", type_=Text),
        ended_at=database_time(bindparam("ended", type_=Text)),
    )
)
LET_GO = Statement(_let_go)
"""Ends a lease if it still holds, and says what became of the effect."""

LET_GO_AT_ONCE = Statement(_let_go.where(without_waiting()))
"""The same, not waiting for the disk."""

RENEW = Statement(update(outbox).where(_in_network, *_is_held, without_waiting()).values(next_attempt_at=_lease_end))
"""Prolongs a lease on all that is held under it."""

_of_entity = (outbox.c.entity_id == bindparam("entity_id"), outbox.c.to_id == outbox.c.entity_id)
_is_claimed = outbox.c.lease.is_not(None) & (outbox.c.due_at <= _now)
OWN_TIMERS = Statement(
    select(
        case(
            ((outbox.c.status == _PENDING) & _is_due, literal_column(str(Due.NOW.value))),
            ((outbox.c.status == _PENDING) & _is_claimed, literal_column(str(Due.HELD.value))),
            else_=literal_column(str(Due.NOT_YET.value)),
        ),
        *COLUMNS,
    )
    .where(_in_network, *_of_entity, _is_open, outbox.c.timer.is_not(None))
    .order_by(outbox.c.due_at, outbox.c.version, outbox.c.ordinal)
)
"""Finds the timers that an entity has set for itself, and tells which are due: also those that another claimed."""

SEIZE = Statement(
    update(outbox)
    .where(_in_network, _is_the_one, outbox.c.status == _PENDING, _is_due | _is_claimed, without_waiting())
    .values(
        lease=bindparam("lease", type_=_id_type),
        attempts=outbox.c.attempts + literal_column("1"),
        next_attempt_at=_lease_end,
    )
)
"""Leases an overdue timer, whoever has claimed it, and counts the attempt."""

NEXT_DUE = Statement(
    select(
        outbox.c.next_attempt_at,
        _now,
    )
    .where(_in_network, outbox.c.status == _PENDING)
    .order_by(outbox.c.next_attempt_at)
    .limit(bindparam("most"))
)
"""Finds when something will be due, and what the time is."""

HANDLERS_OF_PARKED = Statement(select(outbox.c.handler).where(_in_network, outbox.c.status == _PARKED).distinct())
"""Finds whose code is needed to carry out what is parked."""

REVIVE = Statement(
    update(outbox)
    .where(
        _in_network,
        outbox.c.status == _PARKED,
        outbox.c.handler == bindparam("handler_name"),
        or_(outbox.c.fingerprint.is_(None), outbox.c.fingerprint != bindparam("current", type_=Text)),
    )
    .values(status=_PENDING, attempts=literal_column("0"), next_attempt_at=_now, fingerprint=_NONE)
)
"""Lets what other code was parked with be tried again."""

_is_free = or_(outbox.c.lease.is_(None), outbox.c.next_attempt_at <= _now)
RETRY = Statement(
    update(outbox)
    .where(
        _in_network,
        _is_the_one,
        _is_open,
        _is_free,
        or_(outbox.c.status == _PARKED, outbox.c.attempts > literal_column("0")),
    )
    .values(status=_PENDING, attempts=literal_column("0"), next_attempt_at=_now, lease=_NONE, fingerprint=_NONE)
)
"""Lets an effect that failed be tried again at once."""

DISCARD = Statement(
    update(outbox)
    .where(_in_network, _is_the_one, _is_open)
    .values(
        status=_DISCARDED,
        lease=_NONE,
        next_attempt_at=_NONE,
        error=bindparam("error", type_=Text),
        ended_at=_now,
    )
)
"""Gives an effect up for good."""

BY_STATUS = Statement(
    select(*COLUMNS)
    .where(_in_network, outbox.c.status == bindparam("status"))
    .order_by(outbox.c.next_attempt_at, outbox.c.created_at, outbox.c.version, outbox.c.ordinal)
)
"""Finds the effects of one status."""

OF_ENTITY = Statement(
    select(*COLUMNS)
    .where(_in_network, outbox.c.entity_id == bindparam("entity_id"), _is_open)
    .order_by(outbox.c.due_at, outbox.c.version, outbox.c.ordinal)
)
"""Finds what an entity emitted and is not ended."""

BY_MESSAGES = Statement(
    select(*COLUMNS)
    .where(_in_network, is_listed(outbox.c.message_id, bindparam("message_ids", type_=Text)))
    .order_by(outbox.c.message_id, outbox.c.ordinal)
)
"""Finds the effects of some messages."""

BY_IDS = Statement(
    select(*COLUMNS)
    .where(_in_network, outbox.c.id >= bindparam("first"), outbox.c.id <= bindparam("last"))
    .order_by(outbox.c.id)
    .limit(bindparam("most"))
)
"""Finds effects by a prefix of their ids."""
