"""What the statements of an append are given."""

from __future__ import annotations

import json
from itertools import compress
from typing import Any, NamedTuple
from uuid import UUID

from pachyderm_cli.domain.reference import id_text
from pachyderm_cli.domain.timestamps import to_text
from pachyderm_cli.store.distance import NOW, distance
from pachyderm_cli.store.records import Append, NewEffect

_NO_EFFECT = UUID(int=0)


class Parts(NamedTuple):
    """What one statement for Postgres does, beside moving a head and inserting its events."""

    creates: bool
    queues: bool
    cancels: bool
    marks: bool

    @property
    def name(self) -> str:
        """Their names, with commas."""
        return ",".join(compress(self._fields, self))


def rows_of(each: Append, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the parameters of the inserts of the append's events, given its own, which are those of the first."""
    if len(each.events) == 1:
        return [parameters]
    return [
        {
            **parameters,
            "version": version,
            "ordinal": ordinal,
            "type": type_name,
            "data": data,
            "type_version": type_version,
        }
        for ordinal, (version, type_name, data, type_version) in enumerate(each.events)
    ]


def with_given(network: str, each: Append) -> dict[str, Any]:
    """Return the parameters of the one statement for Postgres, which takes the events as one JSON text."""
    given = [
        {"type": type_name, "data": data, "type_version": type_version, "ordinal": ordinal}
        for ordinal, (_, type_name, data, type_version) in enumerate(each.events)
    ]
    parameters = parameters_of(network, each)
    parameters["events"] = json.dumps(given)
    if each.outbox or each.cancels:
        parameters.update(outbox_parameters(each))
    return parameters


def parameters_of(network: str, each: Append) -> dict[str, Any]:
    """Return the parameters of a head's move, and of the insert of the first event. Most appends have no other."""
    recorded_at = to_text(each.recorded_at)
    version, type_name, data, type_version = each.events[0]
    return {
        "network": network,
        "entity_id": id_text(each.entity.id.int),
        "expected": each.expected_version,
        "ahead": 0,  # events that go into the log before these
        "to_version": each.expected_version + len(each.events),
        "entity_type": each.entity.type,
        "message_id": str(each.message_id),
        "message": each.message,
        "message_fingerprint": each.message_fingerprint,
        "caused_by": None if each.caused_by is None else str(each.caused_by),
        "recorded_at": recorded_at,
        "created_at": recorded_at,
        "version": version,
        "ordinal": 0,
        "type": type_name,
        "data": data,
        "type_version": type_version,
    }


def effect_row(effect: NewEffect) -> dict[str, Any]:
    """Return what is the effect's own among the parameters of its insert."""
    to, lease = effect.to, effect.lease
    after = None if effect.at is not None else NOW if effect.after is None else distance(effect.after)
    return {
        "id": str(effect.id),
        "ordinal": effect.ordinal,
        "type": effect.type,
        "data": effect.data,
        "handler": effect.handler,
        "to_type": None if to is None else to.type,
        "to_id": None if to is None else str(to.id),
        "to_network": effect.to_network,
        "message": effect.message,
        "on_rejected": effect.on_rejected,
        "timer": effect.timer,
        "attempts": 0 if lease is None else 1,
        "lease": None if lease is None else str(lease.token),
        "at": None if effect.at is None else to_text(effect.at),
        "after": after,
        "leased_for": None if lease is None else distance(lease.seconds),
    }


def cancel_parameters(each: Append) -> dict[str, str]:
    """Return which timers end with an append."""
    settles = _NO_EFFECT if each.settles is None else each.settles.id
    return {"cancels": json.dumps(each.cancels), "settles": str(settles)}


def outbox_parameters(each: Append) -> dict[str, str]:
    """Return what the one statement for Postgres takes for the outbox's part."""
    effects = {"effects": json.dumps([effect_row(effect) for effect in each.outbox])}
    return {**effects, **cancel_parameters(each)} if each.cancels else effects
