"""From the effects that `handle` emitted to what is written to the outbox beside the events. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from pachyderm_cli.domain.codec import Unfaithful, encode_faithfully
from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.domain.identifiers import effect_id
from pachyderm_cli.domain.message import CancelTimer, Effect, Message, Send, Timer
from pachyderm_cli.domain.reference import NetworkReference, Reference, exact_reference
from pachyderm_cli.store.records import Lease, NewEffect


class Planned(NamedTuple):
    """An effect of a decision, as JSON gives it back; `queued` for the outbox, if it is not run at most once."""

    id: UUID
    effect: Effect
    queued: NewEffect | None


class Plan(NamedTuple):
    """What a decision's effects come to: in their order, what of them is queued, and which timers end."""

    effects: tuple[Planned, ...] = ()
    outbox: tuple[NewEffect, ...] = ()
    cancels: tuple[str, ...] = ()

    @property
    def sets_timer(self) -> bool:
        """Whether the entity will have a timer of its own."""
        return any(effect.timer is not None for effect in self.outbox)


NO_PLAN = Plan()
"""What no effects come to."""


class Origin(NamedTuple):
    """Where effects come from: the message that led to them, whose it was, and in which network."""

    message_id: UUID
    entity_type: EntityType
    entity: Reference
    network: str


def plan(effects: Sequence[Effect], origin: Origin, lease: Lease | None) -> Plan:
    """Return what the effects come to; those that are due at once are under `lease` from the start.

    Raises EntityFailed for what JSON cannot hold, and for a message that the entity itself could not take.
    """
    planned: list[Planned] = []
    cancels: list[str] = []
    for index, effect in enumerate(effects):
        if isinstance(effect, CancelTimer | Timer):
            # Of several timers of one name the last one counts.
            planned = [each for each in planned if each.queued is None or each.queued.timer != effect.name]
            cancels.append(effect.name)
        if isinstance(effect, CancelTimer):
            continue
        planned.append(_planned(effect, index, origin, lease))
    queued = tuple([each.queued for each in planned if each.queued is not None])
    return Plan(tuple(planned), queued, tuple(dict.fromkeys(cancels)))


def _planned(effect: Effect, index: int, origin: Origin, lease: Lease | None) -> Planned:
    identifier = effect_id(origin.message_id, index)
    if isinstance(effect, Send | Timer):
        return Planned(identifier, effect, _sending(effect, identifier, index, origin, lease))
    if effect.delivery == "at_most_once":
        return Planned(identifier, effect, None)
    text, decoded = _encoded(effect, effect, origin)
    name = type(effect).__name__
    queued = NewEffect(identifier, index, name, text, origin.entity_type.name, lease=lease)
    return Planned(identifier, decoded, queued)


def _sending(effect: Send | Timer, identifier: UUID, index: int, origin: Origin, lease: Lease | None) -> NewEffect:
    timer: str | None
    on_rejected = network = None
    if isinstance(effect, Timer):
        to, timer = origin.entity, effect.name
        _require_own(effect.message, effect, origin)
    else:
        to, network = _receiver(effect, origin)
        timer = "" if effect.is_delayed else None
        if effect.on_rejected is not None:
            _require_own(effect.on_rejected, effect, origin)
            on_rejected = _whole(effect.on_rejected, effect, origin)
    return NewEffect(
        id=identifier,
        ordinal=index,
        type=type(effect).__name__,
        data=_encoded(effect.message, effect, origin)[0],
        handler=to.type,
        to=to,
        message=type(effect.message).__name__,
        on_rejected=on_rejected,
        timer=timer,
        at=effect.at,
        after=effect.after,
        lease=None if effect.is_delayed else lease,
        to_network=network,
    )


def _receiver(effect: Send, origin: Origin) -> tuple[Reference, str | None]:
    """Return whom the message goes to, and the network if it is another."""
    if isinstance(effect.to, NetworkReference):
        return effect.to.entity, None if effect.to.network == origin.network else effect.to.network
    if isinstance(effect.to, Reference):
        return effect.to, None
    exact = exact_reference(origin.network, effect.to)
    assert exact is not None  # noqa: S101 - for mypy: Send takes no other forms
    return exact, None


def _require_own(message: Message, effect: Effect, origin: Origin) -> None:
    name = type(message).__name__
    if origin.entity_type.messages.get(name) is not type(message):
        raise origin.entity_type.broken(
            f"handle emitted a {type(effect).__name__} that would bring it the message {name}, which it does not take; "
            "add it to handle's annotation"
        )


def _whole(message: Message, effect: Effect, origin: Origin) -> str:
    name = json.dumps(type(message).__name__)
    return f'{{"message": {name}, "data": {_encoded(message, effect, origin)[0]}}}'


def _encoded(value: Message | Effect, effect: Effect, origin: Origin) -> tuple[str, Effect]:
    try:
        text, decoded = encode_faithfully(value)
    except Unfaithful as error:
        problem = f"the effect {type(effect).__name__} cannot be stored: {error}"
        raise origin.entity_type.broken(problem) from error
    return text, decoded  # type: ignore[return-value]  # of a message only the text is wanted
