"""The log, read: an entity's events in pages, and the message that led to some of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from types import NoneType
from typing import Any
from uuid import UUID

from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.domain.timestamps import from_text
from pachyderm_cli.store.confirming import confirm
from pachyderm_cli.store.failures import json_text, reads, unreadable
from pachyderm_cli.store.records import ERASED, RecordedEvent, RecordedMessage
from pachyderm_cli.store.statement import Statement, Statements, Transaction
from pachyderm_cli.store.store import Store
from pachyderm_cli.store.texts import json_problem

PAGE = 1000
"""Events read at a time: a page is a short transaction of its own, so that a slow reader holds nothing open."""

_LAST_VERSION = 2**62

_NEAR = 256  # ids in the log that are looked at, before each that is asked for is looked up

_said = Statements("events")

_KINDS = (int, str, int, str, str, str, str, (str, NoneType), str, int)  # of RECORDED_COLUMNS


def read_events(  # noqa: PLR0913 - which of them, by keyword
    store: Store,
    network: str,
    entity_id: UUID,
    *,
    after: int = 0,
    up_to: int | None = None,
    reverse: bool = False,
    known: int = 0,
) -> Iterator[RecordedEvent]:
    """Yield the events with versions in (`after`, `up_to`], oldest first, or newest first with `reverse`.

    Read page by page; since events never change and versions have no gap, the pages are of one piece. Raises StoreError
    where one is missing, also of the last ones up to the version that is `known` to be there.
    """
    statement = _said.DESCENDING if reverse else _said.ASCENDING
    last = _LAST_VERSION if up_to is None else up_to
    newest = after
    while True:
        page = _page(store, statement, network, entity_id, after, last)
        for row in page:
            yield recorded(entity_id, row)
        newest = max(newest, page[0][2], page[-1][2]) if page else newest
        if len(page) < PAGE:
            break
        if reverse:
            last = page[-1][2] - 1
        else:
            after = page[-1][2]
    if newest < (known if up_to is None else min(known, up_to)):
        raise unreadable(f"the events of {entity_id} end at version {newest}, not at {known}")
    if reverse and page and page[-1][2] > max(after, 0) + 1 and page[-1][3] != ERASED:
        raise unreadable(f"the events of {entity_id} begin at version {page[-1][2]}")


def read_data(
    store: Store, network: str, entity_id: UUID, *, after: int, up_to: int | None = None
) -> Iterator[list[tuple[int, str, str, int]]]:
    """Yield pages of version, type, JSON text and class version of the events in (`after`, `up_to`]."""
    last = _LAST_VERSION if up_to is None else up_to
    while True:
        page = _page(store, _said.TO_FOLD, network, entity_id, after, last)
        yield page
        if len(page) < PAGE:
            return
        after = page[-1][0]


def require_json(entity: Reference, rows: Iterable[Sequence[Any]]) -> None:
    """Raise StoreError where one of an entity's events, each a version, a type and the data, holds no JSON."""
    for version, _, data, *_ in rows:
        if json_problem(data) is not None:
            raise unreadable(f"the event at version {version} of {entity} holds no JSON")


def find_message(store: Store, network: str, message_id: UUID) -> RecordedMessage | None:
    """Return the message of that id, or None if no event of the network came from it.

    What is found may be answered as done: it is as safe as a commit of one's own.
    """
    parameters = {"network": network, "message_id": str(message_id)}
    rows = store.read(lambda transaction: _confirmed(transaction, _said.BY_MESSAGE, parameters))
    if not rows:
        return None
    return _message(rows[0])._replace(last_version=_message(rows[-1]).last_version)


def find_messages(store: Store, network: str, message_ids: Sequence[UUID]) -> dict[UUID, RecordedMessage]:
    """Return those messages that are in the log, by id; as safe as `find_message`'s.

    Ids that were made one after another, and lately, are all near one another, and hardly any of the log is.
    """
    message_ids = _near(store, network, message_ids)
    if not message_ids:
        return {}
    parameters = {"network": network, "message_ids": json.dumps([str(each) for each in message_ids])}
    found: dict[UUID, RecordedMessage] = {}
    for message_id, *row in store.read(lambda transaction: _confirmed(transaction, _said.BY_MESSAGES, parameters)):
        message = _message(row)
        first = found.setdefault(UUID(message_id), message)
        if first is not message:
            found[UUID(message_id)] = first._replace(last_version=message.last_version)
    return found


