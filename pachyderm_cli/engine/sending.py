"""One send: load, decide, append by compare-and-swap; fold forward and decide again when another writer was first."""

from __future__ import annotations

import os
import random
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Protocol

from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.engine.cache import FoldCache
from pachyderm_cli.engine.commit import GroupCommit
from pachyderm_cli.engine.deciding import LEFT_TO_WORKERS, Committed, Delivery, Prepared, Request, Rules, Terms
from pachyderm_cli.engine.folding import Fold, catch_up, load
from pachyderm_cli.engine.turns import Turn, Turns
from pachyderm_cli.errors import PachydermError, StoreError, VersionConflict
from pachyderm_cli.store.append import append
from pachyderm_cli.store.events import find_message, read_data
from pachyderm_cli.store.failures import ConnectionLost, is_timeout
from pachyderm_cli.store.patience import Patience
from pachyderm_cli.store.records import NewEvent, Outcome, RecordedMessage
from pachyderm_cli.store.store import Store

ATTEMPTS = 1000
"""How often a send is decided anew against other writers before it gives up."""

RECONNECTIONS = 10
"""How often a send is tried again after the connection was lost."""

_FIRST_PAUSE = 0.001
_LONGEST_PAUSE = 0.1
_PATIENT_ATTEMPTS = 10


_MOST_ROUNDS = 100  # of an entity's timers before a message: a timer may set another that is overdue at once

_senders: weakref.WeakSet[Sender] = weakref.WeakSet()


class LeaseLost(PachydermError):
    """What a message was to carry out is another process's by now; nothing was written."""


class OwnTimers(Protocol):
    """What sees to an entity's overdue timers before a message to it is decided."""

    def fire(self, delivery: Delivery) -> tuple[bool, bool]:
        """Deliver the timers that come before the message; tell whether there were any, and whether any are left."""


