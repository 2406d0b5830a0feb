"""What a message would lead to: decided as a send would, and not written."""

from __future__ import annotations

from datetime import datetime

from pachyderm_cli.engine.deciding import Delivery, Prepared, Request
from pachyderm_cli.engine.effect_code import Unreadable
from pachyderm_cli.engine.folding import Fold
from pachyderm_cli.engine.relay import Relay, as_stored
from pachyderm_cli.engine.results import Tried, TriedEffect
from pachyderm_cli.engine.sending import Sender
from pachyderm_cli.errors import PachydermError
from pachyderm_cli.store.outbox import own_timers
from pachyderm_cli.store.records import StoredEffect

_MOST_TIMERS = 100


def tried(sender: Sender, relay: Relay, request: Request, fold: Fold, *, now: bool) -> Tried:
    """Return what `request` leads to at `fold`. `now`: after the entity's own overdue timers, as a send does.

    Raises as a send does: Rejected, EntityFailed, InvalidMessage.
    """
    fired = 0
    if now:
        fold, fired = _after_timers(sender, relay, request, fold)
    delivery = sender.delivery(request)
    prepared = delivery.prepare(fold)
    after = prepared.committed
    return Tried(
        entity=request.entity,
        network=sender.network,
        version=after.fold.version,
        state=after.fold.state,
        entity_type=request.entity_type,
        decided_at=fold.version,
        timers=fired,
        events=after.events,
        effects=tuple(_effects(prepared)),
    )


def _after_timers(sender: Sender, relay: Relay, request: Request, fold: Fold) -> tuple[Fold, int]:
    """Return the fold once the entity's overdue timers were delivered, and how many led to events.

    In due order, with those that they set themselves and are overdue at once, without those that they cancel.
    """
    overdue = [
        timer
        for due, timer in own_timers(sender.store, sender.network, request.entity.id)
        if due and not relay.has_ended_processes(timer)
    ]
    fired = 0
    for _ in range(_MOST_TIMERS):
        if not overdue:
            break
        overdue.sort(key=_order)
        timer = overdue.pop(0)
        try:
            prepared = Delivery(relay.request(timer), sender.rules).prepare(fold)
        except (Unreadable, PachydermError):  # rejected, or to be tried again: the state is as it was
            continue
        if not prepared.append.events:
            continue
        fired += 1
        fold = prepared.committed.fold
        overdue = [each for each in overdue if each.timer not in prepared.append.cancels]
        overdue += _overdue_at_once(prepared)
    return fold, fired


def _overdue_at_once(prepared: Prepared) -> list[StoredEffect]:
    """Return the timers that a decision sets and that are due already."""
    append, now = prepared.append, prepared.append.recorded_at
    return [
        as_stored(each, append.entity, append.version, append.message_id)._replace(due_at=each.at or now)
        for each in append.outbox
        if each.to is not None and (each.to.id, each.to_network) == (append.entity.id, None) and each.is_overdue_at(now)
    ]


def _order(timer: StoredEffect) -> tuple[datetime, int, int]:
    return timer.due_at, timer.version, timer.ordinal


def _effects(prepared: Prepared) -> list[TriedEffect]:
    found = []
    for planned in prepared.committed.effects:
        queued, name = planned.queued, type(planned.effect).__name__
        if queued is None:
            found.append(TriedEffect(name, planned.effect.model_dump_json(by_alias=True, round_trip=True)))
        else:
            found.append(
                TriedEffect(name, queued.data, queued.to, queued.message, queued.timer, queued.at, queued.after)
            )
    return found
