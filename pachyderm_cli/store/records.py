"""What goes into the store and comes out of it, as values without SQL.

Named tuples: a send makes several, and a frozen dataclass takes three times as long to make.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import NamedTuple
from uuid import UUID

from pachyderm_cli.domain.reference import Reference


class NewEvent(NamedTuple):
    """An event to be appended: its type's name and its JSON text."""

    type: str
    data: str


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


class Append(NamedTuple):
    """One send's whole write: in together or not at all, decided by `expected_version`."""

    entity: Reference
    expected_version: int
    events: tuple[NewEvent, ...]
    message_id: UUID
    message: str
    message_fingerprint: str
    caused_by: UUID | None
    recorded_at: datetime
    snapshot: NewSnapshot | None = None

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


class StoredSnapshot(NamedTuple):
    """A snapshot as stored. `state` is JSON text."""

    entity: Reference
    version: int
    fingerprint: str
    state: str
    taken_at: datetime


class Head(NamedTuple):
    """An entity as the store knows it without folding: `entity.type` is the type that handled it last."""

    entity: Reference
    version: int
    created_at: datetime
    updated_at: datetime
