"""An entity with a field of every usual kind, that takes whatever text it is given and fails where it is told to."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, Field

from pachyderm_cli import Effect, Event, Message, Question, Rejected

lookup = True


class Place(BaseModel):
    """Somewhere."""

    city: str
    floor: int = 0


class Content(BaseModel):
    """A field of every usual kind."""

    text: str = ""
    whole: int = 0
    exact: Decimal = Decimal(0)
    real: float = 0.0
    sure: bool = False
    day: date | None = None
    moment: AwareDatetime | None = None
    tags: list[str] = Field(default_factory=list)
    place: Place | None = None
    anything: dict[str, Any] = Field(default_factory=dict)
    size: Literal["small", "large"] = "small"


class PutIn(Content, Message):
    """Put something in."""


class Refuse(Message):
    """Be refused, for this reason."""

    reason: str


class Crash(Message):
    """Run into a fault of the chest's own code, which says this."""

    text: str = ""


class Ring(Message):
    """Ring a bell that breaks, and says this; `at_once` so that nobody tries it again."""

    text: str = ""
    at_once: bool = False


class Find(Question):
    """Ask whether this text is in it."""

    text: str


class Filled(Content, Event):
    """Something was put in."""


class Rang(Event):
    """The bell is to ring."""

    text: str


class Bell(Effect):
    """A bell that breaks, and is tried again."""

    delivery = "at_least_once"
    max_attempts = 1
    text: str

    def dispatch(self, config: Mapping[str, Any]) -> None:  # noqa: ARG002 - the protocol gives it
        """Break."""
        raise RuntimeError(self.text)


class Gong(Effect):
    """A gong that breaks, and is hit once."""

    text: str

    def dispatch(self, config: Mapping[str, Any]) -> None:  # noqa: ARG002 - the protocol gives it
        """Break."""
        raise RuntimeError(self.text)


class State(BaseModel):
    """What was put in last, and how often something was."""

    content: Content | None = None
    text: str = ""
    count: int = 0


def init() -> State:
    """Return the empty chest."""
    return State()


def handle(message: PutIn | Refuse | Crash | Ring, state: State) -> Iterator[Filled | Rang | Bell | Gong]:  # noqa: ARG001 - the protocol gives it
    """Do as told."""
    match message:
        case PutIn():
            yield Filled(**dict(message))
        case Refuse(reason=reason):
            raise Rejected(reason)
        case Crash(text=text):
            raise LookupError(text)
        case Ring(text=text, at_once=at_once):
            yield Rang(text=text)
            yield Gong(text=text) if at_once else Bell(text=text)


def update(event: Filled | Rang, state: State) -> State:
    """Return the chest after `event`."""
    content = Content(**dict(event)) if isinstance(event, Filled) else state.content
    return State(content=content, text=event.text, count=state.count + 1)


def query(question: Find, state: State) -> bool:
    """Tell."""
    return question.text in state.text