class Sender:
    """Sends messages to the entities of one network; serves several threads."""

    def __init__(
        self,
        store: Store,
        network: str,
        *,
        snapshots_every: int,
        cached: int,
        clock: Callable[[], datetime],
        lookups: frozenset[str] = frozenset(),
    ) -> None:
        """Keep up to `cached` folded entities between sends, and a snapshot every so many events (0: none).

        `lookups` are types that keep their states for lookup, beside those whose modules say so.
        """
        self.store = store
        self.network = network
        self.timers: OwnTimers | None = None
        self._cached = cached
        self.rules = Rules(network, clock, snapshots_every, lookups)
        self.forget()
        _senders.add(self)

    def forget(self) -> None:
        """Forget every entity; and in a forked child, the parent's threads, which are not there to commit."""
        self.cache = FoldCache(self._cached)
        self._turns = Turns()
        self._commits = GroupCommit(lambda appends: append(self.store, self.network, appends))

    def delivery(self, request: Request, terms: Terms = LEFT_TO_WORKERS) -> Delivery:
        """Return the message of `request`, ready to be decided. Raises InvalidMessage."""
        return Delivery(request, self.rules, terms)

    def deliver(self, delivery: Delivery) -> Committed:
        """Decide and append until the outcome is durable.

        Raises Rejected, EntityFailed, VersionConflict (another version than expected, or attempts used up),
        MessageIdConflict, LeaseLost and StoreError.
        """
        with Turn(self._turns, delivery.entity.id) as turn:
            return self._deliver(delivery, turn)

    def _deliver(self, delivery: Delivery, turn: Turn) -> Committed:
        lost = conflicts = 0
        conflicted_at: int | None = None
        patience: Patience | None = None
        while conflicts < ATTEMPTS:
            try:
                if delivery.id_may_be_known:
                    known = find_message(self.store, self.network, delivery.id)
                    if known is not None:
                        return self.recorded(delivery, known)
                is_first = not (lost or conflicts or patience)
                is_known = is_first or self._is_ahead(delivery, conflicted_at)
                prepared = self.decided(delivery) if is_known else self._decided_from_log(delivery, conflicted_at)
                if not prepared.append.events or self._appended(delivery, prepared):
                    return prepared.committed
                conflicted_at = prepared.append.expected_version
                conflicts += 1
                if not turn.take():
                    pause(conflicts)
            except ConnectionLost:
                self.cache.clear()  # the server that answers next may be one that took over
                lost += 1
                if lost > RECONNECTIONS:
                    raise
                pause(lost)
            except StoreError as error:
                patience = patience or self.store.patience()
                if not is_timeout(error) or not patience.pause():
                    raise
        raise VersionConflict(
            f"{delivery.entity} was written by others {ATTEMPTS} times in a row while this message was decided; "
            "nothing was written, send it again",
            entity=str(delivery.entity),
        )

    def current(self, entity_type: EntityType, entity: Reference) -> Fold:
        """Return the entity's fold over all that is in the log now. Raises EntityFailed and StoreError."""
        known = self.cache.get(entity_type, entity.id)
        if known is None:
            fold = load(self.store, self.network, entity_type, entity)
        else:
            fold = catch_up(self.store, self.network, entity_type, entity, known)
        self.cache.put(entity_type, entity.id, fold)
        return fold

    def decided(self, delivery: Delivery) -> Prepared:
        """Return a decision at the state as last known. Raises as `deliver` does.

        If it is to be appended, the append tells whether that state was behind the log. Any other answer might be
        wrong if it was, and is decided again from the log.
        """
        fold = self.cache.get(delivery.entity_type, delivery.entity.id)
        if fold is None:
            return self._decided_from_log(delivery)
        if fold.may_have_timers:
            fired, left = self._fire(delivery)
            if fired:
                return self._decided_from_log(delivery)
            fold = fold._replace(may_have_timers=left)
        try:
            prepared = delivery.prepare(fold)
        except PachydermError:
            return self._decided_from_log(delivery)
        return prepared if prepared.append.events else self._decided_from_log(delivery)

    def _is_ahead(self, delivery: Delivery, conflicted_at: int | None) -> bool:
        """Tell whether what is cached is newer than what conflicted: another thread of this process was first."""
        version = self.cache.version(delivery.entity_type, delivery.entity.id)
        return conflicted_at is not None and version is not None and version > conflicted_at

    def _decided_from_log(self, delivery: Delivery, conflicted_at: int | None = None) -> Prepared:
        """Return a decision at the state that the log leads to, `conflicted_at` not being its version."""
        fold = self.current(delivery.entity_type, delivery.entity)
        if fold.version == conflicted_at:
            # A conflict, and yet nothing new: what is cached is not what the log says.
            self.cache.drop(delivery.entity_type, delivery.entity.id)
            fold = self.current(delivery.entity_type, delivery.entity)
        if not fold.may_have_timers:
            return delivery.prepare(fold)
        fold = self._after_timers(delivery, fold)
        with suppress(PachydermError):
            prepared = delivery.prepare(fold)
            if prepared.append.events:
                return prepared
        # No append will find out that another process delivered a timer between the fold and the look for timers.
        return delivery.prepare(self._after_timers(delivery, self.current(delivery.entity_type, delivery.entity)))

    def _after_timers(self, delivery: Delivery, fold: Fold) -> Fold:
        """Deliver the entity's timers that come before the message; return the fold after them."""
        for _ in range(_MOST_ROUNDS):
            if not fold.may_have_timers:
                break
            # Asked after the fold: whoever sets a timer moves the version, which the append finds out.
            fired, left = self._fire(delivery)
            if not fired:
                fold = fold._replace(may_have_timers=left)
                self.cache.put(delivery.entity_type, delivery.entity.id, fold)
                break
            fold = self.current(delivery.entity_type, delivery.entity)
        return fold

    def _fire(self, delivery: Delivery) -> tuple[bool, bool]:
        return (False, True) if self.timers is None else self.timers.fire(delivery)

    def recorded(self, delivery: Delivery, known: RecordedMessage, before: Fold | None = None) -> Committed:
        """Return the outcome of a message that is in the log: this very send's, or that of an earlier one.

        A fold `before` it, if there is one, saves the way to it. Raises MessageIdConflict.
        """
        own = delivery.own(known)
        if own is not None:
            return own.committed
        entity_type, entity = delivery.entity_type, delivery.entity
        if before is None:
            fold = load(self.store, self.network, entity_type, entity, known.last_version)
        else:
            fold = catch_up(self.store, self.network, entity_type, entity, before, known.last_version)
        pages = read_data(self.store, self.network, entity.id, after=known.first_version - 1, up_to=known.last_version)
        events = tuple(NewEvent(*row) for page in pages for row in page)
        return Committed(fold, delivery.id, entity, events, (), duplicate=True)

    def _appended(self, delivery: Delivery, prepared: Prepared) -> bool:
        """Append what was decided; return False if another writer was first."""
        try:
            outcome = self._commits.append(prepared.append)
        except ConnectionLost:
            delivery.leave_in_doubt(prepared)
            raise
        if outcome is Outcome.MESSAGE_ID_USED:
            delivery.id_may_be_known = True
        if outcome is Outcome.LEASE_LOST:
            raise LeaseLost("another process carries it out by now")
        if outcome is not Outcome.APPENDED:
            return False
        self.cache.put(delivery.entity_type, delivery.entity.id, prepared.committed.fold)
        return True


def _forget_in_child() -> None:
    for sender in _senders:
        sender.forget()


os.register_at_fork(after_in_child=_forget_in_child)


def pause(attempt: int) -> None:
    """Wait a random while: at first longer with each attempt (exponential back-off with full jitter), so that few meet.

    Then shorter with each: who has just won is ready at once to win again, and who has waited long would wait for ever.
    """
    longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(attempt, 10)) / max(1, attempt - _PATIENT_ATTEMPTS) ** 2
    time.sleep(random.uniform(0, longest))  # noqa: S311 - no secret
