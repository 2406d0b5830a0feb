"""Delivering an entity's own overdue timers before a message to it, worker or no worker."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from pachyderm_cli.engine.deciding import Delivery
from pachyderm_cli.engine.relay import Relay
from pachyderm_cli.engine.sending import pause
from pachyderm_cli.store.outbox import own_timers, seize
from pachyderm_cli.store.records import Due, Held, Lease, StoredEffect
from pachyderm_cli.store.store import Store

_LOOKS = 11  # at a timer that another process has claimed, before it is taken: a quarter of a second, more or less


class OverdueTimers:
    """Sees to the overdue timers of a network's entities."""

    def __init__(self, store: Store, network: str, relay: Relay, lease_seconds: float) -> None:
        """Deliver them by `relay`, each under a lease of its own."""
        self._store = store
        self._network = network
        self._relay = relay
        self._lease_seconds = lease_seconds

    def fire(self, delivery: Delivery) -> tuple[bool, bool]:
        """Deliver the entity's own overdue timers that come before `delivery`, in due order.

        Tell whether there were any, by whomever they were delivered, and whether timers are left. One that another
        process has claimed is waited for, but not for long: that process may have died. Then it is taken, and what
        comes of it is committed under the lease that was given last, or not at all. One that no code here can deliver
        is left to others.
        """
        before = delivery.terms.carries_out
        if before is not None and (before.timer is None or before.entity.id != delivery.entity.id):
            before = None
        timers = own_timers(self._store, self._network, delivery.entity.id)
        fired = has_waited = False
        for due, timer in timers:
            if before is not None and _order(timer) >= _order(before):
                break
            if due is Due.NOT_YET or not self._relay.knows(timer.handler):
                continue
            if due is Due.HELD:
                if not has_waited and self._is_let_go(timer):
                    return True, True
                has_waited = True
                if self._relay.has_ended_processes(timer):
                    continue  # if its holder has died too, it is parked when the lease runs out
            self._fire_one(timer, delivery)
            fired = True
        return fired, bool(timers)

    def _is_let_go(self, timer: StoredEffect) -> bool:
        """Wait a while for the process that has claimed the timer; tell whether it is done with it."""
        for look in range(_LOOKS):
            pause(look + 1)
            timers = own_timers(self._store, self._network, timer.entity.id)
            if not any(due is Due.HELD and each.id == timer.id for due, each in timers):
                return True
        return False

    def _fire_one(self, timer: StoredEffect, delivery: Delivery) -> None:
        held = Held(timer.id, Lease(uuid4(), self._lease_seconds))
        if not seize(self._store, self._network, held):
            return  # another was faster
        if self._relay.has_ended_processes(timer):
            self._relay.give_up(timer, held)
            return
        begun = timer._replace(attempts=timer.attempts + 1)
        carried = self._relay.carry_out(begun, held.lease, {}, follow_up=delivery.lease)
        delivery.set_off += carried.set_off


def _order(effect: StoredEffect) -> tuple[Any, int, int]:
    return effect.due_at, effect.version, effect.ordinal
