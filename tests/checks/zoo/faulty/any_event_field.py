"""A server's log book: what was done to it, and by whom, with details that differ from case to case."""

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from pachyderm_cli import Context, Event, Message, Rejected


class Restart(Message):
    by: Literal["ops", "cron"]


class Patch(Message):
    packages: tuple[Literal["kernel", "libc", "bash"], ...] = ("kernel",)


class Noted(Event):
    what: str
    details: dict[str, Any]


class LogBook(BaseModel):
    model_config = ConfigDict(frozen=True)

    entries: tuple[str, ...] = ()
    restarts: int = 0


def init() -> LogBook:
    """Return the empty book."""
    return LogBook()


def handle(message: Restart | Patch, state: LogBook, context: Context) -> Iterator[Noted]:
    """Note everything; patch only what was restarted before."""
    match message:
        case Restart(by=by):
            # FAULT: an untyped field does not keep the type: the time would come back from JSON as a string.
            yield Noted(what="restart", details={"by": by, "when": context.now})
        case Patch(packages=packages):
            if not state.restarts:
                raise Rejected("restart it first")
            yield Noted(what="patch", details={"count": len(packages)})


def update(event: Noted, state: LogBook) -> LogBook:
    """Return the book after `event`."""
    return LogBook(
        entries=(*state.entries, f"{event.what} ({', '.join(event.details)})"),
        restarts=state.restarts + (event.what == "restart"),
    )
