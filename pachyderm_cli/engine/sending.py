"""One send: load, decide, append by compare-and-swap; fold forward and decide again when another writer was first."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pachyderm_cli.domain.codec import Unfaithful, encode_faithfully
from pachyderm_cli.domain.context import Context
from pachyderm_cli.domain.entity import Decision, EntityType
from pachyderm_cli.domain.identifiers import message_fingerprint, new_message_id
from pachyderm_cli.domain.message import Effect, Event, Message
from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.engine.cache import FoldCache
from pachyderm_cli.engine.commit import GroupCommit
from pachyderm_cli.engine.folding import Fold, catch_up, load
from pachyderm_cli.engine.results import SentEvent
from pachyderm_cli.errors import (
    EntityFailed,
    InvalidMessage,
    MessageIdConflict,
    PachydermError,
    VersionConflict,
)
from pachyderm_cli.store.append import append
from pachyderm_cli.store.events import find_message, read_data
from pachyderm_cli.store.failures import ConnectionLost
from pachyderm_cli.store.records import Append, NewEvent, NewSnapshot, Outcome, RecordedMessage
from pachyderm_cli.store.store import Store

_LOG = logging.getLogger("pachyderm")

ATTEMPTS = 100
"""How often a send is decided anew against other writers before it gives up."""

_RECONNECTIONS = 10
_FIRST_PAUSE = 0.001
_LONGEST_PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class Committed:
    """How a send ended: the state after it, its events, and the effects that are now to be run."""

    fold: Fold
    message_id: UUID
    events: tuple[SentEvent, ...]
    effects: tuple[Effect, ...]
    duplicate: bool


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A decision made at one version, ready to be appended."""

    append: Append
    fold: Fold
    effects: tuple[Effect, ...]

    def committed(self) -> Committed:
        first = self.append.expected_version + 1
        events = tuple(SentEvent(first + i, event.type, event.data) for i, event in enumerate(self.append.events))
        return Committed(self.fold, self.append.message_id, events, self.effects, duplicate=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be sent to whom: the arguments of `Pachyderm.send`, read."""

    entity_type: EntityType
    entity: Reference
    message: Message
    message_id: UUID | None = None
    expect: int | None = None
    caused_by: UUID | None = None


class Sender:
    """Sends messages to the entities of one network; serves several threads."""

    def __init__(
        self, store: Store, network: str, *, snapshots_every: int, cached: int, clock: Callable[[], datetime]
    ) -> None:
        """Keep up to `cached` folded entities between sends, and a snapshot every so many events (0: none)."""
        self.store = store
        self.network = network
        self.snapshots_every = snapshots_every
        self.clock = clock
        self.cache = FoldCache(cached)
        self.commits = GroupCommit(lambda appends: append(store, network, appends))

    def send(self, request: Request) -> Committed:
        """Send, and return once the outcome is durable.

        Raises Rejected, EntityFailed, InvalidMessage (JSON cannot hold it), VersionConflict (another version than
        expected, or attempts used up), MessageIdConflict and StoreError.
        """
        return _Sending(self, request).run()

    def current(self, entity_type: EntityType, entity: Reference) -> Fold:
        """Return the entity's fold over all that is in the log now. Raises EntityFailed and StoreError."""
        known = self.cache.get(entity_type, entity.id)
        if known is None:
            fold = load(self.store, self.network, entity_type, entity)
        else:
            fold = catch_up(self.store, self.network, entity_type, entity, known)
        self.cache.put(entity_type, entity.id, fold)
        return fold


class _Sending:
    """A message on its way to one entity."""

    def __init__(self, sender: Sender, request: Request) -> None:
        self._sender = sender
        self._store = sender.store
        self._network = sender.network
        self._type = request.entity_type
        self._entity = request.entity
        self._request = request
        self._id = new_message_id() if request.message_id is None else request.message_id
        # An id made just now cannot be in the log, so there is nothing to look up.
        self._id_may_be_known = request.message_id is not None
        self._unsure: list[_Prepared] = []  # commits of which it is not known whether they happened
        self._conflicted_at: int | None = None
        try:
            self._fingerprint = message_fingerprint(self._entity.id, request.message)
        except Unfaithful as error:
            raise InvalidMessage(str(error), entity_type=self._type.name) from error

    def run(self) -> Committed:
        lost = 0
        for attempt in range(ATTEMPTS):
            if attempt:
                _pause(attempt)
            try:
                committed = self._attempt(is_first=attempt == 0)
            except ConnectionLost:
                # Whether it was committed is not known; the message id will tell.
                self._id_may_be_known = True
                lost += 1
                if lost > _RECONNECTIONS:
                    raise
                continue
            if committed is not None:
                return committed
        raise VersionConflict(
            f"{self._entity} was written by others {ATTEMPTS} times in a row while this message was decided; "
            "nothing was written, send it again",
            entity=str(self._entity),
        )

    def _attempt(self, *, is_first: bool) -> Committed | None:
        """Decide and append once; return None if another writer was first."""
        if self._id_may_be_known:
            known = find_message(self._store, self._network, self._id)
            if known is not None:
                return self._known(known)
        prepared = (self._decided_from_cache() if is_first else None) or self._decided_from_log()
        if not prepared.append.events:
            return prepared.committed()
        try:
            outcome = self._sender.commits.append(prepared.append)
        except ConnectionLost:
            self._unsure.append(prepared)
            raise
        if outcome is Outcome.APPENDED:
            self._sender.cache.put(self._type, self._entity.id, prepared.fold)
            return prepared.committed()
        if outcome is Outcome.MESSAGE_ID_USED:
            self._id_may_be_known = True
        self._conflicted_at = prepared.append.expected_version
        return None

    def _decided_from_cache(self) -> _Prepared | None:
        """Return a decision at the state as last known, if there is one and it is to be appended.

        The append tells whether that state was behind the log. Any other answer might be wrong if it was, and is
        decided again from the log.
        """
        fold = self._sender.cache.get(self._type, self._entity.id)
        if fold is None:
            return None
        try:
            prepared = self._prepare(fold)
        except PachydermError:
            return None
        return prepared if prepared.append.events else None

    def _decided_from_log(self) -> _Prepared:
        fold = self._sender.current(self._type, self._entity)
        if fold.version == self._conflicted_at:
            # A conflict, and yet nothing new: what is cached is not what the log says.
            self._sender.cache.drop(self._type, self._entity.id)
            fold = self._sender.current(self._type, self._entity)
        return self._prepare(fold)

    def _prepare(self, fold: Fold) -> _Prepared:
        if self._request.expect is not None and fold.version != self._request.expect:
            raise VersionConflict(
                f"{self._entity} is at version {fold.version}, not {self._request.expect}; nothing was written",
                entity=str(self._entity),
                version=fold.version,
                expected=self._request.expect,
            )
        now = self._sender.clock()
        context = Context(now=now, message_id=self._id, reference=self._entity, version=fold.version)
        decision = self._type.decide(self._request.message, self._type.own_state(fold.state), context)
        events, after = self._fold_decision(fold, decision)
        if events:
            self._type.require_state(after.state)
            self._type.state_json(after.state)  # a reducer's fault is found before the commit, not at the output
        snapshot = self._snapshot(after)
        if snapshot is not None:
            after = Fold(after.version, after.state, after.version)
        return _Prepared(
            Append(
                entity=self._entity,
                expected_version=fold.version,
                events=events,
                message_id=self._id,
                message=type(self._request.message).__name__,
                message_fingerprint=self._fingerprint,
                caused_by=self._request.caused_by,
                recorded_at=now,
                snapshot=snapshot,
            ),
            after,
            decision.effects,
        )

    def _fold_decision(self, fold: Fold, decision: Decision) -> tuple[tuple[NewEvent, ...], Fold]:
        """Return the events as they will be stored and the fold over them, as any later replay will see it."""
        state, version = fold.state, fold.version
        encoded = []
        for event in decision.events:
            version += 1
            text, stored = self._encoded(event)
            encoded.append(NewEvent(type(event).__name__, text))
            state = self._type.apply(state, stored, version)
        return tuple(encoded), Fold(version, state, fold.snapshot_version)

    def _encoded(self, event: Event) -> tuple[str, Event]:
        try:
            return encode_faithfully(event)
        except Unfaithful as error:
            raise self._type.broken(f"the event {type(event).__name__} cannot be stored: {error}") from error

    def _snapshot(self, fold: Fold) -> NewSnapshot | None:
        every = self._sender.snapshots_every
        if not every or fold.version - fold.snapshot_version < every or self._type.fingerprint is None:
            return None
        try:
            return NewSnapshot(fold.version, self._type.fingerprint, self._type.snapshot_json(fold.state))
        except EntityFailed as error:  # a snapshot is a cache: without one the entity is slower, not wrong
            _LOG.warning("%s", error)
            return None

    def _known(self, known: RecordedMessage) -> Committed:
        """Return the outcome of a message that is in the log: this very send's, or that of an earlier one."""
        if known.entity.id != self._entity.id or known.fingerprint != self._fingerprint:
            raise MessageIdConflict(
                f"the message id {self._id} was already used, for {known.entity} at version {known.first_version}, "
                "with another message or entity; nothing was written, use a fresh id",
                message_id=str(self._id),
            )
        for prepared in self._unsure:
            if prepared.append.is_recorded_as(known):
                return prepared.committed()
        fold = load(self._store, self._network, self._type, self._entity, known.last_version)
        pages = read_data(
            self._store, self._network, self._entity.id, after=known.first_version - 1, up_to=known.last_version
        )
        events = tuple(SentEvent(version, name, text) for page in pages for version, name, text in page)
        return Committed(fold, self._id, events, (), duplicate=True)


def _pause(attempt: int) -> None:
    """Wait a random while, longer with each attempt (exponential back-off with full jitter)."""
    time.sleep(random.uniform(0, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(attempt, 10))))  # noqa: S311 - no secret
