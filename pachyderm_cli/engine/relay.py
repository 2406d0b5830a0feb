"""Carrying out what is in the outbox: an effect of the project's own is run, a message is delivered.

Whatever comes of it is written under the lease that it was carried out under, and only while that holds.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from pachyderm_cli.domain.context import EffectContext
from pachyderm_cli.domain.identifiers import back_id
from pachyderm_cli.domain.message import Effect
from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.engine.deciding import Committed, Request, Terms
from pachyderm_cli.engine.dispatch import dispatch
from pachyderm_cli.engine.effect_code import EffectCode, Unreadable
from pachyderm_cli.engine.loader import EntityTypes
from pachyderm_cli.engine.results import EffectResult
from pachyderm_cli.engine.sending import LeaseLost, Sender
from pachyderm_cli.errors import (
    ConfigError,
    Erased,
    InvalidMessage,
    PachydermError,
    Rejected,
    StoreError,
)
from pachyderm_cli.store import outbox
from pachyderm_cli.store.erasing import tombstone
from pachyderm_cli.store.heads import find_head
from pachyderm_cli.store.records import ERASED, EffectStatus, Held, Lease, NewEffect, StoredEffect
from pachyderm_cli.store.store import Store

_FIRST_PAUSE = 1.0  # seconds
_LONGEST_PAUSE = 3600.0
_NOT_READ = datetime.min.replace(tzinfo=UTC)


class Carried(NamedTuple):
    """What an attempt at an effect came to.

    `set_off` is what it led to: the messages that were committed (timers of the receiver's that came first, and the
    effect's own), and the effects that bring back to their senders what they want of rejected ones. `is_lost`: another
    process carries it out by now, and the result is what the database says.
    """

    result: EffectResult
    set_off: tuple[Committed | StoredEffect, ...] = ()
    is_lost: bool = False


class OtherNetworks(Protocol):
    """What brings messages into other networks."""

    @property
    def is_deep(self) -> bool:
        """Whether this is a delivery inside of so many others that it is better left to a worker."""

    def deliver(self, effect: StoredEffect, request: Request, held: Held) -> bool:
        """Deliver a message, and carry out what it leads to there; tell whether `held` is settled with it.

        Raises as a send does, LeaseLost, ConfigError.
        """


class Relay(EffectCode):
    """Carries out the effects of one network."""

    def __init__(self, store: Store, sender: Sender, types: EntityTypes) -> None:
        """Deliver messages by `sender`, to entities of these `types`."""
        super().__init__(types)
        self._store = store
        self._sender = sender
        self.networks: OtherNetworks | None = None

    def carry_out(
        self,
        effect: StoredEffect,
        lease: Lease,
        config: Mapping[str, Any],
        *,
        follow_up: Lease | None = None,
        emitted: Effect | None = None,
        soon: bool = False,
    ) -> Carried:
        """Make one attempt, which is counted already, and write what came of it.

        What a delivered message leads to is under `follow_up`, if there is one. `emitted` is the effect itself, where
        it is at hand. `soon` is early enough to write that it is done: with the next append. Raises StoreError; then
        the lease runs out, and the effect is tried again.
        """
        try:
            if effect.to is None:
                own = self.read(effect) if emitted is None else emitted
                return self._run(effect, own, Held(effect.id, lease), config, soon=soon)
            deliver = self._deliver if effect.to_network is None else self._deliver_abroad
            return deliver(effect, lease, follow_up)
        except Unreadable as error:
            if effect.to is not None and (gone := self._erased(effect)) is not None:
                return self._rejected(effect, lease, gone.message, follow_up)  # it says nothing any more
            return self._parked(effect, Held(effect.id, lease), f"no code here can carry it out: {error}")

    def begin(self, effect: StoredEffect, lease: Lease) -> StoredEffect | Carried | None:
        """Count an attempt at an effect that was claimed; return it as it is then, None if the lease is lost.

        One whose attempts are used up, though none came to an end, is parked, and returned as what came of it.
        """
        held = Held(effect.id, lease)
        if self.has_ended_processes(effect):
            return self.give_up(effect, held)
        if not outbox.begin_attempt(self._store, self._sender.network, held):
            return None
        return effect._replace(attempts=effect.attempts + 1)

    def give_up(self, effect: StoredEffect, held: Held) -> Carried:
        """Park an effect whose attempts are used up, though none came to an end."""
        return self._parked(effect, held, f"the process ended while it was tried, {effect.attempts} times")

    def _run(self, effect: StoredEffect, own: Effect, held: Held, config: Mapping[str, Any], *, soon: bool) -> Carried:
        network = self._sender.network
        context = EffectContext(effect.id, effect.attempts, effect.entity, network, effect.version)
        error = dispatch(own, config, context)
        if error is not None:
            return self._failed(effect, held, error)
        if soon:
            outbox.acknowledge(self._store, network, held)
        elif not outbox.finish(self._store, network, held):
            return self._lost(effect)
        return _ended(effect, EffectStatus.DONE)

    def _deliver(self, effect: StoredEffect, lease: Lease, follow_up: Lease | None) -> Carried:
        held = Held(effect.id, lease)
        request = self.request(effect)
        try:
            delivery = self._sender.delivery(request, Terms(lease=follow_up, carries_out=effect, held=lease))
        except InvalidMessage as error:
            raise Unreadable(error.message) from error
        if effect.attempts == 1:
            delivery.id_may_be_known = False  # nobody tried it before
        try:
            committed = self._sender.deliver(delivery)
        except StoreError:
            raise
        except PachydermError as error:
            failed = self._not_delivered(effect, lease, error, follow_up)
            return failed._replace(set_off=(*delivery.set_off, *failed.set_off))
        set_off = (*delivery.set_off, committed)
        # With its events it is done already.
        has_settled = bool(committed.events) and not committed.duplicate
        if not has_settled and not outbox.finish(self._store, self._sender.network, held):
            return self._lost(effect)._replace(set_off=set_off)
        return Carried(_result(effect, EffectStatus.DONE), set_off)

    def _deliver_abroad(self, effect: StoredEffect, lease: Lease, follow_up: Lease | None) -> Carried:
        network = self._sender.network
        held = Held(effect.id, lease, network)
        if self.networks is None:
            raise Unreadable(f"nothing is known here of the network {effect.to_network!r}")
        if self.networks.is_deep:
            outbox.release(self._store, network, [held], counted=True)
            return _ended(effect, EffectStatus.PENDING)
        request = self.request(effect)
        try:
            is_settled = self.networks.deliver(effect, request, held)
        except StoreError:
            raise
        except (InvalidMessage, ConfigError) as error:
            raise Unreadable(error.message) from error
        except PachydermError as error:
            return self._not_delivered(effect, lease, error, follow_up)
        if not is_settled and not outbox.finish(self._store, network, held):
            return self._lost(effect)
        return _ended(effect, EffectStatus.DONE)

    def _not_delivered(
        self, effect: StoredEffect, lease: Lease, error: PachydermError, follow_up: Lease | None
    ) -> Carried:
        if isinstance(error, LeaseLost):
            return self._lost(effect)
        if isinstance(error, Rejected | Erased):
            return self._rejected(effect, lease, error.message, follow_up)
        return self._failed(effect, Held(effect.id, lease), error.message)

    def _rejected(self, effect: StoredEffect, lease: Lease, reason: str, follow_up: Lease | None) -> Carried:
        back = None if effect.on_rejected is None else _back(effect, follow_up)
        if not outbox.reject(self._store, self._sender.network, effect, lease, reason, back):
            return self._lost(effect)
        sent_back = () if back is None else (as_stored(back, effect.entity, effect.version, effect.id),)
        return Carried(_result(effect, EffectStatus.REJECTED, reason), sent_back)

    def _erased(self, effect: StoredEffect) -> Erased | None:
        """Return what says that an effect's receiver was erased, as far as this store knows."""
        assert effect.to is not None  # noqa: S101 - for mypy: the caller knows
        network = effect.to_network or self._sender.network
        head = find_head(self._store, network, effect.to.id)
        if head is None or head.entity.type != ERASED:
            return None
        return tombstone(self._store, network, effect.to.id)

    def _failed(self, effect: StoredEffect, held: Held, error: str) -> Carried:
        if self.is_used_up(effect):
            return self._parked(effect, held, error)
        if not outbox.postpone(self._store, self._sender.network, held, error, pause_after(effect.attempts)):
            return self._lost(effect)
        return _ended(effect, EffectStatus.PENDING, error)

    def _parked(self, effect: StoredEffect, held: Held, error: str) -> Carried:
        if not outbox.park(self._store, self._sender.network, held, error, self.fingerprint(effect.handler)):
            return self._lost(effect)
        return _ended(effect, EffectStatus.PARKED, error)

    def _lost(self, effect: StoredEffect) -> Carried:
        """Return what became of an effect whose lease is another's: what the database says now."""
        found = outbox.effects_between(self._store, self._sender.network, effect.id, effect.id, 1)
        if not found:
            error = "the entity that it was of was erased"
            return Carried(_result(effect, EffectStatus.DISCARDED, error), is_lost=True)
        [now] = found
        return Carried(_result(effect, now.status, now.error), is_lost=True)


def pause_after(attempt: int) -> float:
    """Return how many seconds to wait after that attempt: exponential back-off, the upper half of it by chance."""
    longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(attempt - 1, 30))
    return longest * random.uniform(0.5, 1)  # noqa: S311 - no secret


