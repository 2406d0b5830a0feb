"""A time clock: when somebody came and went."""

from collections.abc import Iterator
from datetime import UTC, datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from pachyderm_cli import Event, Message, Rejected


def _now() -> datetime:
    return datetime.now(UTC)


class Come(Message):
    pass


class Go(Message):
    pass


class Came(Event):
    # FAULT: the event takes its time from the clock, so that handle decides otherwise at each try; context.now is it.
    at: AwareDatetime = Field(default_factory=_now)


class Gone(Event):
    at: AwareDatetime = Field(default_factory=_now)


class Day(BaseModel):
    model_config = ConfigDict(frozen=True)

    present: bool = False
    stamps: tuple[datetime, ...] = ()


def init() -> Day:
    """Return the day before work."""
    return Day()


def handle(message: Come | Go, state: Day) -> Iterator[Came | Gone]:
    """Let somebody come who is gone, and go who has come."""
    match message:
        case Come():
            if state.present:
                raise Rejected("already here")
            yield Came()
        case Go():
            if not state.present:
                raise Rejected("not here")
            yield Gone()


def update(event: Came | Gone, state: Day) -> Day:
    """Return the day after `event`."""
    return Day(present=isinstance(event, Came), stamps=(*state.stamps, event.at))
