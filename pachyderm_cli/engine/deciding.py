"""Deciding: from a message and a fold to what is to be appended; as often as other writers make it necessary."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from pachyderm_cli.domain.codec import Unfaithful, encode_faithfully
from pachyderm_cli.domain.context import Context
from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.domain.identifiers import message_fingerprint, new_message_id
from pachyderm_cli.domain.message import Event, Message
from pachyderm_cli.domain.named_tuples import made
from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.engine.folding import Fold
from pachyderm_cli.engine.lookups import new_lookup
from pachyderm_cli.engine.planning import NO_PLAN, Origin, Planned, plan
from pachyderm_cli.errors import EntityFailed, InvalidMessage, MessageIdConflict, VersionConflict
from pachyderm_cli.store.records import Append, Held, Lease, NewEvent, NewSnapshot, RecordedMessage, StoredEffect

_LOG = logging.getLogger("pachyderm")


class Request(NamedTuple):
    """What is to be sent to whom: the arguments of `Pachyderm.send`, read."""

    entity_type: EntityType
    entity: Reference
    message: Message
    message_id: UUID | None = None
    expect: int | None = None
    caused_by: UUID | None = None


class Terms(NamedTuple):
    """How a message is sent: what this process does beside appending its events.

    What it leads to at once is for this process to carry out, under `lease`, or under one of its own for so many
    `lease_seconds`; without either it is left to workers. `carries_out` is the effect whose message it is, held under
    `held`: that it is done is committed with the events. `from_network` is the effect's, if it is another.
    """

    lease_seconds: float | None = None
    lease: Lease | None = None
    carries_out: StoredEffect | None = None
    held: Lease | None = None
    from_network: str | None = None

    @property
    def settles(self) -> Held | None:
        """What is done with the events."""
        if self.carries_out is None or self.held is None:
            return None
        return Held(self.carries_out.id, self.held, self.from_network)


LEFT_TO_WORKERS = Terms()


class Committed(NamedTuple):
    """How a send ended: the state after it, its events, and the effects that are now to be carried out."""

    fold: Fold
    message_id: UUID
    entity: Reference
    events: tuple[NewEvent, ...]
    effects: tuple[Planned, ...]
    duplicate: bool


class Prepared(NamedTuple):
    """A decision made at one version: what is to be appended, and how the send ends once it is."""

    append: Append
    committed: Committed


class Rules(NamedTuple):
    """What every decision of a sender has in common."""

    network: str
    clock: Callable[[], datetime]
    snapshots_every: int
    lookups: frozenset[str] = frozenset()  # types that keep their states for lookup, beside those that say so

    def keeps_lookup(self, entity_type: EntityType) -> bool:
        """Tell whether the states of a type are kept for lookup."""
        return entity_type.lookup or entity_type.name in self.lookups


class Delivery:
    """A message on its way to one entity: what stays the same, however often it is decided."""

    __slots__ = (
        "_fingerprint",
        "_in_doubt",
        "_request",
        "_rules",
        "entity",
        "entity_type",
        "id",
        "id_may_be_known",
        "set_off",
        "terms",
    )

    def __init__(self, request: Request, rules: Rules, terms: Terms = LEFT_TO_WORKERS) -> None:
        """Give the message its id. Raises InvalidMessage if JSON cannot hold it."""
        self._request = request
        self._rules = rules
        self.entity, self.entity_type = request.entity, request.entity_type
        self.terms = terms
        self.set_off: list[Committed | StoredEffect] = []  # by the entity's own timers that were delivered first
        self.id = new_message_id() if request.message_id is None else request.message_id
        # An id made just now cannot be in the log, so there is nothing to look up.
        self.id_may_be_known = request.message_id is not None
        self._in_doubt: list[Prepared] = []  # those of which it is not known whether they were committed
        try:
            self._fingerprint = message_fingerprint(request.entity.id, request.message)
        except Unfaithful as error:
            raise InvalidMessage(str(error), entity_type=request.entity_type.name) from error

    @property
    def lease(self) -> Lease | None:
        """What this process holds the effects of the message under. The message id tells it from any other lease."""
        terms = self.terms
        if terms.lease is not None or terms.lease_seconds is None:
            return terms.lease
        return Lease(self.id, terms.lease_seconds)

    def leave_in_doubt(self, prepared: Prepared) -> None:
        """Remember that `prepared` may or may not have been committed: the message id will tell."""
        self.id_may_be_known = True
        self._in_doubt.append(prepared)

    def own(self, known: RecordedMessage) -> Prepared | None:
        """Return what this very send appended, if that is the message in the log; None if an earlier send did.

        Raises MessageIdConflict if it is neither: another message, or another entity's.
        """
        if known.entity.id != self.entity.id or known.fingerprint != self._fingerprint:
            raise MessageIdConflict(
                f"the message id {self.id} was already used, for {known.entity} at version {known.first_version}, "
                "with another message or entity; nothing was written, use a fresh id",
                message_id=str(self.id),
            )
        return next((each for each in self._in_doubt if each.append.is_recorded_as(known)), None)

    def prepare(self, fold: Fold) -> Prepared:
        """Return what the entity decides at `fold`. Raises Rejected, EntityFailed, VersionConflict."""
        request = self._request
        if request.expect is not None and fold.version != request.expect:
            raise VersionConflict(
                f"{request.entity} is at version {fold.version}, not {request.expect}; nothing was written",
                entity=str(request.entity),
                version=fold.version,
                expected=request.expect,
            )
        entity_type, rules, terms = request.entity_type, self._rules, self.terms
        now = rules.clock()
        context = Context(now, self.id, request.entity, fold.version) if entity_type.takes_context else None
        decision = entity_type.decide(request.message, entity_type.own_state(fold.state), context)
        events, after = self._folded(fold, decision.events)
        snapshot = lookup = None
        if events:
            after, snapshot, lookup = self._kept(after)
        planned = NO_PLAN
        if decision.effects:
            origin = Origin(self.id, entity_type, request.entity, rules.network)
            planned = plan(decision.effects, origin, self.lease)
            if planned.sets_timer:
                after = after._replace(may_have_timers=True)
        append = made(
            Append,
            (
                request.entity,
                fold.version,
                events,
                self.id,
                type(request.message).__name__,
                self._fingerprint,
                request.caused_by,
                now,
                snapshot,
                planned.outbox,
                planned.cancels,
                None if terms.held is None else terms.settles,
                lookup,
            ),
        )
        committed = made(Committed, (after, self.id, request.entity, events, planned.effects, False))
        return made(Prepared, (append, committed))

    def _folded(self, fold: Fold, events: Sequence[Event]) -> tuple[tuple[NewEvent, ...], Fold]:
        """Return the events as they will be stored, and the fold over what is stored."""
        entity_type = self._request.entity_type
        state, version, versions = fold.state, fold.version, entity_type.event_versions
        new: list[NewEvent] = []
        for event in events:
            version += 1
            kind = type(event)
            name = kind.__name__
            try:
                text, stored = encode_faithfully(event)
            except Unfaithful as error:
                raise entity_type.broken(f"the event {name} cannot be stored: {error}") from error
            new.append(made(NewEvent, (version, name, text, versions[kind])))
            state = entity_type.apply(state, stored, version)
        return tuple(new), made(Fold, (version, state, fold.snapshot_version, fold.may_have_timers))

    def _kept(self, after: Fold) -> tuple[Fold, NewSnapshot | None, NewSnapshot | None]:
        """Return the fold after some events, and what is kept of it: a snapshot, a state for lookup.

        Raises EntityFailed for a state that cannot be shown.
        """
        entity_type, rules = self._request.entity_type, self._rules
        snapshot = lookup = None
        if after.state is None:
            entity_type.require_state(None)
        entity_type.state_json(after.state)  # a reducer's fault is found before the commit, not at the output
        if rules.snapshots_every and after.version - after.snapshot_version >= rules.snapshots_every:
            snapshot = self._snapshot(after)
            if snapshot is not None:
                after = after._replace(snapshot_version=after.version)
        if rules.keeps_lookup(entity_type):
            lookup = new_lookup(entity_type, after.version, after.state)
        return after, snapshot, lookup

    def _snapshot(self, fold: Fold) -> NewSnapshot | None:
        entity_type = self._request.entity_type
        if entity_type.fingerprint is None:
            return None
        try:
            return NewSnapshot(fold.version, entity_type.fingerprint, entity_type.snapshot_json(fold.state))
        except EntityFailed as error:  # a snapshot is a cache: without one the entity is slower, not wrong
            _LOG.warning("%s", error)
            return None