def as_stored(new: NewEffect, entity: Reference, version: int, message_id: UUID) -> StoredEffect:
    """Return an effect as it is once it is written, without the database's times: what it takes to carry it out."""
    return StoredEffect(
        id=new.id,
        entity=entity,
        version=version,
        message_id=message_id,
        ordinal=new.ordinal,
        type=new.type,
        data=new.data,
        handler=new.handler,
        to=new.to,
        message=new.message,
        on_rejected=new.on_rejected,
        timer=new.timer,
        to_network=new.to_network,
        status=EffectStatus.PENDING,
        attempts=0 if new.lease is None else 1,
        due_at=_NOT_READ,
        next_attempt_at=None,
        error=None,
        created_at=_NOT_READ,
        ended_at=None,
    )


def _back(effect: StoredEffect, lease: Lease | None) -> NewEffect:
    """Return what brings the sender the message that it wants if `effect` is rejected."""
    text = str(effect.on_rejected)
    name = json.loads(text)["message"]
    data = text.partition(', "data": ')[2][:-1]  # as it was written, since JSON's numbers are not Python's
    to = effect.entity
    return NewEffect(back_id(effect.id), 0, effect.type, data, to.type, to=to, message=name, lease=lease)


def _ended(effect: StoredEffect, status: EffectStatus, error: str | None = None) -> Carried:
    return Carried(_result(effect, status, error))


def _result(effect: StoredEffect, status: EffectStatus, error: str | None = None) -> EffectResult:
    return EffectResult(effect.id, effect.type, status, error, effect.to)
