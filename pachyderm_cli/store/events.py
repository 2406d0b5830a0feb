"""The log: appending by compare-and-swap, and reading it back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, bindparam, func, select
from sqlalchemy.exc import IntegrityError

from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.domain.timestamps import from_text, to_text
from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.connection import insert_for
from pachyderm_cli.store.records import Append, Outcome, RecordedEvent, RecordedMessage
from pachyderm_cli.store.schema import entities, events
from pachyderm_cli.store.snapshots import write_snapshot
from pachyderm_cli.store.store import Store

PAGE = 1000
"""Events read at a time: a page is a short transaction of its own, so that a slow reader holds nothing open."""

_next_position = select(func.coalesce(func.max(events.c.position), 0) + 1).scalar_subquery()

_advance = (
    entities.update()
    .where(
        entities.c.network == bindparam("in_network"),
        entities.c.id == bindparam("of_id"),
        entities.c.version == bindparam("expected"),
    )
    .values(
        type=bindparam("to_type"),
        version=bindparam("to_version"),
        updated_at=bindparam("at"),
        position=_next_position,
    )
)

_by_entity = (
    events.c.network == bindparam("network"),
    events.c.entity_id == bindparam("entity_id"),
    events.c.version > bindparam("after"),
    events.c.version <= bindparam("up_to"),
)
_ascending = select(events).where(*_by_entity).order_by(events.c.version).limit(bindparam("page"))
_descending = select(events).where(*_by_entity).order_by(events.c.version.desc()).limit(bindparam("page"))
_to_fold = (
    select(events.c.version, events.c.type, events.c.data)
    .where(*_by_entity)
    .order_by(events.c.version)
    .limit(bindparam("page"))
)
_by_message = (
    select(events)
    .where(events.c.network == bindparam("network"), events.c.message_id == bindparam("message_id"))
    .order_by(events.c.ordinal)
)

_LAST_VERSION = 2**62


def append(store: Store, network: str, appends: Sequence[Append]) -> list[Outcome]:
    """Write `appends` in one durable commit, each decided by its own compare-and-swap; return what became of each.

    Raises StoreError if the commit failed, and its kind ConnectionLost if it is unknown whether it did.
    """
    try:
        with store.writing() as connection:
            return [_append_one(connection, network, each) for each in appends]
    except StoreError as error:
        if not isinstance(error.__cause__, IntegrityError):
            raise
    # No race on versions can violate a constraint, the head row decides those: it is a message id used before.
    if len(appends) > 1:
        return [outcome for each in appends for outcome in append(store, network, [each])]
    if find_message(store, network, appends[0].message_id) is None:
        raise _inconsistent(store)
    return [Outcome.MESSAGE_ID_USED]


def _append_one(connection: Connection, network: str, each: Append) -> Outcome:
    if not _swap_head(connection, network, each):
        return Outcome.CONFLICT
    connection.execute(events.insert(), list(_rows(network, each)))
    if each.snapshot is not None:
        write_snapshot(connection, network, each.entity, each.snapshot, each.recorded_at)
    return Outcome.APPENDED


def _swap_head(connection: Connection, network: str, each: Append) -> bool:
    """Move the entity's head from the expected version to the new one; return whether it stood there.

    `position` orders the entities by their last write. It is taken before the events have theirs: writers that
    overlap on Postgres may draw, which is as good an order as any for them.
    """
    at = to_text(each.recorded_at)
    if each.expected_version > 0:
        swapped = connection.execute(
            _advance,
            {
                "in_network": network,
                "of_id": str(each.entity.id),
                "expected": each.expected_version,
                "to_type": each.entity.type,
                "to_version": each.version,
                "at": at,
            },
        )
        return swapped.rowcount == 1
    first = insert_for(connection.engine)(entities).values(
        network=network,
        id=str(each.entity.id),
        type=each.entity.type,
        version=each.version,
        position=_next_position,
        created_at=at,
        updated_at=at,
    )
    # Without the option SQLAlchemy does not keep the row count of an INSERT.
    inserting = first.on_conflict_do_nothing().execution_options(preserve_rowcount=True)
    return connection.execute(inserting).rowcount == 1


def _rows(network: str, each: Append) -> Iterator[dict[str, Any]]:
    for ordinal, event in enumerate(each.events):
        yield {
            "network": network,
            "entity_id": str(each.entity.id),
            "version": each.expected_version + ordinal + 1,
            "entity_type": each.entity.type,
            "type": event.type,
            "data": event.data,
            "message_id": str(each.message_id),
            "ordinal": ordinal,
            "message": each.message,
            "message_fingerprint": each.message_fingerprint,
            "caused_by": None if each.caused_by is None else str(each.caused_by),
            "recorded_at": to_text(each.recorded_at),
        }


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
        yield from (_recorded(row) for row in page)
        if len(page) < PAGE:
            return
        if reverse:
            last = page[-1].version - 1
        else:
            after = page[-1].version


def read_data(
    store: Store, network: str, entity_id: UUID, *, after: int, up_to: int | None = None
) -> Iterator[tuple[int, str, str]]:
    """Yield version, type and JSON text of the events with versions in (`after`, `up_to`]: what a fold needs."""
    last = _LAST_VERSION if up_to is None else up_to
    while True:
        page = _page(store, _to_fold, network, entity_id, after, last)
        for version, type_name, data in page:
            yield version, type_name, data
        if len(page) < PAGE:
            return
        after = page[-1].version


def _page(
    store: Store, statement: Select[*tuple[Any, ...]], network: str, entity_id: UUID, after: int, up_to: int
) -> Sequence[Row[*tuple[Any, ...]]]:
    # A database takes 64 bits; callers may name any version.
    bounds = {"after": min(after, _LAST_VERSION), "up_to": min(up_to, _LAST_VERSION)}
    parameters = {"network": network, "entity_id": str(entity_id), **bounds, "page": PAGE}
    with store.reading() as connection:
        return connection.execute(statement, parameters).all()


def find_message(store: Store, network: str, message_id: UUID) -> RecordedMessage | None:
    """Return the message of that id, or None if no event of the network came from it."""
    with store.reading() as connection:
        rows = connection.execute(_by_message, {"network": network, "message_id": str(message_id)}).all()
    if not rows:
        return None
    return RecordedMessage(
        entity=Reference(rows[0].entity_type, UUID(rows[0].entity_id)),
        fingerprint=rows[0].message_fingerprint,
        first_version=rows[0].version,
        last_version=rows[-1].version,
    )


def _recorded(row: Row[*tuple[Any, ...]]) -> RecordedEvent:
    return RecordedEvent(
        position=row.position,
        entity=Reference(row.entity_type, UUID(row.entity_id)),
        version=row.version,
        type=row.type,
        data=row.data,
        message=row.message,
        message_id=UUID(row.message_id),
        caused_by=None if row.caused_by is None else UUID(row.caused_by),
        recorded_at=from_text(row.recorded_at),
    )


def _inconsistent(store: Store) -> StoreError:
    """Return the error for a violated constraint that no known race explains."""
    return StoreError(f"the store {store} refused an append that nothing else explains: its data is inconsistent")
