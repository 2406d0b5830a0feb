"""What an append says to the outbox: effects that go into it, and timers that end."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Integer,
    Text,
    bindparam,
    cast,
    column,
    func,
    insert,
    literal_column,
    select,
    true,
    update,
)

from pachyderm_cli.store.schema import outbox
from pachyderm_cli.store.statements.expressions import database_time, is_listed
from pachyderm_cli.store.statements.outbox_terms import DISCARDED, ID, IN_NETWORK, IS_NOT_ENDED, NOTHING, PENDING, TIME

_REPLACED = literal_column("'cancelled, or replaced by another timer of that name'", Text)

_sent = ("to_type", "to_id", "to_network", "message", "on_rejected", "timer")
_own = {name: outbox.c[name].type for name in ("id", "ordinal", "type", "data", "handler", *_sent)}
_given = {**_own, "attempts": Integer(), "lease": ID, "at": Text(), "after": Text(), "leased_for": Text()}


def _columns(of_append: dict[str, Any], of_effect: dict[str, Any]) -> dict[str, Any]:
    """Return what goes into each column."""
    due = func.coalesce(of_effect["at"], database_time(of_effect["after"]))
    return {
        **of_append,
        **{name: of_effect[name] for name in (*_own, "attempts", "lease")},
        "status": PENDING,
        "due_at": due,
        "next_attempt_at": func.coalesce(database_time(of_effect["leased_for"]), due),
        "created_at": TIME,
    }


_of_append = {
    "network": bindparam("network", type_=Text),
    "entity_id": bindparam("entity_id", type_=ID),
    "entity_type": bindparam("entity_type", type_=Text),
    "version": bindparam("to_version", type_=BigInteger),
    "message_id": bindparam("message_id", type_=ID),
}

INSERT_EFFECT = insert(outbox).values(
    _columns(_of_append, {name: bindparam(name, type_=kind) for name, kind in _given.items()})
)
"""Inserts one effect."""

_cancelled = {
    "status": DISCARDED,
    "lease": NOTHING,
    "next_attempt_at": NOTHING,
    "error": _REPLACED,
    "ended_at": TIME,
}
CANCEL_TIMERS = (
    update(outbox)
    .where(
        IN_NETWORK,
        outbox.c.entity_id == bindparam("entity_id", type_=ID),
        IS_NOT_ENDED,
        is_listed(outbox.c.timer, bindparam("cancels", type_=Text)),
        outbox.c.to_id == outbox.c.entity_id,
        outbox.c.id != bindparam("settles", type_=ID),
    )
    .values(_cancelled)
)
"""Discards an entity's timers of some names, but for the one that is being settled: it may set itself again."""


def with_outbox(statement: Any, moved: Any, *, cancels: bool) -> Any:
    """Return the one statement for Postgres with the outbox's part, which happens where the head `moved`."""
    given = func.json_to_recordset(cast(bindparam("effects", type_=Text), JSON)).table_valued(
        *(column(name, kind) for name, kind in _given.items())
    )
    given = given.render_derived(name="given_effects", with_types=True)
    columns = _columns(_of_append, {name: given.c[name] for name in _given})
    rows = select(*columns.values()).select_from(moved.join(given, true()))
    queued = insert(outbox).from_select(list(columns), rows).cte("queued")
    if not cancels:
        return statement.add_cte(queued)
    cancelled = CANCEL_TIMERS.where(select(moved.c.version).exists()).cte("cancelled")
    return statement.add_cte(queued, cancelled)
