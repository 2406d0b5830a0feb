"""Erasing an entity on request: all of its data goes, and one row stays that says so."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pachyderm_cli.domain.identifiers import new_message_id
from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.domain.timestamps import from_text, to_text
from pachyderm_cli.errors import Erased
from pachyderm_cli.store.events import read_events
from pachyderm_cli.store.records import ERASED, RecordedEvent
from pachyderm_cli.store.statement import Statements, Transaction
from pachyderm_cli.store.store import Store

_MESSAGE = "$erase"

_said = Statements("erasing")


class Erasure(NamedTuple):
    """An entity that was erased: up to which version, when and why, and where in the log that stands.

    `events` and `effects` are how many rows went, `copies` entities that have the same history by a fork.
    """

    entity: Reference
    last_version: int
    position: int
    erased_at: datetime
    why: str
    events: int
    effects: int
    copies: tuple[Reference, ...]


def erase(store: Store, network: str, entity_id: UUID, why: str, at: datetime) -> Erasure | None:
    """Erase an entity in one transaction; return None if it is not there, or erased already.

    On SQLite its bytes are gone from the file too once `scrub` has run.
    """
    key = {"network": network, "entity_id": str(entity_id), "moment": to_text(at)}

    def work(transaction: Transaction) -> Erasure | None:
        types = transaction.rows(_said.LAST_TYPE, key)
        marked = transaction.rows(_said.MARK, key)  # from here on every append comes too late
        if not marked:
            return None
        (entity_type,), ((version,),) = types[0], marked
        # First the row that stays: SQLite gives it a position after all that are there.
        ((position,),) = transaction.rows(_said.LEAVE, tombstone_row(key, entity_type, version, why))
        gone = transaction.count(_said.EVENTS, {**key, "version": version})
        effects = transaction.count(_said.EFFECTS, key) + transaction.count(_said.BROUGHT, key)
        transaction.count(_said.ON_THEIR_WAY, key)
        for statement in (_said.SNAPSHOTS, _said.LOOKUPS):
            transaction.count(statement, key)
        copies = tuple(Reference(name, UUID(found)) for name, found in transaction.rows(_said.COPIES, key))
        entity = Reference(entity_type, entity_id)
        return Erasure(entity, version - 1, position, from_text(key["moment"]), why, gone, effects, copies)

    return store.write(work)


def scrub(store: Store, patience: float | None = None) -> bool:
    """Write a SQLite file anew, so that nothing that was deleted is left in it or beside it; tell whether it is done.

    It is not where others were in the way for so many seconds, by default as many as the store waits. Postgres cleans
    up by itself (VACUUM).
    """
    if not store.is_sqlite:
        return True
    deadline = time.monotonic() + (store.wait_seconds if patience is None else patience)
    store.run(lambda transaction: transaction.run("VACUUM"))
    while not store.run(_is_emptied):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _is_emptied(transaction: Transaction) -> bool:
    """Write what is in the log beside the file into the file, and empty it."""
    ((patience,),) = transaction.told("PRAGMA busy_timeout")
    transaction.run("PRAGMA busy_timeout=0")  # how long others are waited for is the caller's to say
    try:
        ((busy, *_),) = transaction.told("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        transaction.run(f"PRAGMA busy_timeout={patience:d}")
    return not busy


def tombstone(store: Store, network: str, entity_id: UUID) -> Erased:
    """Return the error that says that an entity was erased."""
    row = next(read_events(store, network, entity_id), None)
    return erased_error(row) if row is not None else Erased(f"the entity {entity_id} was erased", entity=str(entity_id))


def erased_error(row: RecordedEvent) -> Erased:
    """Return the error that says so, from the row that stayed."""
    said = json.loads(row.data)
    moment = to_text(row.recorded_at)
    return Erased(
        f"{row.entity} was erased on {moment}, at version {said['last_version']}: {said['why']}",
        entity=str(row.entity),
        erased_at=moment,
        why=said["why"],
        last_version=said["last_version"],
    )


def tombstone_row(key: dict[str, str], entity_type: str, version: int, why: str) -> dict[str, Any]:
    """Return the row that stays of an erased entity, at that version; `key` has its network, id and the moment."""
    return {
        "network": key["network"],
        "entity_id": key["entity_id"],
        "version": version,
        "entity_type": entity_type,
        "type": ERASED,
        "data": json.dumps({"last_version": version - 1, "why": why}, ensure_ascii=False, separators=(",", ":")),
        "message_id": str(new_message_id()),
        "ordinal": 0,
        "message": _MESSAGE,
        "message_fingerprint": "",
        "caused_by": None,
        "recorded_at": key["moment"],
        "type_version": 1,
    }
