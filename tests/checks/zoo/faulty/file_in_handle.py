"""A guest book: entries that hold no forbidden word."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from pachyderm_cli import Event, Message, Rejected

FORBIDDEN = Path(__file__).with_name("forbidden.txt")

Word = Literal["nice", "place", "spam", "thanks"]


class Write(Message):
    words: Annotated[tuple[Word, ...], Field(min_length=1, max_length=5)]


class TearOut(Message):
    """Tear the last entry out."""


class Written(Event):
    text: str


class TornOut(Event):
    pass


def init() -> list[str]:
    """Return the empty book."""
    return []


def handle(message: Write | TearOut, state: list[str]) -> Iterator[Written | TornOut]:
    """Write what is not forbidden."""
    match message:
        case Write(words=words):
            # FAULT: what a file says decides, which is neither in the message nor in the state.
            forbidden = FORBIDDEN.read_text().split() if FORBIDDEN.exists() else ["spam"]
            if any(word in forbidden for word in words):
                raise Rejected("that is forbidden")
            yield Written(text=" ".join(words))
        case TearOut():
            if not state:
                raise Rejected("the book is empty")
            yield TornOut()


def update(event: Written | TornOut, state: list[str]) -> list[str]:
    """Return the entries after `event`."""
    match event:
        case Written(text=text):
            return [*state, text]
        case TornOut():
            return state[:-1]
