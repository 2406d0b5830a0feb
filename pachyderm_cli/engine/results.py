"""What the engine returns: frozen values; showing them is the command line's affair."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pachyderm_cli.domain.conditions import MISSING, read_path, value_at
from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.domain.message import Question
from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.errors import EffectFailed
from pachyderm_cli.store.records import (
    EffectStatus,
    Head,
    NewEvent,
    Origin,
    RecordedEvent,
    StoredEffect,
    StoredSnapshot,
)


@dataclass(frozen=True, kw_only=True)
class StateAt:
    """An entity's state at a version."""

    entity: Reference
    network: str
    version: int
    state: Any
    entity_type: EntityType = field(repr=False, compare=False)

    @property
    def state_json(self) -> str:
        """The state as JSON text. Raises EntityFailed where it has none."""
        return self.entity_type.state_json(self.state)


@dataclass(frozen=True, slots=True)
class EffectResult:
    """An effect of a send, and what became of it; `error` says why it failed, or was rejected.

    `to` is the receiver of what sends a message.
    """

    id: UUID
    type: str
    status: EffectStatus
    error: str | None = None
    to: Reference | None = None

    @property
    def has_failed(self) -> bool:
        """Whether it was tried in vain: for good, or to be tried again."""
        return self.error is not None and self.status in _FAILURES


_FAILURES = (EffectStatus.FAILED, EffectStatus.PENDING, EffectStatus.PARKED)


@dataclass(frozen=True, slots=True)
class QueuedEffect:
    """An effect in the outbox; `unreadable` says why no code here can carry it out, if that is so."""

    stored: StoredEffect
    unreadable: str | None


@dataclass(frozen=True, slots=True)
class Worked:
    """An attempt that a worker made at an effect that `entity` emitted at `version`, and what came of it.

    `seconds` is how long it took; None for what is run at most once, beside another effect.
    """

    entity: Reference
    version: int
    attempt: int
    result: EffectResult
    seconds: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CausedMessage:
    """A message in a tree of causes, `depth` steps from the one that began it.

    `status` and `error` say how its delivery went, where an entity sent it; `events` are what it led to, `effects`
    those of the outbox that are no messages. Of a cause that is not in the network only the id is known; a copy of
    another entity's history has `copied_from`, and neither message nor events.
    """

    depth: int
    message_id: UUID
    caused_by: UUID | None
    entity: Reference | None
    message: str | None
    status: EffectStatus | None
    error: str | None
    events: tuple[RecordedEvent, ...]
    effects: tuple[StoredEffect, ...]
    copied_from: Origin | None = None


@dataclass(frozen=True, kw_only=True)
class Sent(StateAt):
    """What a send led to. `duplicate`: the message id was known, and this is its first outcome once more.

    `left` is how many messages to other entities were left to a worker, because there were too many; `answer` what the
    entity said to the question that was asked with the message, at this version.
    """

    message_id: UUID
    duplicate: bool
    events: tuple[NewEvent, ...]
    effects: tuple[EffectResult, ...]
    left: int = 0
    answer: Any = None

    @property
    def failed_effects(self) -> tuple[EffectResult, ...]:
        """The effects that ran in this process and failed."""
        return tuple(effect for effect in self.effects if effect.has_failed)

    def require_effects(self) -> None:
        """Raise EffectFailed if an effect that ran in this process failed; the message is committed all the same."""
        if self.effects and self.failed_effects:
            told = "; ".join(f"{effect.type}: {effect.error}" for effect in self.failed_effects)
            raise EffectFailed(
                f"the message is committed (version {self.version}), but an effect failed: {told}",
                entity=str(self.entity),
                version=self.version,
            )


@dataclass(frozen=True, slots=True)
class TriedEffect:
    """An effect that a message would lead to; `data` is JSON text, that of the message where it sends one."""

    type: str
    data: str
    to: Reference | None = None
    message: str | None = None
    timer: str | None = None
    at: datetime | None = None
    after: timedelta | None = None


@dataclass(frozen=True, kw_only=True)
class Tried(StateAt):
    """What a message would lead to: the state after it, its events and effects. Nothing was written.

    `decided_at` is the version that it was decided at, after so many of the entity's own overdue `timers`.
    """

    decided_at: int
    timers: int
    events: tuple[NewEvent, ...]
    effects: tuple[TriedEffect, ...]


@dataclass(frozen=True, slots=True)
class Replayed:
    """How the replay of an entity went, up to a version; `problem` says why it does not come out as it did, if so.

    `diverged_at` is the first version at which that shows, and `event` the type of the event there.
    """

    entity: Reference
    version: int
    problem: str | None = None
    diverged_at: int | None = None
    event: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundByState:
    """An entity that was found by its state; `state_json` is the state as stored."""

    head: Head
    state: Any
    state_json: str

    def fields(self, paths: Iterable[str]) -> dict[str, Any]:
        """Return what the state as stored has at some paths, by path; None where it has nothing.

        Raises UsageError for what is no path.
        """
        whole = json.loads(self.state_json)
        found = {path: value_at(whole, read_path(path)) for path in paths}
        return {path: None if value is MISSING else value for path, value in found.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Lookup:
    """The entities that a lookup found, and how many it left out because what is kept of their state is stale."""

    found: tuple[FoundByState, ...]
    stale: int


@dataclass(frozen=True, kw_only=True)
class Forked(StateAt):
    """A copy of a history: the new entity, and where it came from."""

    origin: Origin


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """Two states side by side: of an entity at two versions, or of two entities."""

    left: StateAt
    right: StateAt

    @property
    def changes(self) -> list[dict[str, Any]]:
        """What leads from the left state to the right one, as a JSON Patch (RFC 6902)."""
        return json_patch(self.left.state_json, self.right.state_json)


@dataclass(frozen=True, kw_only=True)
class Answer(StateAt):
    """What an entity answered to a question at a version."""

    question: Question
    answer: Any

    @property
    def answer_json(self) -> str:
        """The answer as JSON text. Raises EntityFailed where it has none."""
        return self.entity_type.answer_json(self.answer)


@dataclass(frozen=True, kw_only=True)
class Step(StateAt):
    """One event of a replay and the state after it; `before_json` is the state before it."""

    event: RecordedEvent
    before_json: str

    @property
    def changes(self) -> list[dict[str, Any]]:
        """What the event changed in the state, as a JSON Patch (RFC 6902)."""
        return json_patch(self.before_json, self.state_json)


def json_patch(before: str, after: str) -> list[dict[str, Any]]:
    """Return what leads from one JSON text to another, as a JSON Patch (RFC 6902)."""
    import jsonpatch  # noqa: PLC0415 - only steps and differences need it

    patch: list[dict[str, Any]] = jsonpatch.make_patch(json.loads(before), json.loads(after)).patch
    return patch


@dataclass(frozen=True, kw_only=True)
class Inspection(StateAt):
    """All that is known of an entity now: `effects` are those not done, but for its `timers`."""

    created_at: datetime
    updated_at: datetime
    snapshots: tuple[StoredSnapshot, ...]
    effects: tuple[StoredEffect, ...] = ()
    timers: tuple[StoredEffect, ...] = ()
    origin: Origin | None = None
