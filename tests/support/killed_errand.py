"""An entity for tests: its messages say what they are to set off, and whatever runs leaves a trace with its mark."""

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from pachyderm_cli import Effect, EffectContext, Event, Message, Rejected, Send, Timer
from tests.support import trace

LONG_AGO = datetime(2001, 2, 3, tzinfo=UTC)


class Leg(BaseModel):
    """A message to the entity `to`, or a timer, if there is none; `back` is what comes back if it is refused.

    One that is `overdue` has a time long ago, the later the higher that number.
    """

    model_config = ConfigDict(frozen=True)

    errand: "Errand"
    to: str = ""
    overdue: int | None = None
    back: "Errand | None" = None


class Errand(Message):
    """Record the mark and set off the effects of those marks, and the legs; or be refused."""

    mark: str
    is_refused: bool = False
    durable: tuple[str, ...] = ()
    flaky: tuple[str, ...] = ()
    once: tuple[str, ...] = ()
    legs: tuple[Leg, ...] = ()


class Recorded(Event):
    mark: str


class Durable(Effect):
    delivery = "at_least_once"
    mark: str

    def dispatch(self, config: Mapping[str, Any], context: EffectContext) -> None:
        """Leave a trace."""
        trace.leave(config["trace"], "durable", self.mark, context.attempt, os.getpid())


class Flaky(Effect):
    delivery = "at_least_once"
    mark: str

    def dispatch(self, config: Mapping[str, Any], context: EffectContext) -> None:
        """Fail at the first attempt; at any other leave a trace."""
        if context.attempt == 1:
            raise RuntimeError("not at the first attempt")
        trace.leave(config["trace"], "durable", self.mark, context.attempt, os.getpid())


class Once(Effect):
    mark: str

    def dispatch(self, config: Mapping[str, Any]) -> None:
        """Leave a trace."""
        trace.leave(config["trace"], "once", self.mark, os.getpid())


def init() -> int:
    """Return how many errands were recorded before the first."""
    return 0


def handle(message: Errand, state: int) -> Iterator[Recorded | Durable | Flaky | Once | Send | Timer]:
    """Do what the message says."""
    if message.is_refused:
        raise Rejected(f"{message.mark} is refused")
    yield Recorded(mark=message.mark)
    yield from (Once(mark=mark) for mark in message.once)
    yield from (Durable(mark=mark) for mark in message.durable)
    yield from (Flaky(mark=mark) for mark in message.flaky)
    for leg in message.legs:
        at = None if leg.overdue is None else LONG_AGO + timedelta(hours=leg.overdue)
        if leg.to:
            yield Send(to=leg.to, message=leg.errand, at=at, on_rejected=leg.back)
        else:
            yield Timer(leg.errand.mark, at=at, message=leg.errand)


def update(event: Recorded, state: int) -> int:
    """Return the count with this one."""
    return state + 1


Leg.model_rebuild()
Errand.model_rebuild()
