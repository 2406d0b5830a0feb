"""The worker: claims what is due in the outbox and carries it out, until it is told to stop."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, NamedTuple
from uuid import uuid4

from pachyderm_cli.engine.deciding import Committed
from pachyderm_cli.engine.draining import Drain
from pachyderm_cli.engine.leases import LeaseKeeper
from pachyderm_cli.engine.loader import EntityTypes, readable_types
from pachyderm_cli.engine.relay import Carried, Relay
from pachyderm_cli.engine.results import EffectResult, Worked
from pachyderm_cli.errors import StoreError
from pachyderm_cli.store import outbox
from pachyderm_cli.store.records import EffectStatus, Held, Lease, StoredEffect
from pachyderm_cli.store.store import Store

_LOG = logging.getLogger("pachyderm")

_IDLE_PAUSE = 0.5  # seconds between looks at an outbox in which nothing is due
_LONGEST_PAUSE = 30.0  # the same where the store fails
_MOST_CLAIMED = 128
_QUICK = 0.25  # seconds; more are claimed together if those before took no longer
_REVIVAL_PAUSE = 30.0  # seconds between looks at what is parked
_SUSPECTS_PAUSE = 30.0  # seconds between looks at what is suspect, as long as there is something else to do


class Place(NamedTuple):
    """Where a worker works: a network of a store, with the code for it."""

    store: Store
    network: str
    types: EntityTypes
    relay: Relay
    keeper: LeaseKeeper
    config: Mapping[str, Any]
    lease_seconds: float


class _Claim:
    """Effects that were claimed together, under a lease that is kept until the last of them is ended."""

    def __init__(self, keeper: LeaseKeeper, seconds: float) -> None:
        self.lease = Lease(uuid4(), seconds)
        self.began = time.monotonic()
        self.left = 0  # effects that are not ended
        self._kept = ExitStack()
        self._kept.enter_context(keeper.keep(self.lease))

    def end_one(self) -> bool:
        """Note that one is ended; tell whether it was the last."""
        self.left -= 1
        if self.left <= 0:
            self.close()
        return self.left <= 0

    def close(self) -> None:
        """Keep the lease no longer."""
        self._kept.close()


class Worker:
    """Carries out the effects of a network, several at a time."""

    def __init__(self, place: Place, concurrency: int, stop: threading.Event) -> None:
        """Work until `stop` is set: then what is under way is ended, and the rest left to others."""
        self._place = place
        self._concurrency = concurrency
        self._stop = stop
        self._ended: queue.SimpleQueue[Future[list[Worked]]] = queue.SimpleQueue()
        self._under_way: dict[Future[list[Worked]], tuple[StoredEffect, _Claim]] = {}
        self._together = concurrency  # how many are claimed at a time
        self._is_alone = False  # what was claimed last is suspect: nothing is to be carried out beside it
        self._suspects_turn = time.monotonic() + _SUSPECTS_PAUSE
        self._failures = 0
        self._handlers: list[str] = []
        self._next_revival = 0.0

    def run(self, *, once: bool) -> Iterator[Worked]:
        """Yield what became of each effect. With `once`, end when nothing more is due. Raises StoreError then."""
        with ThreadPoolExecutor(self._concurrency, thread_name_prefix="pachyderm-worker") as pool:
            try:
                while not self._stop.is_set():
                    if self._has_room():  # a slow one does not hold up the others
                        self._claim(pool, once=once)
                    if self._under_way:
                        yield from self._results()
                    elif once:
                        break
                    else:
                        self._stop.wait(self._pause())
            except BaseException:
                self._wind_up()
                raise
            yield from self._wind_up()

    def _claim(self, pool: ThreadPoolExecutor, *, once: bool) -> None:
        """Put what is due into the pool."""
        place = self._place
        claim = _Claim(place.keeper, place.lease_seconds)
        claimed: list[StoredEffect] = []
        try:
            self._revive()
            claimed = self._claimed(claim.lease)
            self._failures = 0
        except StoreError as error:
            if once:
                raise
            self._failures += 1
            _LOG.warning("%s", error)
        finally:
            claim.left = len(claimed)
            if not claimed:
                claim.close()
        for effect in claimed:
            future = pool.submit(self._attempt, effect, claim.lease)
            self._under_way[future] = (effect, claim)
            future.add_done_callback(self._ended.put)

    def _has_room(self) -> bool:
        if self._is_alone and self._under_way:
            return False
        return len(self._under_way) < self._concurrency

    def _claimed(self, lease: Lease) -> list[StoredEffect]:
        """Lease several effects that are due; where there are none, or now and then, one that is suspect.

        That one is carried out with nothing beside it: should it end this process too, it ends no other effect.
        """
        store, network = self._place.store, self._place.network
        self._is_alone = False
        is_suspects_turn = time.monotonic() >= self._suspects_turn
        claimed: list[StoredEffect] = []
        if not is_suspects_turn:
            claimed = outbox.claim(store, network, self._handlers, lease, self._together)
        if claimed:
            return claimed
        if outbox.has_suspect(store, network, self._handlers):
            if self._under_way:  # it waits until those are ended
                return []
            claimed = outbox.claim_suspect(store, network, self._handlers, lease)
            self._is_alone = bool(claimed)
        self._suspects_turn = time.monotonic() + _SUSPECTS_PAUSE
        if is_suspects_turn and not claimed:
            claimed = outbox.claim(store, network, self._handlers, lease, self._together)
        return claimed

    def _results(self) -> Iterator[Worked]:
        """Yield what has ended; adapt how much is claimed at a time to how long it takes."""
        try:
            future = self._ended.get(timeout=_IDLE_PAUSE)
        except queue.Empty:
            return
        _, claim = self._under_way.pop(future)
        if claim.end_one():
            is_quick = time.monotonic() - claim.began < _QUICK
            self._together = min(2 * self._together, _MOST_CLAIMED) if is_quick else self._concurrency
        yield from future.result()  # raises what no effect may: a fault of ours

    def _wind_up(self) -> list[Worked]:
        """Leave what was not begun to others, wait for what was, and return what became of it."""
        left = [Held(effect.id, claim.lease) for future, (effect, claim) in self._under_way.items() if future.cancel()]
        try:
            if left:
                outbox.release(self._place.store, self._place.network, left, counted=False)
        except StoreError as error:  # the lease runs out
            _LOG.warning("%s", error)
        worked = []
        for future, (_, claim) in self._under_way.items():
            claim.end_one()
            if not future.cancelled():
                worked += future.result()  # as above
        return worked

    def _attempt(self, effect: StoredEffect, lease: Lease) -> list[Worked]:
        """Carry out one effect, and what its message leads to that is run at most once."""
        relay, worked = self._place.relay, list[Worked]()
        began = time.monotonic()
        try:
            begun = relay.begin(effect, lease)
            if begun is None:
                return worked
            if isinstance(begun, Carried):
                return [_worked(effect, begun, began)]
            carried = relay.carry_out(begun, lease, self._place.config)
            if not carried.is_lost:  # whoever carries it out now tells of it
                worked.append(_worked(begun, carried, began))
            for each in carried.set_off:
                if isinstance(each, Committed):
                    worked += self._follow_up(each)
        except StoreError as error:  # the lease runs out, and it is tried again
            result = EffectResult(effect.id, effect.type, EffectStatus.PENDING, error.message, effect.to)
            worked.append(_worked(effect, Carried(result), began))
        return worked

    def _follow_up(self, committed: Committed) -> Iterator[Worked]:
        place = self._place
        drain = Drain(place.store, place.network, place.relay, place.config, None, 0)
        drain.add(committed)
        results = drain.run()
        for planned in committed.effects:
            if planned.queued is None:  # the others are in the outbox, and come up by themselves
                yield Worked(committed.entity, committed.fold.version, 1, results[planned.id], None)

    def _revive(self) -> None:
        """See what code is here, now and then, and let what was parked with other code be tried again."""
        if time.monotonic() < self._next_revival:
            return
        self._next_revival = time.monotonic() + _REVIVAL_PAUSE
        place = self._place
        self._handlers = readable_types(place.types)
        for handler in outbox.handlers_of_parked(place.store, place.network):
            fingerprint = place.relay.fingerprint(handler)
            if fingerprint is not None:
                outbox.revive(place.store, place.network, handler, fingerprint)

    def _pause(self) -> float:
        if self._failures:
            return min(_LONGEST_PAUSE, _IDLE_PAUSE * 2.0 ** min(self._failures, 10))
        try:
            due = outbox.next_due(self._place.store, self._place.network)
        except StoreError:  # the next claim tells
            due = None
        # What is due, and yet was not claimed, is another's; in SQLite's clock a millisecond is the least there is.
        return _IDLE_PAUSE if due is None or due <= 0 else min(_IDLE_PAUSE, due + 0.001)


def _worked(effect: StoredEffect, carried: Carried, began: float) -> Worked:
    return Worked(effect.entity, effect.version, effect.attempts, carried.result, time.monotonic() - began)
