"""A box: an entity that does whatever the tests of the command line need one to do."""

import json
import time
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, Field

from pachyderm_cli import Effect, Event, Message, Rejected


class Place(BaseModel):
    """Somewhere."""

    city: str
    floor: int = 0


class Content(BaseModel):
    """A field of every usual type."""

    text: str = ""
    whole: int = 0
    exact: Decimal = Decimal(0)
    real: float = 0.0
    sure: bool = False
    day: date | None = None
    moment: AwareDatetime | None = None
    tags: list[str] = Field(default_factory=list)
    place: Place | None = None
    size: Literal["small", "large"] = "small"


class PutIn(Content, Message):
    """Put something in."""


class Weigh(Message):
    """Note a weight, which has to be given."""

    grams: int = Field(gt=0)


class Refuse(Message):
    """Be refused."""

    reason: str = "the box is shut"


class Crash(Message):
    """Run into a fault of the box's own code."""

    where: Literal["handle", "update", "late", "effect-alone", "nothing-iterable", "state"]


class Ring(Message):
    """Ring the bell, and let the first `failing` of the rings fail."""

    times: int = 1
    failing: int = 0


class Pause(Message):
    """Take long: in `handle`, or in the effect."""

    where: Literal["handle", "effect"]
    flag: str


class Look(Message):
    """Change nothing."""


class Filled(Content, Event):
    """Something was put in."""


class Weighed(Event):
    """The weight is known."""

    grams: int


class Rang(Event):
    """The bell is to ring."""


class Fell(Event):
    """The box fell, which its reducer cannot take."""

    state_too: bool = False


class Bell(Effect):
    """Write the config that came in to the file it names."""

    number: int
    fails: bool

    def dispatch(self, config: Mapping[str, Any]) -> None:
        """Ring."""
        if "out" in config:
            with Path(config["out"]).open("a", encoding="utf-8") as file:
                file.write(json.dumps([self.number, dict(config)]) + "\n")
        if self.fails:
            raise OSError(f"the bell {self.number} is broken")


class Sleep(Effect):
    """Raise a flag, and sleep."""

    flag: str

    def dispatch(self, config: Mapping[str, Any]) -> None:  # noqa: ARG002 - the protocol gives it
        """Sleep."""
        _sleep(self.flag)


class State(BaseModel):
    """What is in the box."""

    content: Content | None = None
    grams: int = 0
    rings: int = 0


def init() -> State:
    """Return the empty box."""
    return State()


def handle(
    message: PutIn | Weigh | Refuse | Crash | Ring | Pause | Look, state: State
) -> Iterator[Filled | Weighed | Rang | Fell | Bell | Sleep]:
    """Do as told."""
    match message:
        case PutIn():
            yield Filled(**dict(message))
        case Weigh(grams=grams):
            yield Weighed(grams=grams)
        case Refuse(reason=reason):
            raise Rejected(reason)
        case Crash(where=where):
            yield from _crash(where)
        case Ring(times=times, failing=failing):
            yield Rang()
            yield from (Bell(number=number, fails=number <= failing) for number in range(1, times + 1))
        case Pause(where="handle", flag=flag):
            yield Rang()
            _sleep(flag)
        case Pause(flag=flag):
            yield Rang()
            yield Sleep(flag=flag)
        case Look():
            return


def update(event: Filled | Weighed | Rang | Fell, state: State) -> State:
    """Return the box after `event`."""
    match event:
        case Filled():
            return state.model_copy(update={"content": Content(**dict(event))})
        case Weighed(grams=grams):
            return state.model_copy(update={"grams": grams})
        case Rang():
            return state.model_copy(update={"rings": state.rings + 1})
        case Fell(state_too=True):
            return "no state at all"  # type: ignore[return-value]  # the fault that is wanted
        case Fell():
            raise ZeroDivisionError("update broke")


def _crash(where: str) -> Iterator[Any]:
    if where == "handle":
        raise ValueError("handle broke")
    if where == "effect-alone":
        yield Bell(number=1, fails=False)
    elif where == "nothing-iterable":
        yield "a string"
    else:
        yield Fell(state_too=where == "state")
    if where == "late":
        raise KeyError("late")


def _sleep(flag: str) -> None:
    Path(flag).touch()
    time.sleep(60)
