"""An electric door lock: locked, unlocked, or jammed."""

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict

from pachyderm_cli import Event, Message, Rejected


class Lock(Message):
    pass


class Unlock(Message):
    key: Literal["red", "blue"]


class ReportJam(Message):
    pass


class Locked(Event):
    pass


class Unlocked(Event):
    key: str


class Jammed(Event):
    pass


class Door(BaseModel):
    model_config = ConfigDict(frozen=True)

    status: Literal["locked", "unlocked", "jammed"] = "locked"
    last_key: str | None = None


def init() -> Door:
    """Return the door as it is mounted."""
    return Door()


def handle(message: Lock | Unlock | ReportJam, state: Door) -> Iterator[Locked | Unlocked | Jammed]:
    """Turn the lock, unless it is jammed."""
    if state.status == "jammed":
        raise Rejected("the lock is jammed")
    match message:
        case Lock():
            yield Locked()
        case Unlock(key=key):
            yield Unlocked(key=key)
        case ReportJam():
            yield Jammed()


def update(event: Locked | Unlocked | Jammed, state: Door) -> Door:
    """Return the door after `event`."""
    # FAULT: no case for Jammed: the match falls through, and update returns None.
    match event:
        case Locked():
            return state.model_copy(update={"status": "locked"})
        case Unlocked(key=key):
            return state.model_copy(update={"status": "unlocked", "last_key": key})
