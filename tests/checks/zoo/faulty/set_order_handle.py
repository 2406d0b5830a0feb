"""A party: who is invited, each person once, with a number on the list."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from pachyderm_cli import Event, Message

Name = Literal["anna", "bruno", "carla", "dario", "elena", "fabio"]


class Invite(Message):
    names: Annotated[list[Name], Field(min_length=1, max_length=5)]


class Uninvite(Message):
    name: Name


class Invited(Event):
    name: str


class Uninvited(Event):
    name: str


def init() -> dict[str, int]:
    """Return the party to which nobody is invited."""
    return {}


def handle(message: Invite | Uninvite, state: dict[str, int]) -> Iterator[Invited | Uninvited]:
    """Invite those who are not yet."""
    match message:
        case Invite(names=names):
            # FAULT: the events come in the order of a set of strings, which is another in every process.
            for name in set(names) - state.keys():
                yield Invited(name=name)
        case Uninvite(name=name):
            if name in state:
                yield Uninvited(name=name)


def update(event: Invited | Uninvited, state: dict[str, int]) -> dict[str, int]:
    """Return the list after `event`."""
    match event:
        case Invited(name=name):
            return {**state, name: max(state.values(), default=0) + 1}
        case Uninvited(name=gone):
            return {name: number for name, number in state.items() if name != gone}
