"""The side causes of a decision: what `handle` may know beside the message and the state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from random import Random
from uuid import UUID

from pachyderm_cli.domain.reference import Reference


@dataclass(frozen=True)
class Context:
    """What `handle(message, state, context)` may use beside its arguments.

    `now` is the time (UTC) that is also recorded with the events; `version` the entity's version that is decided
    at; `random` a generator seeded by message id and version. The same context gives the same decision again.
    Because the seed follows from the message id, `random` is for fair dice, not for secrets.
    """

    now: datetime
    message_id: UUID
    reference: Reference
    version: int

    @cached_property
    def random(self) -> Random:
        """A generator of this decision's own."""
        return Random(f"{self.message_id}:{self.version}")  # noqa: S311 - fair dice, as said above


@dataclass(frozen=True)
class EffectContext:
    """What `dispatch(config, context)` may know beside the effect's own fields.

    `id` is the effect's, the same at every attempt, so that the outside world can tell a repetition; `attempt` counts
    from 1; `entity` emitted the effect, in `network`, with the events that took it to `version`.
    """

    id: UUID
    attempt: int
    entity: Reference
    network: str
    version: int
