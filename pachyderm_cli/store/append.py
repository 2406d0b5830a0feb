"""Appending: compare-and-swap on the head row, then the events; several sends may share one durable commit."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import JSON, BigInteger, Integer, Text, bindparam, cast, column, func, insert, select, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from pachyderm_cli.domain.reference import id_text
from pachyderm_cli.domain.timestamps import to_text
from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.events import find_message, find_messages
from pachyderm_cli.store.failures import ConnectionLost, concerns_a_statement, is_constraint
from pachyderm_cli.store.records import Append, Outcome
from pachyderm_cli.store.schema import entities, events
from pachyderm_cli.store.snapshots import write_snapshot
from pachyderm_cli.store.statement import Statement, Transaction
from pachyderm_cli.store.store import Store


class _next_position(FunctionElement[int]):  # noqa: N801 - spelt as SQL functions are
    """The position that the log's next event will have, as far as can be seen: it orders entities by last write.

    Writers that overlap on Postgres may draw, which is as good an order as any for them.
    """

    type = BigInteger()
    inherit_cache = True


@compiles(_next_position)
def _after_the_highest(_element: Any, _compiler: Any, **_: Any) -> str:
    return "(SELECT coalesce(max(position), 0) + 1 FROM pachyderm_events)"


@compiles(_next_position, "postgresql")
def _after_the_last_drawn(_element: Any, _compiler: Any, **_: Any) -> str:
    # An index takes several times as long. Nothing is drawn from a new sequence, whose last value is the first to come.
    return "(SELECT last_value + is_called::int FROM pachyderm_events_position_seq)"


_moved = {
    "type": bindparam("entity_type"),
    "version": bindparam("to_version"),
    "position": _next_position() + bindparam("ahead"),
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
        "created_at": bindparam("recorded_at"),
    }
    return dialect_insert(entities).values({**key, **_moved}).on_conflict_do_nothing()


def _with_events(head: Any) -> Any:
    """Return one statement for Postgres that moves the head and, where it moved, inserts the events."""
    moved = head.returning(entities.c.version).cte("moved")
    given = func.json_to_recordset(cast(bindparam("events", type_=Text), JSON)).table_valued(
        column("type", Text), column("data", Text), column("ordinal", Integer)
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
    }
    rows = select(*columns.values()).select_from(moved.join(given, true()))
    return insert(events).from_select(list(columns), rows)


_advance = Statement(_advance_head)
_create = Statement(_create_head)
_insert = Statement(
    insert(events).values(
        {column.name: bindparam(column.name) for column in events.columns if column.name != "position"}
    )
)
_advance_with_events = Statement(_with_events(_advance_head))
_create_with_events = Statement(lambda dialect_insert: _with_events(_create_head(dialect_insert)))


def append(store: Store, network: str, appends: Sequence[Append]) -> list[Outcome | StoreError]:
    """Write `appends` in one durable commit, each decided by its own compare-and-swap; return what became of each.

    Raises StoreError if the commit failed, and its kind ConnectionLost if it is not known whether it did; nothing
    was written then. Of several, one that the database refuses for a reason of its own does not hurt its neighbours:
    all are written one at a time, and a StoreError in the list is what became of those that were not.
    """
    try:
        return [*_append_together(store, network, appends)]
    except ConnectionLost:
        raise
    except StoreError as error:
        if len(appends) > 1:
            if not concerns_a_statement(error.__cause__):
                raise
            return [_append_alone(store, network, each) for each in appends]
        # No race on versions can violate a constraint, the head decides those: it is a message id used before.
        if not is_constraint(error.__cause__):
            raise
        if find_message(store, network, appends[0].message_id) is None:
            raise StoreError(
                f"the store {store} refused an append that nothing else explains: its data is inconsistent"
            ) from error
        return [Outcome.MESSAGE_ID_USED]


def _append_alone(store: Store, network: str, each: Append) -> Outcome | StoreError:
    try:
        return append(store, network, [each])[0]
    except StoreError as error:  # of this append only: its neighbours may be written by now
        return error


def append_all(store: Store, network: str, appends: Sequence[Append]) -> list[int]:
    """Write all `appends` in one durable commit, in their order, or none of them.

    An entity's may follow one another, each expecting the version that the one before leads to. Return the indexes
    of those that another writer was before: if there are any, nothing was written.

    Raises StoreError; then nothing was written either, or for its kind ConnectionLost it is not known.
    """

    def write(transaction: Transaction) -> None:
        outcomes = _written(transaction, network, appends)
        conflicts = [index for index, outcome in enumerate(outcomes) if outcome is Outcome.CONFLICT]
        if conflicts:
            raise _Undone(conflicts)

    if not appends:  # no commit for nothing, and no file where there is none yet
        return []
    try:
        store.write(write)
    except _Undone as undone:
        return undone.conflicts
    return []


class _Undone(Exception):
    """Not all could be written: the transaction is rolled back."""

    def __init__(self, conflicts: list[int]) -> None:
        super().__init__(conflicts)
        self.conflicts = conflicts


def _append_together(store: Store, network: str, appends: Sequence[Append]) -> list[Outcome]:
    if len(appends) == 1 and not store.is_sqlite and appends[0].snapshot is None:
        # One statement, which commits by itself, in one round trip.
        return store.run(lambda transaction: _swapped_on_postgres(transaction, network, appends))
    if store.is_sqlite or any(each.snapshot is not None for each in appends):
        return store.write(lambda transaction: _written(transaction, network, appends))
    return _append_in_one_round_trip(store, network, appends)


def _append_in_one_round_trip(store: Store, network: str, appends: Sequence[Append]) -> list[Outcome]:
    # Everybody takes the rows' locks in one order, so that no two groups wait for each other.
    in_order = sorted(appends, key=lambda each: each.entity.id.int)
    work = [(statement, [_with_given(network, each) for each in run]) for statement, run in _of_one_kind(in_order)]
    if store.run(lambda transaction: transaction.commit_many(work)) == sum(len(each.events) for each in appends):
        return [Outcome.APPENDED] * len(appends)
    # Some were too late; which, the log tells. It is committed: not to learn of it is not to know.
    try:
        known = find_messages(store, network, [each.message_id for each in appends])
    except StoreError as error:
        raise ConnectionLost(error.message, **error.details) from error
    outcomes = []
    for each in appends:
        found = known.pop(each.message_id, None)  # of two with one id in a group only one is in
        is_there = found is not None and found.entity.id == each.entity.id and each.is_recorded_as(found)
        outcomes.append(Outcome.APPENDED if is_there else Outcome.CONFLICT)
    return outcomes


def _written(transaction: Transaction, network: str, appends: Sequence[Append]) -> list[Outcome]:
    """Write inside the caller's transaction; a snapshot waits for the outcome of its append's swap."""
    write = _swapped_on_sqlite if transaction.is_sqlite else _swapped_on_postgres
    outcomes = write(transaction, network, appends)
    for outcome, each in zip(outcomes, appends, strict=True):
        if outcome is Outcome.APPENDED and each.snapshot is not None:
            write_snapshot(transaction, network, each.entity, each.snapshot, each.recorded_at)
    return outcomes


def _swapped_on_sqlite(transaction: Transaction, network: str, appends: Sequence[Append]) -> list[Outcome]:
    """Swap, one statement for each append, then insert the events of those that were in time."""
    outcomes: list[Outcome] = []
    rows: list[dict[str, Any]] = []
    for each in appends:
        parameters = _parameters(network, each)
        parameters["ahead"] = len(rows)
        if transaction.count(_advance if each.expected_version else _create, parameters) != 1:
            outcomes.append(Outcome.CONFLICT)
            continue
        outcomes.append(Outcome.APPENDED)
        for ordinal, event in enumerate(each.events):
            version = each.expected_version + ordinal + 1
            rows.append({**parameters, "version": version, "ordinal": ordinal, "type": event.type, "data": event.data})
    transaction.run_many(_insert, rows)
    return outcomes


def _swapped_on_postgres(transaction: Transaction, network: str, appends: Sequence[Append]) -> list[Outcome]:
    """Swap and insert, one statement for each append; those of a kind that follow one another in one round trip."""
    outcomes: list[Outcome] = []
    for statement, run in _of_one_kind(appends):
        counts = transaction.counts_of_many(statement, [_with_given(network, each) for each in run])
        outcomes.extend(
            Outcome.APPENDED if count == len(each.events) else Outcome.CONFLICT
            for count, each in zip(counts, run, strict=True)
        )
    return outcomes


def _of_one_kind(appends: Sequence[Append]) -> Iterator[tuple[Statement, list[Append]]]:
    """Yield the statement for each run of first appends and each run of others, in order."""
    for is_new, run in groupby(appends, lambda each: not each.expected_version):
        yield (_create_with_events if is_new else _advance_with_events), list(run)


def _with_given(network: str, each: Append) -> dict[str, Any]:
    given = [{"type": event.type, "data": event.data, "ordinal": index} for index, event in enumerate(each.events)]
    parameters = _parameters(network, each)
    parameters["events"] = json.dumps(given)
    return parameters


def _parameters(network: str, each: Append) -> dict[str, Any]:
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
        "recorded_at": to_text(each.recorded_at),
    }
