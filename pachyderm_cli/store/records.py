"""What goes into the store and comes out of it, as values without SQL.

Named tuples: a send makes several, and a frozen dataclass takes three times as long to make.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum, IntEnum, StrEnum
from types import NoneType
from typing import Any, NamedTuple
from uuid import UUID

from pachyderm_cli.domain.reference import Reference

ERASED = "$erased"
"""The type of the row that an erasure leaves in the log, and of the entity's head from then on. No class has it."""


class NewEvent(NamedTuple):
    """An event that an append brings: the entity's event number `version`, its type's name and its JSON text.

    `type_version` is the version of its class.
    """

    version: int
    type: str
    data: str
    type_version: int = 1


class NewSnapshot(NamedTuple):
    """A state to be kept: the version it is at, the fingerprint of the code that folded it, its JSON text."""

    version: int
    fingerprint: str
    state: str


class RecordedMessage(NamedTuple):
    """A message that is in the log: whose it was, its fingerprint, and the versions it led to."""

    entity: Reference
    fingerprint: str
    first_version: int
    last_version: int
    recorded_at: datetime


class EffectStatus(StrEnum):
    """What became of an effect."""

    DONE = "done"
    FAILED = "failed"  # at most once, and that once it failed: never in the outbox
    PENDING = "pending"
    PARKED = "parked"
    REJECTED = "rejected"  # by the entity that it sent a message to
    DISCARDED = "discarded"


_Text = (str, NoneType)

EFFECT_COLUMNS: dict[str, Any] = {
    "id": str,
    "entity_id": str,
    "entity_type": str,
    "version": int,
    "message_id": str,
    "ordinal": int,
    "type": str,
    "data": str,
    "handler": str,
    "to_type": _Text,
    "to_id": _Text,
    "message": _Text,
    "on_rejected": _Text,
    "timer": _Text,
    "status": str,
    "attempts": int,
    "due_at": str,
    "next_attempt_at": _Text,
    "error": _Text,
    "created_at": str,
    "ended_at": _Text,
    "to_network": _Text,
}
"""What an effect is read from, in its order: the columns of the outbox, and what each of them holds."""


class Due(IntEnum):
    """Whether a timer is to be delivered."""

    NOT_YET = 0
    NOW = 1
    HELD = 2  # now, but a process has claimed it, and its lease has not run out


class NewEffect(NamedTuple):
    """An effect for the outbox: one of the project's own, or, where it has a receiver, a message to be sent.

    The receiver is in `to_network`; None stands for the network of the effect.

    `handler` is the entity type whose code carries it out. It is due `at` a time, or `after` so long by the database's
    clock. With a `lease` it is claimed from the start, its first attempt counted.
    """

    id: UUID
    ordinal: int
    type: str
    data: str
    handler: str
    to: Reference | None = None
    message: str | None = None
    on_rejected: str | None = None
    timer: str | None = None
    at: datetime | None = None
    after: timedelta | None = None
    lease: Lease | None = None
    to_network: str | None = None

    def is_overdue_at(self, moment: datetime) -> bool:
        """Tell whether it is a timer that is due at once, or was before it was set."""
        if self.timer is None:
            return False
        return self.at <= moment if self.at is not None else not self.after


class Lease(NamedTuple):
    """A claim on effects: its token, and how many seconds it lasts by the database's clock if it is not renewed."""

    token: UUID
    seconds: float


class StoredEffect(NamedTuple):
    """An effect in the outbox. `data` and `on_rejected` are JSON text; `entity` emitted it.

    `to` is in `to_network`; None stands for the network that the effect is in.
    """

    id: UUID
    entity: Reference
    version: int
    message_id: UUID
    ordinal: int
    type: str
    data: str
    handler: str
    to: Reference | None
    message: str | None
    on_rejected: str | None
    timer: str | None
    status: EffectStatus
    attempts: int
    due_at: datetime
    next_attempt_at: datetime | None
    error: str | None
    created_at: datetime
    ended_at: datetime | None
    to_network: str | None = None


class Held(NamedTuple):
    """An effect that is being carried out under a lease, in `network` if that is not the one that is worked in."""

    id: UUID
    lease: Lease
    network: str | None = None


class Append(NamedTuple):
    """One send's whole write: in together or not at all, decided by `expected_version`.

    `outbox` are effects to be carried out after it, `cancels` names of timers that end with it, and `settles` the
    effect that it is the outcome of, done with it. `lookup` is the state for those who look entities up by it.
    """

    entity: Reference
    expected_version: int
    events: tuple[NewEvent, ...]
    message_id: UUID
    message: str
    message_fingerprint: str
    caused_by: UUID | None
    recorded_at: datetime
    snapshot: NewSnapshot | None = None
    outbox: tuple[NewEffect, ...] = ()
    cancels: tuple[str, ...] = ()
    settles: Held | None = None
    lookup: NewSnapshot | None = None

    @property
    def version(self) -> int:
        """The entity's version once this is written."""
        return self.expected_version + len(self.events)

    def is_recorded_as(self, known: RecordedMessage) -> bool:
        """Tell whether `known` is this very append, not another send of the same message."""
        return (known.first_version, known.recorded_at) == (self.expected_version + 1, self.recorded_at)


class Outcome(Enum):
    """What became of an Append."""

    APPENDED = "appended"
    CONFLICT = "conflict"  # the entity is not at the expected version; nothing was written
    LEASE_LOST = "lease_lost"  # what it settles is no longer this process's to settle; nothing was written
    MESSAGE_ID_USED = "message_id_used"  # a message of this id is in the log already; nothing was written


class RecordedEvent(NamedTuple):
    """One event of the log, with all that was recorded beside it. `data` is JSON text as stored."""

    position: int
    entity: Reference
    version: int
    type: str
    data: str
    message: str
    message_id: UUID
    caused_by: UUID | None
    recorded_at: datetime
    type_version: int = 1


class StoredSnapshot(NamedTuple):
    """A snapshot as stored. `state` is JSON text."""

    entity: Reference
    version: int
    fingerprint: str
    state: str
    taken_at: datetime


class StoredLookup(NamedTuple):
    """A state kept of an entity, by JSON text, and the entity's head, which may have another version."""

    head: Head
    version: int
    fingerprint: str
    state: str


class Origin(NamedTuple):
    """Where a history was copied from: an entity at a version."""

    entity: Reference
    version: int
    forked_at: datetime


class Head(NamedTuple):
    """An entity as the store knows it without folding: `entity.type` is the type that handled it last."""

    entity: Reference
    version: int
    created_at: datetime
    updated_at: datetime
