"""An entity for tests whose state can be changed in place, and whose functions do so."""

from collections.abc import Iterator
from typing import Any, NoReturn

from pachyderm_cli import Event, Message, Rejected


class Put(Message):
    """Put a thing into the basket."""

    thing: str


class SpillAndPut(Message):
    """Put a thing into the basket, after spoiling the state that the decision was given."""

    thing: str


class Spill(Message):
    """Spoil the state that the decision was given, and be rejected or lead to nothing."""

    reject: bool


class ThingPut(Event):
    thing: str


class Uncopyable(str):
    """A text of which there can be no copy."""

    __slots__ = ()

    def __deepcopy__(self, _known: Any) -> NoReturn:
        raise TypeError("there is only one of it")


def init() -> dict[str, list[str]]:
    """Return an empty basket."""
    return {"things": []}


def handle(message: Put | SpillAndPut | Spill, state: dict[str, list[str]]) -> Iterator[ThingPut]:
    """Do what the message's own description says."""
    match message:
        case Put(thing=thing):
            yield ThingPut(thing=thing)
        case SpillAndPut(thing=thing):
            state["things"].append(thing)
            yield ThingPut(thing=thing)
        case Spill(reject=reject):
            state["things"].append("stone")
            if reject:
                raise Rejected("spilt")


def update(event: ThingPut, state: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return the same basket, with one more thing in it."""
    state["things"].append(Uncopyable() if event.thing == "uncopyable" else event.thing)
    return state
