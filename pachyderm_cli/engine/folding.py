"""Loading: an entity's state from its newest valid snapshot and the events after it, or from events alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.errors import EntityFailed
from pachyderm_cli.store.erasing import tombstone
from pachyderm_cli.store.events import read_data, read_events, require_json
from pachyderm_cli.store.records import ERASED, Head, RecordedEvent
from pachyderm_cli.store.snapshots import newest_snapshots
from pachyderm_cli.store.store import Store


class Fold(NamedTuple):
    """A state at a version; `snapshot_version` is that of the newest valid snapshot known of, 0 for none.

    `may_have_timers` is False where it is known that the entity has set itself no timer that is not ended.
    """

    version: int
    state: Any
    snapshot_version: int
    may_have_timers: bool = True


def load(store: Store, network: str, entity_type: EntityType, entity: Reference, up_to: int | None = None) -> Fold:
    """Return the state, at the newest version or at `up_to`, by the shortest valid way."""
    start = _from_snapshot(store, network, entity_type, entity, up_to)
    return catch_up(store, network, entity_type, entity, start, up_to)


def catch_up(
    store: Store, network: str, entity_type: EntityType, entity: Reference, fold: Fold, up_to: int | None = None
) -> Fold:
    """Return `fold` folded forward over the events after it. Raises Erased."""
    state, version = fold.state, fold.version
    for page in read_data(store, network, entity.id, after=version, up_to=up_to):
        if page and page[-1][1] == ERASED:
            raise tombstone(store, network, entity.id)
        with _naming(entity, page):
            state = entity_type.fold(state, page)
        version = page[-1][0] if page else version
    return Fold(version, state, fold.snapshot_version, fold.may_have_timers or version != fold.version)


def replay(
    store: Store,
    network: str,
    entity_type: EntityType,
    head: Head,
    up_to: int | None = None,
    at: datetime | None = None,
) -> Iterator[tuple[RecordedEvent, Any]]:
    """Yield each event with the state after it, folded from the events alone; up to a version, or to a time.

    Versions order events, not clocks: the replay ends before the first event that was recorded later than `at`.
    """
    state = entity_type.initial()
    for recorded in read_events(store, network, head.entity.id, up_to=up_to, known=head.version):
        if at is not None and recorded.recorded_at > at:
            return
        with _naming(head.entity, [(recorded.version, recorded.type, recorded.data)]):
            event = entity_type.read_event(recorded.type, recorded.data, recorded.version, recorded.type_version)
        state = entity_type.apply(state, event, recorded.version)
        yield recorded, state


@contextmanager
def _naming(entity: Reference, page: Iterable[tuple[Any, ...]]) -> Iterator[None]:
    """Say whose event it is that cannot be read, and that the store is damaged where what is stored is no JSON."""
    try:
        yield
    except EntityFailed as error:
        if "event" not in error.details:
            raise
        require_json(entity, page)
        told = f"{error.message} (in the history of {entity})"
        raise EntityFailed(told, **error.details, entity=str(entity)) from error


def _from_snapshot(store: Store, network: str, entity_type: EntityType, entity: Reference, up_to: int | None) -> Fold:
    for snapshot in newest_snapshots(store, network, entity, up_to):
        # The fingerprint is made only where there is a snapshot to hold it against.
        if snapshot.fingerprint != entity_type.fingerprint:
            continue
        try:
            state = entity_type.state_adapter.validate_json(snapshot.state)
        except Exception:  # noqa: BLE001, S112 - user code validates too; unreadable is as good as none  # nosec B112
            continue
        return Fold(snapshot.version, state, snapshot.version)
    return Fold(0, entity_type.initial(), 0, may_have_timers=False)  # a timer comes with an event
