"""What an append says to the database: the statements, and their parameters."""

from __future__ import annotations

import itertools
import json
from typing import Any, NamedTuple

from sqlalchemy import JSON, BigInteger, Integer, Text, bindparam, cast, column, func, insert, select, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from pachyderm_cli.domain.reference import id_text
from pachyderm_cli.domain.timestamps import to_text
from pachyderm_cli.store.enqueue_statements import outbox_parameters, with_outbox
from pachyderm_cli.store.outbox_statements import SETTLED
from pachyderm_cli.store.records import Append
from pachyderm_cli.store.schema import entities, events
from pachyderm_cli.store.statement import Statement


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


ADVANCE = Statement(_advance_head)
"""Moves a head that is at the expected version."""

CREATE = Statement(_create_head)
"""Makes a head where there is none."""

INSERT_EVENT = Statement(
    insert(events).values(
        {column.name: bindparam(column.name) for column in events.columns if column.name != "position"}
    )
)
"""Inserts one event."""


class _Parts(NamedTuple):
    """What one statement for Postgres does, beside moving a head and inserting its events."""

    creates: bool
    queues: bool
    cancels: bool
    marks: bool

    def statement(self, dialect_insert: Any) -> Any:
        """Return the statement, given the dialect's own `insert`."""
        head = _create_head(dialect_insert) if self.creates else _advance_head
        return _with_events(head, outbox=self.queues or self.cancels, cancels=self.cancels, marks=self.marks)


_ONE_STATEMENT = {
    parts: Statement(parts.statement) for parts in map(_Parts._make, itertools.product((False, True), repeat=4))
}


def swap_with_events(each: Append, *, marks: bool = False) -> Statement:
    """Return the one statement for Postgres that moves the append's head and, where it moved, writes the rest of it.

    With `marks` it also marks done an effect of another send's, wherever the head is.
    """
    return _ONE_STATEMENT[_Parts(not each.expected_version, bool(each.outbox), bool(each.cancels), marks)]


def add_rows(rows: list[dict[str, Any]], each: Append, parameters: dict[str, Any]) -> None:
    """Add the parameters of the inserts of the append's events, given its own."""
    for ordinal, (type_name, data, type_version) in enumerate(each.events):
        rows.append(
            {
                **parameters,
                "version": each.expected_version + ordinal + 1,
                "ordinal": ordinal,
                "type": type_name,
                "data": data,
                "type_version": type_version,
            }
        )


def with_given(network: str, each: Append) -> dict[str, Any]:
    """Return the parameters of the one statement for Postgres, which takes the events as one JSON text."""
    given = [
        {"type": type_name, "data": data, "type_version": type_version, "ordinal": ordinal}
        for ordinal, (type_name, data, type_version) in enumerate(each.events)
    ]
    parameters = parameters_of(network, each)
    parameters["events"] = json.dumps(given)
    if each.outbox or each.cancels:
        parameters.update(outbox_parameters(each))
    return parameters


def parameters_of(network: str, each: Append) -> dict[str, Any]:
    """Return the parameters of a head's move, and what all the append's events have in common."""
    recorded_at = to_text(each.recorded_at)
    return {
        "network": network,
        "entity_id": id_text(each.entity.id.int),
        "expected": each.expected_version,
        "ahead": 0,  # events that go into the log before these
        "to_version": each.expected_version + len(each.events),
        "entity_type": each.entity.type,
        "message_id": str(each.message_id),
        "message": each.message,
        "message_fingerprint": each.message_fingerprint,
        "caused_by": None if each.caused_by is None else str(each.caused_by),
        "recorded_at": recorded_at,
        "created_at": recorded_at,
    }
