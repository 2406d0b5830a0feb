"""An audit log: whoever did something is written down, and nobody needs a state; it is None for ever."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, Field

from pachyderm_cli import Context, Effect, Event, Message


class Level(StrEnum):
    INFO = "info"
    WARNING = "warning"
    ALERT = "alert"


class Record(Message):
    actor: UUID
    action: str = Field(default="look", max_length=100)
    level: Level = Level.INFO


class Recorded(Event):
    actor: UUID
    action: str
    level: Level
    at: AwareDatetime


class Page(Effect):
    delivery = "at_least_once"

    actor: UUID
    at: datetime

    def dispatch(self, config: dict[str, Any]) -> None:
        """Wake somebody up."""


def handle(message: Record, state: None, context: Context) -> Iterator[Recorded | Page]:
    """Record everything, and wake somebody up for an alert."""
    yield Recorded(actor=message.actor, action=message.action, level=message.level, at=context.now)
    if message.level is Level.ALERT:
        yield Page(actor=message.actor, at=context.now)


def update(event: Recorded, state: None) -> None:
    """Return nothing: the events are all there is."""
