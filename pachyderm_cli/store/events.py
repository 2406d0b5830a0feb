"""The log, read: an entity's events in pages, and the message that led to some of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, literal_column, select

from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.domain.timestamps import from_text
from pachyderm_cli.store.confirming import confirm
from pachyderm_cli.store.expressions import is_listed
from pachyderm_cli.store.records import RecordedEvent, RecordedMessage
from pachyderm_cli.store.schema import events
from pachyderm_cli.store.statement import Statement, Transaction
from pachyderm_cli.store.store import Store

PAGE = 1000
"""Events read at a time: a page is a short transaction of its own, so that a slow reader holds nothing open."""

_LAST_VERSION = 2**62


_by_entity = (
    events.c.network == bindparam("network"),
    events.c.entity_id == bindparam("entity_id"),
    events.c.version > bindparam("after"),
    events.c.version <= bindparam("up_to"),
)
RECORDED_COLUMNS = (
    events.c.position,
    events.c.entity_type,
    events.c.version,
    events.c.type,
    events.c.data,
    events.c.message,
    events.c.message_id,
    events.c.caused_by,
    events.c.recorded_at,
    events.c.type_version,
)
"""What `recorded` reads, in its order."""

_ascending = Statement(select(*RECORDED_COLUMNS).where(*_by_entity).order_by(events.c.version).limit(bindparam("page")))
_descending = Statement(
    select(*RECORDED_COLUMNS).where(*_by_entity).order_by(events.c.version.desc()).limit(bindparam("page"))
)
_to_fold = Statement(
    select(events.c.version, events.c.type, events.c.data, events.c.type_version)
    .where(*_by_entity)
    .order_by(events.c.version)
    .limit(bindparam("page"))
)
_by_message = Statement(
    select(
        events.c.entity_type, events.c.entity_id, events.c.message_fingerprint, events.c.recorded_at, events.c.version
    )
    .where(events.c.network == bindparam("network"), events.c.message_id == bindparam("message_id"))
    .order_by(events.c.ordinal)
)

_by_messages = Statement(
    select(
        events.c.message_id,
        events.c.entity_type,
        events.c.entity_id,
        events.c.message_fingerprint,
        events.c.recorded_at,
        events.c.version,
    )
    .where(events.c.network == bindparam("network"), is_listed(events.c.message_id, bindparam("message_ids")))
    .order_by(events.c.message_id, events.c.ordinal)
)


_of_message = Statement(
    select(events.c.entity_id, *RECORDED_COLUMNS)
    .where(events.c.network == bindparam("network"), events.c.message_id == bindparam("message_id"))
    .order_by(events.c.ordinal)
)
_caused_by = Statement(
    select(events.c.message_id)
    .where(events.c.network == bindparam("network"), events.c.caused_by == bindparam("caused_by"))
    .where(events.c.ordinal == literal_column("0"))
    .order_by(events.c.position)
)


def read_events(
    store: Store,
    network: str,
    entity_id: UUID,
    *,
    after: int = 0,
    up_to: int | None = None,
    reverse: bool = False,
) -> Iterator[RecordedEvent]:
    """Yield the events with versions in (`after`, `up_to`], oldest first, or newest first with `reverse`.

    Read page by page; since events never change and versions have no gap, the pages are of one piece.
    """
    statement = _descending if reverse else _ascending
    last = _LAST_VERSION if up_to is None else up_to
    while True:
        page = _page(store, statement, network, entity_id, after, last)
        for row in page:
            yield recorded(entity_id, row)
        if len(page) < PAGE:
            return
        if reverse:
            last = page[-1][2] - 1
        else:
            after = page[-1][2]


def read_data(
    store: Store, network: str, entity_id: UUID, *, after: int, up_to: int | None = None
) -> Iterator[list[tuple[int, str, str, int]]]:
    """Yield pages of version, type, JSON text and class version of the events in (`after`, `up_to`]."""
    last = _LAST_VERSION if up_to is None else up_to
    while True:
        page = _page(store, _to_fold, network, entity_id, after, last)
        yield page
        if len(page) < PAGE:
            return
        after = page[-1][0]


def find_message(store: Store, network: str, message_id: UUID) -> RecordedMessage | None:
    """Return the message of that id, or None if no event of the network came from it.

    What is found may be answered as done: it is as safe as a commit of one's own.
    """
    parameters = {"network": network, "message_id": str(message_id)}
    rows = store.read(lambda transaction: _confirmed(transaction, _by_message, parameters))
    if not rows:
        return None
    return _message(rows[0])._replace(last_version=rows[-1][4])


def find_messages(store: Store, network: str, message_ids: Sequence[UUID]) -> dict[UUID, RecordedMessage]:
    """Return those messages that are in the log, by id; as safe as `find_message`'s."""
    parameters = {"network": network, "message_ids": json.dumps([str(each) for each in message_ids])}
    found: dict[UUID, RecordedMessage] = {}
    for message_id, *row in store.read(lambda transaction: _confirmed(transaction, _by_messages, parameters)):
        first = found.get(UUID(message_id))
        if first is None:
            found[UUID(message_id)] = _message(row)
        else:
            found[UUID(message_id)] = first._replace(last_version=row[-1])
    return found


def events_of_message(store: Store, network: str, message_id: UUID) -> list[RecordedEvent]:
    """Return the events that a message led to, in order; [] if there are none."""
    parameters = {"network": network, "message_id": str(message_id)}
    rows = store.read(lambda transaction: transaction.rows(_of_message, parameters))
    return [recorded(UUID(entity_id), tuple(row)) for entity_id, *row in rows]


def caused_by(store: Store, network: str, message_id: UUID) -> list[UUID]:
    """Return the ids of the messages that name this one as their cause, in the order of the log."""
    parameters = {"network": network, "caused_by": str(message_id)}
    rows = store.read(lambda transaction: transaction.rows(_caused_by, parameters))
    return [UUID(found) for (found,) in rows]


def _confirmed(transaction: Transaction, statement: Statement, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    rows = transaction.rows(statement, parameters)
    if rows:
        confirm(transaction)
    return rows


def _page(store: Store, statement: Statement, network: str, entity_id: UUID, after: int, up_to: int) -> list[Any]:
    # A database takes 64 bits; callers may name any version.
    bounds = {"after": max(0, min(after, _LAST_VERSION)), "up_to": max(0, min(up_to, _LAST_VERSION))}
    parameters = {"network": network, "entity_id": str(entity_id), **bounds, "page": PAGE}
    return store.read(lambda transaction: transaction.rows(statement, parameters))


def _message(row: Sequence[Any]) -> RecordedMessage:
    entity_type, entity_id, fingerprint, recorded_at, version = row
    entity = Reference(entity_type, UUID(entity_id))
    return RecordedMessage(entity, fingerprint, version, version, from_text(recorded_at))


def recorded(entity_id: UUID, row: tuple[Any, ...]) -> RecordedEvent:
    """Return a row of the log, given its RECORDED_COLUMNS, as an event of that entity."""
    position, entity_type, version, type_name, data, message, message_id, caused_by, recorded_at, type_version = row
    return RecordedEvent(
        position=position,
        entity=Reference(entity_type, entity_id),
        version=version,
        type=type_name,
        data=data,
        message=message,
        message_id=UUID(message_id),
        caused_by=None if caused_by is None else UUID(caused_by),
        recorded_at=from_text(recorded_at),
        type_version=type_version,
    )
