"""An entity for tests: who runs its code leaves a trace, and waits there until the gate of its process is opened."""

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pachyderm_cli import Effect, Event, Message, Send
from tests.support.trace import leave


class SetOff(Message):
    """Emit an effect that succeeds and one that fails, and send a message."""


class Cross(Message):
    """Cross the gate."""


class Crossed(Event):
    pass


class Act(Effect):
    delivery = "at_least_once"
    max_attempts = 2
    mark: str

    def dispatch(self, _config: Mapping[str, Any]) -> None:
        """Cross the gate; then fail, if that is what the mark says."""
        cross(self.mark)
        if self.mark == "fails":
            raise RuntimeError("it fails")


def cross(mark: str) -> None:
    """Leave a trace and wait for the gate, which is a file; a process without one need not wait."""
    gate = os.environ.get("GATE")
    if gate is None:
        return
    leave(f"{gate}.trace", mark, os.getpid())
    end = time.monotonic() + 200
    while not Path(gate).exists() and time.monotonic() < end:
        time.sleep(0.005)


def init() -> int:
    """Return how many events there were before the first."""
    return 0


def handle(message: SetOff | Cross, state: int) -> Iterator[Crossed | Act | Send]:
    """Do what the message says."""
    match message:
        case SetOff():
            yield Crossed()
            yield Act(mark="succeeds")
            yield Act(mark="fails")
            yield Send(to="gated:@other", message=Cross())
        case Cross():
            cross("message")
            yield Crossed()


def update(event: Crossed, state: int) -> int:
    """Return the count with this one."""
    return state + 1
