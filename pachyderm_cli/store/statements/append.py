"""What an append says to the database of heads and events."""

from __future__ import annotations

import itertools
from typing import Any

from sqlalchemy import JSON, BigInteger, Integer, Text, bindparam, cast, column, func, insert, select, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from pachyderm_cli.store.parameters import Parts
from pachyderm_cli.store.schema import entities, events
from pachyderm_cli.store.statements.enqueue import with_outbox
from pachyderm_cli.store.statements.outbox import SETTLED


class next_position(FunctionElement[int]):  # noqa: N801 - spelt as SQL functions are
    """The position that the log's next event will have, as far as can be seen: it orders entities by last write.

    Writers that overlap on Postgres may draw, which is as good an order as any for them.
    """

    type = BigInteger()
    inherit_cache = True


@compiles(next_position)
def _after_the_highest(_element: Any, _compiler: Any, **_: Any) -> str:
    return "(SELECT coalesce(max(position), 0) + 1 FROM pachyderm_events)"


@compiles(next_position, "postgresql")
def _after_the_last_drawn(_element: Any, _compiler: Any, **_: Any) -> str:
    # An index takes several times as long. Nothing is drawn from a new sequence, whose last value is the first to come.
    return "(SELECT last_value + is_called::int FROM pachyderm_events_position_seq)"


_moved = {
    "type": bindparam("entity_type"),
    "version": bindparam("to_version"),
    "position": next_position() + bindparam("ahead"),
    "updated_at": bindparam("recorded_at"),
}
_advance_head = (
    entities.update()
    .where(
        entities.c.network == bindparam("network"),
        entities.c.id == bindparam("entity_id"),
        entities.c.version == bindparam("expected"),
    )
    .values(_moved)
)


def _create_head(dialect_insert: Any) -> Any:
    key: dict[str, Any] = {
        "network": bindparam("network"),
        "id": bindparam("entity_id"),
        "created_at": bindparam("created_at"),
    }
    return dialect_insert(entities).values({**key, **_moved}).on_conflict_do_nothing()


def _with_events(head: Any, *, outbox: bool, cancels: bool, marks: bool) -> Any:
    """Return one statement for Postgres that moves the head and, where it moved, inserts the events.

    With `outbox` it inserts the effects too, with `cancels` cancels timers, and with `marks` marks an effect done.
    """
    moved = head.returning(entities.c.version).cte("moved")
    given = func.json_to_recordset(cast(bindparam("events", type_=Text), JSON)).table_valued(
        column("type", Text), column("data", Text), column("ordinal", Integer), column("type_version", Integer)
    )
    given = given.render_derived(name="given", with_types=True)
    columns = {
        "network": bindparam("network", type_=Text),
        "entity_id": bindparam("entity_id", type_=entities.c.id.type),
        "version": bindparam("expected", type_=BigInteger) + 1 + given.c.ordinal,
        "entity_type": bindparam("entity_type", type_=Text),
        "type": given.c.type,
        "data": given.c.data,
        "message_id": bindparam("message_id", type_=entities.c.id.type),
        "ordinal": given.c.ordinal,
        "message": bindparam("message", type_=Text),
        "message_fingerprint": bindparam("message_fingerprint", type_=Text),
        "caused_by": bindparam("caused_by", type_=entities.c.id.type),
        "recorded_at": bindparam("recorded_at", type_=Text),
        "type_version": given.c.type_version,
    }
    rows = select(*columns.values()).select_from(moved.join(given, true()))
    statement = insert(events).from_select(list(columns), rows)
    if outbox:
        statement = with_outbox(statement, moved, cancels=cancels)
    return statement.add_cte(SETTLED.cte("settled")) if marks else statement


ADVANCE = _advance_head
"""Moves a head that is at the expected version."""

CREATE = _create_head
"""Makes a head where there is none."""

INSERT_EVENT = insert(events).values(
    {column.name: bindparam(column.name) for column in events.columns if column.name != "position"}
)
"""Inserts one event."""


def _one_statement(parts: Parts) -> Any:
    def written(dialect_insert: Any) -> Any:
        head = _create_head(dialect_insert) if parts.creates else _advance_head
        return _with_events(head, outbox=parts.queues or parts.cancels, cancels=parts.cancels, marks=parts.marks)

    return written


ONE = {parts.name: _one_statement(parts) for parts in map(Parts._make, itertools.product((False, True), repeat=4))}
"""By the name of its parts: the one statement for Postgres that moves a head and, where it moved, writes the rest."""
