"""What can be asked of the outbox, and done to what is in it."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Mapping
from typing import Any, cast
from uuid import UUID

from pachyderm_cli.domain.naming import suggestion
from pachyderm_cli.domain.reference import ById, ByPrefix, Reference, parse_reference
from pachyderm_cli.engine.finding import Finder
from pachyderm_cli.engine.leases import LeaseKeeper
from pachyderm_cli.engine.loader import EntityTypes, readable_types
from pachyderm_cli.engine.relay import Relay
from pachyderm_cli.engine.results import QueuedEffect, Worked
from pachyderm_cli.errors import AmbiguousReference, InvalidReference, NotFound, UsageError
from pachyderm_cli.store import outbox
from pachyderm_cli.store.records import EffectStatus, StoredEffect
from pachyderm_cli.store.store import Store

_OPEN = (EffectStatus.PENDING, EffectStatus.PARKED)
_SHOWN = 5


class Effects:
    """The outbox's part of `Pachyderm`, which sets up what it works by."""

    _store: Store
    _types: EntityTypes
    _network: str
    _finder: Finder
    _relay: Relay
    _keeper: LeaseKeeper
    _config: Mapping[str, Any]
    _lease_seconds: float

    def work(
        self, *, once: bool = False, concurrency: int = 4, stop: threading.Event | None = None
    ) -> Generator[Worked, None, None]:
        """Carry out what is due in the outbox, up to `concurrency` effects at a time, and yield what became of each.

        Goes on until `stop` is set, which ends what is under way and leaves the rest to others, or with `once` until
        nothing more is due. To close the generator does the same as to set `stop`. Several processes may work on one
        store. Raises UsageError, and with `once` StoreError; without, a store that fails is tried again.
        """
        from pachyderm_cli.engine.worker import Place, Worker  # noqa: PLC0415 - for those who work alone

        if concurrency < 1:
            raise UsageError(f"concurrency is a number of effects from 1, not {concurrency}")
        place = Place(
            self._store, self._network, self._types, self._relay, self._keeper, self._config, self._lease_seconds
        )
        worked = Worker(place, concurrency, threading.Event() if stop is None else stop).run(once=once)
        return cast("Generator[Worked, None, None]", worked)

    def unreadable_types(self) -> list[str]:
        """Return the names of the entity types that cannot be loaded: a worker leaves their effects alone."""
        readable = set(readable_types(self._types))
        return [name for name in self._types.names() if name not in readable]

    def effects(self, status: EffectStatus | str | None = None) -> Iterator[QueuedEffect]:
        """Return an iterator over the effects in the outbox with that status, or over those not ended.

        The next to be tried comes first. Raises UsageError for what is no status.
        """
        return self._queued(self._statuses(status))

    def effect(self, identifier: UUID | str) -> QueuedEffect:
        """Return the effect of that id, or with the one id that begins so. Raises NotFound, AmbiguousReference."""
        return self._queued_one(self._effect(identifier))

    def retry_effect(self, identifier: UUID | str) -> StoredEffect:
        """Let an effect that failed or is parked be tried again at once, as often as a new one.

        A worker does. Return the effect as it is then. Raises NotFound, and UsageError for one that is ended, has not
        failed, or is being tried now.
        """
        found = self._effect(identifier)
        if not outbox.retry(self._store, self._network, found.id):
            raise UsageError(f"the effect {found.id} {_why_not(found)}, so there is nothing to try again")
        return self._effect(found.id)

    def retry_effects(self) -> Iterator[StoredEffect]:
        """Let every parked effect be tried again; return an iterator over them."""
        for each in list(outbox.effects_with_status(self._store, self._network, EffectStatus.PARKED)):
            if outbox.retry(self._store, self._network, each.id):
                yield self._effect(each.id)

    def discard_effect(self, identifier: UUID | str, why: str) -> StoredEffect:
        """Give up an effect that is not ended, timers among them; it is kept with the reason.

        Return the effect as it is then. Raises NotFound, and UsageError for one that is ended.
        """
        if not why.strip():
            raise UsageError("say why the effect is discarded")
        found = self._effect(identifier)
        if not outbox.discard(self._store, self._network, found.id, why):
            raise UsageError(f"the effect {found.id} is {self._effect(found.id).status}: there is nothing to discard")
        return self._effect(found.id)

    def timers(self, reference: str | None = None) -> Iterator[StoredEffect]:
        """Return an iterator over the timers and messages with a time that are not ended, all or an entity's own.

        Raises NotFound for an entity that is not there.
        """
        if reference is not None:
            head = self._finder.existing(reference)
            found = outbox.effects_of_entity(self._store, self._network, head.entity.id)
            return (each for each in found if each.timer is not None)
        queued = (each for status in _OPEN for each in outbox.effects_with_status(self._store, self._network, status))
        return (each for each in queued if each.timer is not None)

    def timer(self, reference: str | Reference | None, name: str) -> StoredEffect:
        """Return the timer of that name that an existing entity has set for itself. Raises NotFound."""
        head = self._finder.existing(reference)
        found = outbox.effects_of_entity(self._store, self._network, head.entity.id)
        own = {str(each.timer): each for each in found if each.timer}
        if name not in own:
            known = suggestion(name, own)
            raise NotFound(f"{head.entity} has no timer {name!r}; {known}", entity=str(head.entity), timer=name)
        return own[name]

    def next_due(self) -> float | None:
        """Return in how many seconds something in the outbox will be due, None if nothing waits. Raises StoreError."""
        due = outbox.next_due(self._store, self._network)
        return None if due is None else max(0.0, due)

    def _queued(self, statuses: tuple[EffectStatus, ...]) -> Iterator[QueuedEffect]:
        for status in statuses:
            for each in outbox.effects_with_status(self._store, self._network, status):
                yield self._queued_one(each)

    def _queued_one(self, stored: StoredEffect) -> QueuedEffect:
        return QueuedEffect(stored, self._relay.problem(stored) if stored.status in _OPEN else None)

    def _statuses(self, status: EffectStatus | str | None) -> tuple[EffectStatus, ...]:
        if status is None:
            return _OPEN
        known = [each for each in EffectStatus if each is not EffectStatus.FAILED]
        if status not in known:
            raise UsageError(f"{str(status)!r} is no status of an effect in the outbox; {suggestion(status, known)}")
        return (EffectStatus(status),)

    def _effect(self, identifier: UUID | str) -> StoredEffect:
        first, last = _bounds(identifier)
        found = outbox.effects_between(self._store, self._network, first, last, _SHOWN + 1)
        if not found:
            raise NotFound(
                f"there is no effect {str(identifier)!r} in the network {self._network!r}; pachyderm effects list "
                "shows what there is (an effect that is run at most once is not kept)",
                effect=str(identifier),
                network=self._network,
            )
        if len(found) > 1:
            shown = [str(each.id) for each in found[:_SHOWN]]
            more = ", …" if len(found) > _SHOWN else ""
            raise AmbiguousReference(
                f"{str(identifier)!r} fits more than one effect: {', '.join(shown)}{more}; write more digits",
                effect=str(identifier),
                candidates=shown,
            )
        return found[0]


def _bounds(identifier: UUID | str) -> tuple[UUID, UUID]:
    """Return the first and last id that `identifier`, an id or a prefix of one, may mean. Raises InvalidReference."""
    if isinstance(identifier, UUID):
        return identifier, identifier
    try:
        parsed = parse_reference(identifier)
    except InvalidReference:
        parsed = None
    if parsed is not None and parsed.type is None:
        if isinstance(parsed.target, ById):
            return parsed.target.id, parsed.target.id
        if isinstance(parsed.target, ByPrefix):
            return parsed.target.first, parsed.target.last
    raise InvalidReference(f"{identifier!r} is no effect's id: write a UUID, or at least four hex digits of one")


def _why_not(effect: StoredEffect) -> str:
    if effect.status is not EffectStatus.PENDING:
        return f"is {effect.status}"
    return "is being tried now" if effect.attempts else "was not tried yet"
