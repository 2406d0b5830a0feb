"""The outbox: effects that were committed with their events, claimed under leases until something became of them.

Every time is the database's. A lease that ran out belongs to whoever claims it next, and everything that is done under
a lease asks whether it still holds: so two never both finish one effect.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.domain.timestamps import from_text
from pachyderm_cli.store.distance import NOW, distance
from pachyderm_cli.store.failures import json_text, reads
from pachyderm_cli.store.parameters import cancel_parameters, effect_row
from pachyderm_cli.store.records import (
    EFFECT_COLUMNS,
    Append,
    Due,
    EffectStatus,
    Held,
    Lease,
    NewEffect,
    StoredEffect,
)
from pachyderm_cli.store.settling import key_of
from pachyderm_cli.store.statement import Statement, Statements, Transaction
from pachyderm_cli.store.store import Store

_said = Statements("outbox")
_queueing = Statements("enqueue")

_EVERY = 2**62
_ENDED = {EffectStatus.DONE, EffectStatus.REJECTED, EffectStatus.DISCARDED}


def write_outbox(transaction: Transaction, appends: Iterable[tuple[Append, dict[str, Any]]]) -> None:
    """Insert the effects of appends, with their parameters, in order, and cancel timers.

    Inside the caller's transaction, after the appends' events.
    """
    rows: list[dict[str, Any]] = []
    for each, parameters in appends:
        if each.cancels:  # what is inserted before may be what it cancels
            transaction.run_many(_queueing.INSERT_EFFECT, rows)
            rows = []
            transaction.count(_queueing.CANCEL_TIMERS, {**parameters, **cancel_parameters(each)})
        rows += [{**parameters, **effect_row(effect)} for effect in each.outbox]
    transaction.run_many(_queueing.INSERT_EFFECT, rows)


def claim(store: Store, network: str, handlers: Sequence[str], lease: Lease, most: int) -> list[StoredEffect]:
    """Lease up to `most` effects that are due and that one of `handlers` carries out; return them, by due time.

    Those that are suspect are left out.
    """
    # To look takes no lock; an idle worker is in nobody's way.
    if not _has(store, _said.HAS_CANDIDATES, network, handlers):
        return []
    return _claimed(store, _said.CLAIM, network, handlers, lease, most)


def has_suspect(store: Store, network: str, handlers: Sequence[str]) -> bool:
    """Tell whether an effect is due that was begun, but not ended, when its process ended, and that not only once."""
    return _has(store, _said.HAS_SUSPECTS, network, handlers)


def claim_suspect(store: Store, network: str, handlers: Sequence[str], lease: Lease) -> list[StoredEffect]:
    """Lease one suspect effect, if there is one; return it."""
    return _claimed(store, _said.CLAIM_SUSPECTS, network, handlers, lease, 1)


def _has(store: Store, statement: Statement, network: str, handlers: Sequence[str]) -> bool:
    parameters = {"network": network, "handlers": json.dumps(handlers), "most": 1}
    return bool(store.read(lambda transaction: transaction.rows(statement, parameters)))


def _claimed(
    store: Store, statement: Statement, network: str, handlers: Sequence[str], lease: Lease, most: int
) -> list[StoredEffect]:
    parameters = {
        "network": network,
        "handlers": json.dumps(handlers),
        "most": most,
        "lease": str(lease.token),
        "lease_for": distance(lease.seconds),
    }
    # On Postgres no effect is to run before the standby has its events too: a commit of one's own waits for all before.
    rows = store.write(lambda transaction: transaction.rows(statement, parameters), durable=not store.is_sqlite)
    return sorted(map(_effect, rows), key=lambda each: (each.due_at, each.version, each.ordinal))


def begin_attempt(store: Store, network: str, held: Held) -> bool:
    """Count an attempt that is about to be made; tell whether the lease still holds, which begins anew."""
    parameters = {**key_of(network, held), "lease_for": distance(held.lease.seconds)}
    return _marked(store, _said.BEGIN_ATTEMPT, parameters) == 1


def finish(store: Store, network: str, held: Held) -> bool:
    """Mark an effect done; tell whether its lease still held.

    It need not be on disk when this returns: an effect that is done is at worst run again, as at least once means.
    """
    return _marked(store, _said.FINISH, key_of(network, held)) == 1


def acknowledge(store: Store, network: str, held: Held) -> None:
    """Have an effect marked done with the next append, or soon, if its lease still holds then.

    Whoever reads the outbox by this store sees it done; other processes do within a few hundredths of a second.
    """
    store.acknowledgements.add(network, held)


def postpone(store: Store, network: str, held: Held, error: str, seconds: float) -> bool:
    """Let an effect that failed be tried again after so many seconds; tell whether its lease still held."""
    parameters = _ending(network, held, EffectStatus.PENDING, again_in=distance(seconds), error=error)
    return store.write(lambda transaction: transaction.count(_said.LET_GO, parameters)) == 1


def park(store: Store, network: str, held: Held, error: str, fingerprint: str | None) -> bool:
    """Keep an effect that is not to be tried again by this code; tell whether its lease still held."""
    parameters = _ending(network, held, EffectStatus.PARKED, error=error, fingerprint=fingerprint)
    return store.write(lambda transaction: transaction.count(_said.LET_GO, parameters)) == 1


def reject(store: Store, network: str, effect: StoredEffect, lease: Lease, reason: str, back: NewEffect | None) -> bool:
    """Record that the receiver rejected what `effect` sent, and queue what goes `back` to the sender.

    Tell whether the lease still held; if not, nothing was written.
    """
    ending = _ending(network, Held(effect.id, lease), EffectStatus.REJECTED, error=reason)
    origin = {
        "network": network,
        "entity_id": str(effect.entity.id),
        "entity_type": effect.entity.type,
        "to_version": effect.version,
        "message_id": str(effect.id),
    }

    def work(transaction: Transaction) -> bool:
        if transaction.count(_said.LET_GO, ending) != 1:
            return False
        if back is not None:
            transaction.count(_queueing.INSERT_EFFECT, {**origin, **effect_row(back)})
        return True

    return store.write(work)


def release(store: Store, network: str, held: Sequence[Held], *, counted: bool) -> None:
    """Leave effects that were claimed and not tried to whoever claims them next.

    `counted`: their attempt was counted when they were claimed.
    """
    each = [_ending(network, one, EffectStatus.PENDING, again_in=NOW, uncounted=1 if counted else 0) for one in held]
    store.write(lambda transaction: transaction.run_many(_said.LET_GO, each), durable=False)


def renew(store: Store, network: str, lease: Lease) -> int:
    """Let the lease begin anew on all that is still held under it; return how many effects those are."""
    parameters = {"network": network, "held_by": str(lease.token), "lease_for": distance(lease.seconds)}
    return _marked(store, _said.RENEW, parameters, waits=False)


def own_timers(store: Store, network: str, entity_id: UUID) -> list[tuple[Due, StoredEffect]]:
    """Return the timers that the entity has set for itself, by due time, and whether each is to be delivered."""
    parameters = {"network": network, "entity_id": str(entity_id)}
    rows = store.read(lambda transaction: transaction.rows(_said.OWN_TIMERS, parameters))
    return [(Due(due), _effect(row)) for due, *row in rows]


def seize(store: Store, network: str, held: Held) -> bool:
    """Lease an overdue timer, though another process may have claimed it, and count the attempt; tell if it was."""
    parameters = {
        "network": network,
        "id": str(held.id),
        "lease": str(held.lease.token),
        "lease_for": distance(held.lease.seconds),
    }
    return _marked(store, _said.SEIZE, parameters) == 1


def next_due(store: Store, network: str) -> float | None:
    """Return in how many seconds something will be due, negative if it is; None if nothing waits."""
    store.acknowledgements.flush()
    rows = store.read(lambda transaction: transaction.rows(_said.NEXT_DUE, {"network": network, "most": 1}))
    if not rows:
        return None
    return _distance(rows[0])


@reads("the time of an effect", str, str)
def _distance(row: Sequence[Any]) -> float:
    due, now = (from_text(text) for text in row)
    return (due - now).total_seconds()


def handlers_of_parked(store: Store, network: str) -> list[str]:
    """Return the entity types that carry out what is parked."""
    rows = store.read(lambda transaction: transaction.rows(_said.HANDLERS_OF_PARKED, {"network": network}))
    return [handler for (handler,) in rows]


def revive(store: Store, network: str, handler: str, fingerprint: str) -> int:
    """Let what was parked with other code of `handler` be tried again; return how many effects that is."""
    parameters = {"network": network, "handler_name": handler, "current": fingerprint}
    return store.write(lambda transaction: transaction.count(_said.REVIVE, parameters))


def retry(store: Store, network: str, effect_id: UUID) -> bool:
    """Let an effect that failed be tried again at once; tell whether there was one that is not being tried now."""
    store.acknowledgements.flush()
    parameters = {"network": network, "id": str(effect_id)}
    return store.write(lambda transaction: transaction.count(_said.RETRY, parameters)) == 1


def discard(store: Store, network: str, effect_id: UUID, why: str) -> bool:
    """Give up an effect that is not ended; tell whether there was one."""
    store.acknowledgements.flush()
    parameters = {"network": network, "id": str(effect_id), "error": _storable(why)}
    return store.write(lambda transaction: transaction.count(_said.DISCARD, parameters)) == 1


def effects_with_status(store: Store, network: str, status: EffectStatus) -> Iterator[StoredEffect]:
    """Yield the effects of one status, the next to be tried first. Streamed."""
    store.acknowledgements.flush()
    with store.streaming() as transaction:
        for row in transaction.stream(_said.one_of("BY_STATUS", status), {"network": network}):
            yield _effect(row)


def effects_of_entity(store: Store, network: str, entity_id: UUID) -> list[StoredEffect]:
    """Return what the entity emitted and is not ended, by due time."""
    return _found(store, _said.OF_ENTITY, {"network": network, "entity_id": str(entity_id)})


def effects_of_messages(store: Store, network: str, message_ids: Sequence[UUID]) -> list[StoredEffect]:
    """Return the effects that some messages led to, by message and in order."""
    ids = json.dumps([str(each) for each in message_ids])
    return _found(store, _said.BY_MESSAGES, {"network": network, "message_ids": ids})


def effects_between(store: Store, network: str, first: UUID, last: UUID, most: int) -> list[StoredEffect]:
    """Return up to `most` effects with ids from `first` to `last`, by id."""
    return _found(store, _said.BY_IDS, {"network": network, "first": str(first), "last": str(last), "most": most})


def _found(store: Store, statement: Statement, parameters: dict[str, Any]) -> list[StoredEffect]:
    store.acknowledgements.flush()
    return [_effect(row) for row in store.read(lambda transaction: transaction.rows(statement, parameters))]


def _marked(store: Store, statement: Statement, parameters: dict[str, Any], *, waits: bool = True) -> int:
    """Run a statement that says by itself that it need not wait for the disk; return how many rows it changed."""
    return store.run(lambda transaction: transaction.count_soon(statement, parameters), waits=waits)


def _ending(  # noqa: PLR0913 - what a lease may end with, by keyword
    network: str,
    held: Held,
    status: EffectStatus,
    *,
    again_in: str | None = None,
    error: str | None = None,
    fingerprint: str | None = None,
    uncounted: int = 0,
) -> dict[str, Any]:
    return {
        **key_of(network, held),
        "status": status.value,
        "again_in": again_in,
        "error": None if error is None else _storable(error),
        "fingerprint": fingerprint,
        "uncounted": uncounted,
        "ended": NOW if status in _ENDED else None,
    }


def _storable(text: object) -> str:
    """Return a text of user code's so that each database keeps it: no lone surrogate and no null character in it."""
    return str(text).encode(errors="backslashreplace").decode().replace("\0", "\\x00")


@reads("an effect", *EFFECT_COLUMNS.values())
def _effect(row: Sequence[Any]) -> StoredEffect:
    found = dict(zip(EFFECT_COLUMNS, row, strict=True))
    entity = Reference(found.pop("entity_type"), UUID(found.pop("entity_id")))
    to_type, to_id = found.pop("to_type"), found.pop("to_id")
    return StoredEffect(
        **{
            **found,
            "id": UUID(found["id"]),
            "entity": entity,
            "message_id": UUID(found["message_id"]),
            "data": json_text(found["data"]),
            "on_rejected": None if found["on_rejected"] is None else json_text(found["on_rejected"]),
            "to": None if to_type is None else Reference(to_type, UUID(to_id)),
            "status": EffectStatus(found["status"]),
            "due_at": from_text(found["due_at"]),
            "next_attempt_at": _moment(found["next_attempt_at"]),
            "created_at": from_text(found["created_at"]),
            "ended_at": _moment(found["ended_at"]),
        }
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else from_text(text)