def _near(store: Store, network: str, message_ids: Sequence[UUID]) -> Sequence[UUID]:
    """Return those that are in the log, or all of them where it has too many ids from the least to the greatest."""
    asked = {each.int for each in message_ids}
    if not asked:
        return []
    bounds = {"first": str(UUID(int=min(asked))), "last": str(UUID(int=max(asked))), "most": _NEAR}
    rows = store.read(lambda transaction: transaction.rows(_said.BETWEEN_MESSAGES, {"network": network, **bounds}))
    if len(rows) == _NEAR:
        return message_ids
    found: list[UUID] = []
    for (text,) in rows:
        with suppress(ValueError):  # what is damaged there is no id that anybody asks for
            found.append(UUID(text))
    return [each for each in found if each.int in asked]


def events_of_message(store: Store, network: str, message_id: UUID) -> list[RecordedEvent]:
    """Return the events that a message led to, in order; [] if there are none."""
    parameters = {"network": network, "message_id": str(message_id)}
    rows = store.read(lambda transaction: transaction.rows(_said.OF_MESSAGE, parameters))
    return [recorded(entity_id, tuple(row)) for entity_id, *row in rows]


def caused_by(store: Store, network: str, message_id: UUID) -> list[UUID]:
    """Return the ids of the messages that name this one as their cause, in the order of the log."""
    parameters = {"network": network, "caused_by": str(message_id)}
    rows = store.read(lambda transaction: transaction.rows(_said.CAUSED_BY, parameters))
    return [_id(row) for row in rows]


@reads("a message's id", str)
def _id(row: Sequence[Any]) -> UUID:
    return UUID(row[0])


def _confirmed(transaction: Transaction, statement: Statement, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    rows = transaction.rows(statement, parameters)
    if rows:
        confirm(transaction)
    return rows


def _page(store: Store, statement: Statement, network: str, entity_id: UUID, after: int, up_to: int) -> list[Any]:
    # A database takes 64 bits; callers may name any version.
    bounds = {"after": max(0, min(after, _LAST_VERSION)), "up_to": max(0, min(up_to, _LAST_VERSION))}
    parameters = {"network": network, "entity_id": str(entity_id), **bounds, "page": PAGE}
    rows = store.read(lambda transaction: transaction.rows(statement, parameters))
    _require_whole(
        rows,
        bounds["after"],
        *((0, 1) if statement is _said.TO_FOLD else (2, 3)),
        reverse=statement is _said.DESCENDING,
    )
    return rows


def _require_whole(rows: list[Any], after: int, version: int, kind: int, *, reverse: bool) -> None:
    """Raise StoreError where an entity's events have a gap: a decision on them would be on another state."""
    if not rows or (len(rows) == 1 and rows[0][kind] == ERASED):  # of an erased entity only the last one is left
        return
    versions = [row[version] for row in rows]
    first = versions[-1] if reverse else after + 1
    wanted = list(range(first, first + len(rows))) if isinstance(first, int) else []
    if versions != (wanted[::-1] if reverse else wanted):
        raise unreadable("events of an entity are missing")


@reads("a message", str, str, str, str, int)
def _message(row: Sequence[Any]) -> RecordedMessage:
    entity_type, entity_id, fingerprint, recorded_at, version = row
    entity = Reference(entity_type, UUID(entity_id))
    return RecordedMessage(entity, fingerprint, version, version, from_text(recorded_at))


@reads("an event", *_KINDS)
def recorded(entity_id: UUID | str, row: tuple[Any, ...]) -> RecordedEvent:
    """Return a row of the log, given its RECORDED_COLUMNS, as an event of that entity."""
    position, entity_type, version, type_name, data, message, message_id, caused_by, recorded_at, type_version = row
    return RecordedEvent(
        position=position,
        entity=Reference(entity_type, UUID(entity_id) if isinstance(entity_id, str) else entity_id),
        version=version,
        type=type_name,
        data=json_text(data),
        message=message,
        message_id=UUID(message_id),
        caused_by=None if caused_by is None else UUID(caused_by),
        recorded_at=from_text(recorded_at),
        type_version=type_version,
    )
