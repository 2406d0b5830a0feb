"""An entity for tests: its effects take their time, fail, or end the process that runs them, and leave a trace."""

import os
import signal
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from pachyderm_cli import Effect, EffectContext, Event, Message, Send, Timer
from tests.support.trace import leave

MOST_ATTEMPTS = 3


class Emit(Message):
    """Emit effects: of each a mark and what it does."""

    effects: tuple[tuple[str, str], ...] = ()


class SetOff(Message):
    """Let another entity stumble, and this one end its process at once."""


class Stumble(Message):
    """Fail."""


class Explode(Message):
    """End the process."""


class Happened(Event):
    pass


class Act(Effect):
    delivery = "at_least_once"
    max_attempts = MOST_ATTEMPTS
    mark: str
    what: str

    def dispatch(self, config: Mapping[str, Any], context: EffectContext) -> None:
        """Leave a trace, then do what is to be done."""
        leave(config["trace"], self.mark, context.attempt, os.getpid())
        match self.what:
            case "raise":
                raise RuntimeError("poison")
            case "exit":
                os._exit(77)
            case "kill":
                time.sleep(0.1)
                os.kill(os.getpid(), signal.SIGKILL)
            case "take-time":
                time.sleep(0.3)


def init() -> int:
    """Return how many events there were before the first."""
    return 0


def handle(message: Emit | SetOff | Stumble | Explode, state: int) -> Iterator[Happened | Act | Send | Timer]:
    """Do what the message says."""
    match message:
        case Emit(effects=effects):
            yield Happened()
            yield from (Act(mark=mark, what=what) for mark, what in effects)
        case SetOff():
            yield Happened()
            yield Send(to="poisonous:@other", message=Stumble())
            yield Timer("end", after=timedelta(0), message=Explode())
        case Stumble():
            raise RuntimeError("stumbled")
        case Explode():
            os._exit(77)


def update(event: Happened, state: int) -> int:
    """Return the count with this one."""
    return state + 1
