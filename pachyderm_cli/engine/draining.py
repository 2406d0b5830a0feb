"""Carrying out what a send set off, before it answers."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import nullcontext, suppress
from typing import Any, NamedTuple
from uuid import UUID

from pachyderm_cli.domain.context import EffectContext
from pachyderm_cli.engine.deciding import Committed, Delivery
from pachyderm_cli.engine.dispatch import dispatch
from pachyderm_cli.engine.leases import LeaseKeeper
from pachyderm_cli.engine.planning import Planned
from pachyderm_cli.engine.relay import Relay, as_stored
from pachyderm_cli.engine.results import EffectResult
from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.outbox import effects_of_messages, release
from pachyderm_cli.store.records import EffectStatus, Held, Lease, StoredEffect
from pachyderm_cli.store.store import Store

DELIVERIES = 1000
"""How many messages to other entities one send delivers before it answers, unless told otherwise."""


class Drains:
    """Carries out what the sends of an engine set off."""

    def __init__(self, store: Store, network: str, relay: Relay, keeper: LeaseKeeper, most: int) -> None:
        """Carry it out by `relay`, with up to `most` deliveries for one send."""
        self._store = store
        self._network = network
        self._relay = relay
        self._keeper = keeper
        self._most = most

    def carry_out(
        self, delivery: Delivery, committed: Committed | None, config: Mapping[str, Any]
    ) -> tuple[tuple[EffectResult, ...], int]:
        """Carry out what a message led to, and the timers before it, if that is this process's to do.

        Without `committed` the message led to nothing; the timers stand all the same. Return what became of the
        message's own effects, and how many deliveries were left to a worker.
        """
        if committed is not None and committed.duplicate:
            _, left = self.carry_out(delivery, None, config)
            return self._effects_of(committed.message_id), left
        lease = delivery.lease
        if lease is None:
            return (() if committed is None else left_out(committed)), 0
        set_off = [*delivery.set_off, *([] if committed is None else [committed])]
        if not any(isinstance(each, StoredEffect) or each.effects for each in set_off):
            return (), 0
        drain = Drain(self._store, self._network, self._relay, config, lease, self._most)
        for each in set_off:
            drain.add(each)
        with self._keeper.keep(lease) if drain.has_queued else nullcontext():
            results = drain.run()
        if committed is None:
            return (), drain.left
        own = tuple(results[each.id] for each in committed.effects)
        return (self._as_of_now(committed.message_id, own) if drain.deliveries else own), drain.left

    def _as_of_now(self, message_id: UUID, own: tuple[EffectResult, ...]) -> tuple[EffectResult, ...]:
        """Return the results with what deliveries after them changed: a timer may be cancelled by now."""
        if not any(each.status is EffectStatus.PENDING and each.error is None for each in own):
            return own
        with suppress(StoreError):  # what was known before is true enough
            now = {each.id: each for each in self._effects_of(message_id)}
            return tuple(now.get(each.id, each) if each.error is None else each for each in own)
        return own

    def _effects_of(self, message_id: UUID) -> tuple[EffectResult, ...]:
        """Return what became by now of those effects of a message that are in the outbox."""
        found = effects_of_messages(self._store, self._network, [message_id])
        return tuple(EffectResult(each.id, each.type, each.status, each.error, each.to) for each in found)


class _Waiting(NamedTuple):
    """An effect in the queue: one that is run at most once, or one of the outbox."""

    planned: Planned | None
    stored: StoredEffect | None
    source: Committed | None


class Drain:
    """What one send set off: carried out in the order in which it came up, as far as it is this process's to do."""

    def __init__(
        self, store: Store, network: str, relay: Relay, config: Mapping[str, Any], lease: Lease | None, most: int
    ) -> None:
        """Carry out what is under `lease`, with up to `most` deliveries; without a lease, what is run at most once."""
        self._store = store
        self._network = network
        self._relay = relay
        self._config = config
        self._lease = lease
        self._most = most
        self._queue: deque[_Waiting] = deque()
        self.deliveries = 0
        self.left = 0  # deliveries that are a worker's to make

    @property
    def has_queued(self) -> bool:
        """Whether there is something of the outbox to carry out."""
        return any(waiting.stored is not None for waiting in self._queue)

    def add(self, committed: Committed | StoredEffect) -> None:
        """Queue the effects of a message, or one effect."""
        if isinstance(committed, StoredEffect):
            self._queue.append(_Waiting(None, committed, None))
            return
        for planned in committed.effects:
            stored = None
            if planned.queued is not None:
                stored = as_stored(planned.queued, committed.entity, committed.fold.version, committed.message_id)
            self._queue.append(_Waiting(planned, stored, committed))

    def run(self) -> dict[UUID, EffectResult]:
        """Carry out what is queued and what that leads to; return what became of each, by id.

        Where the store fails, the rest is a worker's: the message itself is committed.
        """
        results: dict[UUID, EffectResult] = {}
        left: list[StoredEffect] = []
        while self._queue:
            waiting = self._queue.popleft()
            stored, result = waiting.stored, None
            if stored is None or stored.to is None:
                self._store.acknowledgements.settle()  # this one may end the process, and is to end no other
            if stored is None:
                result = self._run_at_most_once(waiting)
            elif stored.attempts and self._lease is not None:  # neither a timer nor left to workers from the start
                is_delivery = stored.to is not None
                if self.deliveries < self._most or not is_delivery:
                    self.deliveries += is_delivery
                    result = self._carry_out(waiting, stored, self._lease)
                else:
                    left.append(stored)
            if result is None:
                assert stored is not None  # noqa: S101 - for mypy: what is in no outbox was run
                result = pending(stored)
            results[result.id] = result
        self._leave(left)
        return results

    def _run_at_most_once(self, waiting: _Waiting) -> EffectResult:
        planned, source = waiting.planned, waiting.source
        assert planned is not None  # noqa: S101 - for mypy: only what is in the outbox has none
        assert source is not None  # noqa: S101 - the same
        name = type(planned.effect).__name__
        context = EffectContext(planned.id, 1, source.entity, self._network, source.fold.version)
        error = dispatch(planned.effect, self._config, context)
        return EffectResult(planned.id, name, EffectStatus.DONE if error is None else EffectStatus.FAILED, error)

    def _carry_out(self, waiting: _Waiting, stored: StoredEffect, lease: Lease) -> EffectResult:
        emitted = None if waiting.planned is None else waiting.planned.effect
        try:
            carried = self._relay.carry_out(stored, lease, self._config, follow_up=lease, emitted=emitted, soon=True)
        except StoreError as error:
            return EffectResult(stored.id, stored.type, EffectStatus.PENDING, error.message, stored.to)
        for each in carried.set_off:
            self.add(each)
        return carried.result

    def _leave(self, left: Iterable[StoredEffect]) -> None:
        held = [Held(each.id, self._lease) for each in left if self._lease is not None]
        self.left = len(held)
        if held:
            with suppress(StoreError):  # their lease runs out then
                release(self._store, self._network, held, counted=True)


def left_out(committed: Committed) -> tuple[EffectResult, ...]:
    """Return the results of effects that the sender asked not to run.

    At most once means that they never will; what is in the outbox is a worker's.
    """
    return tuple(
        EffectResult(each.id, type(each.effect).__name__, EffectStatus.DISCARDED)
        if each.queued is None
        else EffectResult(each.id, each.queued.type, EffectStatus.PENDING, None, each.queued.to)
        for each in committed.effects
    )


def pending(stored: StoredEffect) -> EffectResult:
    """Return the result of an effect that is still to be carried out."""
    return EffectResult(stored.id, stored.type, EffectStatus.PENDING, None, stored.to)
