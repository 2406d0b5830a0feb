"""A courier: an entity whose effects are kept in the outbox, and who writes to others."""

import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from pachyderm_cli import CancelTimer, Effect, Event, Message, Rejected, Send, Timer, in_network


class Post(Message):
    """Write a letter, whose first so many attempts fail."""

    text: str
    failing: int = 0


class Risk(Message):
    """Write a letter that is tried once."""

    text: str


class Nap(Message):
    """Sleep, as an effect."""

    seconds: float


class Forward(Message):
    """Have another courier write the letter, maybe one of another network."""

    to: str
    text: str
    network: str | None = None


class Pass(Message):
    """Pass it on to oneself, so many times."""

    times: int


class Offer(Message):
    """Offer another courier what it will not take."""

    to: str


class Take(Message):
    """Be rejected."""


class Regret(Message):
    """Take note of a rejection."""


class Remind(Message):
    """Set a timer."""

    name: str
    seconds: int


class Forget(Message):
    """Cancel a timer."""

    name: str


class Later(Message):
    """Have another courier write a letter later."""

    to: str
    seconds: int


class Noted(Event):
    """Something was asked for."""

    what: str


class Letter(Effect):
    """Write the text to the file `letters`, one a line."""

    delivery = "at_least_once"

    text: str
    failing: int

    def dispatch(self, config: Mapping[str, Any], context: Any) -> None:  # noqa: ARG002 - the protocol gives it
        """Write."""
        print(f"writing {self.text}")  # noqa: T201 - to be found on standard error
        if context.attempt <= self.failing:
            raise OSError("the pen is broken")
        with Path("letters").open("a", encoding="utf-8") as file:
            file.write(f"{self.text}\n")


class RiskyLetter(Effect):
    """Fail unless the file `ink` is there."""

    delivery = "at_least_once"
    max_attempts = 1
    timeout = 5.0

    text: str

    def dispatch(self, config: Mapping[str, Any]) -> None:  # noqa: ARG002 - the protocol gives it
        """Write, with ink."""
        if not Path("ink").exists():
            raise OSError("no ink")


class Sleep(Effect):
    """Say that it begins by the file `asleep`, and take so long."""

    delivery = "at_least_once"

    seconds: float

    def dispatch(self, config: Mapping[str, Any]) -> None:  # noqa: ARG002 - the protocol gives it
        """Sleep."""
        Path("asleep").touch()
        time.sleep(self.seconds)


class State(BaseModel):
    """What was asked for last."""

    model_config = ConfigDict(frozen=True)

    what: str = ""


def init() -> State:
    """Return the courier nobody asked for anything."""
    return State()


def handle(
    message: Post | Risk | Nap | Forward | Pass | Offer | Take | Regret | Remind | Forget | Later, state: State
) -> Iterator[Noted | Letter | RiskyLetter | Sleep]:
    """Note what was asked for, and do it."""
    if isinstance(message, Take):
        raise Rejected("no room")
    yield Noted(what=type(message).__name__)
    yield from _effects(message)  # type: ignore[misc]  # pachyderm's own effects need no annotation


def _effects(message: Message) -> Iterator[Effect]:
    match message:
        case Post(text=text, failing=failing):
            yield Letter(text=text, failing=failing)
        case Risk(text=text):
            yield RiskyLetter(text=text)
        case Nap(seconds=seconds):
            yield Sleep(seconds=seconds)
        case Forward(to=to, text=text, network=network):
            yield Send(to=to if network is None else in_network(network, to), message=Post(text=text))
        case Pass(times=times) if times:
            yield Send(to="courier:@passing", message=Pass(times=times - 1))
        case Offer(to=to):
            yield Send(to=to, message=Take(), on_rejected=Regret())
        case Remind(name=name, seconds=seconds):
            yield Timer(name, after=timedelta(seconds=seconds), message=Post(text=name))
        case Forget(name=name):
            yield CancelTimer(name)
        case Later(to=to, seconds=seconds):
            yield Send(to=to, message=Post(text="late"), after=timedelta(seconds=seconds))


def update(event: Noted, state: State) -> State:
    """Return what was asked for last."""
    return State(what=event.what)
