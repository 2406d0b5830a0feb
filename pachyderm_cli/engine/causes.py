"""What caused what: from the message that began it to everything that it led to."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.engine.results import CausedMessage
from pachyderm_cli.store.events import caused_by, events_of_message, read_events
from pachyderm_cli.store.forks import origin_of
from pachyderm_cli.store.outbox import effects_between, effects_of_messages
from pachyderm_cli.store.records import Origin, RecordedEvent, StoredEffect
from pachyderm_cli.store.store import Store


def causes(store: Store, network: str, entity_id: UUID) -> Iterator[CausedMessage]:
    """Yield the trees that the entity's messages are part of: each message before those that it led to.

    The oldest tree comes first; what a message led to, in the order in which it was emitted, then what else names it
    as its cause. Copied events are no tree: a copy is a first line of its own, which says where it is from.
    """
    shown: set[UUID] = set()
    last = None
    origin = origin_of(store, network, entity_id)
    for recorded in read_events(store, network, entity_id):
        if recorded.message_id == last:
            continue
        last = recorded.message_id
        if origin is not None and recorded.version == 1:
            yield _copied(recorded, origin)
            continue
        if last not in shown:
            yield from _tree(store, network, _root(store, network, recorded), shown)


def _root(store: Store, network: str, recorded: RecordedEvent) -> UUID:
    """Return the first message of those that led to `recorded`, as far as they are known."""
    seen = set()
    found, cause = recorded.message_id, recorded.caused_by
    while cause is not None and cause not in seen:
        seen.add(cause)
        found = cause
        events = events_of_message(store, network, cause)
        if events:
            cause = events[0].caused_by
        else:  # a message that was rejected, or led to nothing, is known to the outbox alone
            sent = effects_between(store, network, cause, cause, 1)
            cause = sent[0].message_id if sent else None
    return found


def _tree(store: Store, network: str, root: UUID, shown: set[UUID]) -> Iterator[CausedMessage]:
    waiting: list[tuple[int, UUID, UUID | None, StoredEffect | None]] = [(0, root, None, None)]
    while waiting:
        depth, message_id, cause, sent_by = waiting.pop()
        if message_id in shown:
            continue
        shown.add(message_id)
        events = events_of_message(store, network, message_id)
        if sent_by is None and not events:
            sent = effects_between(store, network, message_id, message_id, 1)
            sent_by = sent[0] if sent else None
        effects = effects_of_messages(store, network, [message_id])
        yield _caused(depth, message_id, cause, sent_by, events, effects)
        children = [(depth + 1, each.id, message_id, each) for each in effects if each.to is not None]
        sent_ids = {each.id for each in effects}
        named = [each for each in caused_by(store, network, message_id) if each not in sent_ids]
        others = [each for each in named if not _is_copy(store, network, each)]
        waiting += reversed([*children, *((depth + 1, each, message_id, None) for each in others)])


def _is_copy(store: Store, network: str, message_id: UUID) -> bool:
    """Tell whether a message is that of copied events, each of which names the cause of its original."""
    first = events_of_message(store, network, message_id)[0]
    return first.version == 1 and origin_of(store, network, first.entity.id) is not None


def _copied(first: RecordedEvent, origin: Origin) -> CausedMessage:
    return CausedMessage(
        depth=0,
        message_id=first.message_id,
        caused_by=None,
        entity=first.entity,
        message=None,
        status=None,
        error=None,
        events=(),
        effects=(),
        copied_from=origin,
    )


def _caused(
    depth: int,
    message_id: UUID,
    cause: UUID | None,
    sent_by: StoredEffect | None,
    events: list[RecordedEvent],
    effects: list[StoredEffect],
) -> CausedMessage:
    entity: Reference | None = None
    name: str | None = None
    if events:
        entity, name = events[0].entity, events[0].message
        cause = events[0].caused_by
    elif sent_by is not None:
        entity, name = sent_by.to, sent_by.message
        cause = sent_by.message_id
    return CausedMessage(
        depth=depth,
        message_id=message_id,
        caused_by=cause,
        entity=entity,
        message=name,
        status=None if sent_by is None else sent_by.status,
        error=None if sent_by is None else sent_by.error,
        events=tuple(events),
        effects=tuple(each for each in effects if each.to is None),
    )
