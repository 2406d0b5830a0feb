"""What a message would lead to: decided as a send would, and not written."""

from __future__ import annotations

from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.engine.deciding import Delivery, Prepared, Request
from pachyderm_cli.engine.folding import Fold
from pachyderm_cli.engine.relay import Relay, Unreadable
from pachyderm_cli.engine.results import Tried, TriedEffect
from pachyderm_cli.engine.sending import Sender
from pachyderm_cli.errors import PachydermError
from pachyderm_cli.store.outbox import own_timers

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
    return Tried(
        entity=request.entity,
        network=sender.network,
        version=prepared.fold.version,
        state=prepared.fold.state,
        entity_type=request.entity_type,
        decided_at=fold.version,
        timers=fired,
        events=prepared.committed().events,
        effects=tuple(_effects(prepared)),
    )


def _after_timers(sender: Sender, relay: Relay, request: Request, fold: Fold) -> tuple[Fold, int]:
    """Return the fold once the entity's overdue timers were delivered, and how many led to events."""
    fired = 0
    for is_overdue, timer in own_timers(sender.store, sender.network, request.entity.id)[:_MOST_TIMERS]:
        if not is_overdue:
            continue
        try:
            prepared = Delivery(relay.request(timer), sender.rules).prepare(fold)
        except (Unreadable, PachydermError):  # rejected, or to be tried again: the state is as it was
            continue
        fired += bool(prepared.append.events)
        fold = prepared.fold
    return fold, fired


def _effects(prepared: Prepared) -> list[TriedEffect]:
    found = []
    for planned in prepared.effects:
        queued, name = planned.queued, type(planned.effect).__name__
        if queued is None:
            found.append(TriedEffect(name, planned.effect.model_dump_json(by_alias=True, round_trip=True)))
        else:
            found.append(
                TriedEffect(name, queued.data, queued.to, queued.message, queued.timer, queued.at, queued.after)
            )
    return found


def new_fold(entity_type: EntityType) -> Fold:
    """Return the fold of an entity that nothing was sent to."""
    return Fold(0, entity_type.initial(), 0)
