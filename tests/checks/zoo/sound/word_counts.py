"""A word counter: a typed dict, of words and how often they were said."""

from collections import Counter
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from pachyderm_cli import Event, Message, Question, Rejected

Word = Annotated[str, Field(pattern=r"^[a-d]{1,3}$")]


class Say(Message):
    words: Annotated[list[Word], Field(min_length=1, max_length=8)]


class Forget(Message):
    word: Word


class Heard(Event):
    counts: dict[str, int]


class Forgotten(Event):
    word: str


class MostFrequent(Question):
    pass


def init() -> dict[str, int]:
    """Return the counter that has heard nothing."""
    return {}


def invariant(state: dict[str, int]) -> bool:
    """Whether every word that is there was said."""
    return all(count > 0 for count in state.values())


def handle(message: Say | Forget, state: dict[str, int]) -> Iterator[Heard | Forgotten]:
    """Count what is said."""
    if isinstance(message, Say):
        yield Heard(counts=dict(Counter(message.words)))
    else:
        if message.word not in state:
            raise Rejected(f"nobody has said {message.word}")
        yield Forgotten(word=message.word)


def update(event: Heard | Forgotten, state: dict[str, int]) -> dict[str, int]:
    """Return the counts after `event`."""
    counts = dict(state)
    if isinstance(event, Heard):
        for word, count in event.counts.items():
            counts[word] = counts.get(word, 0) + count
    else:
        del counts[event.word]
    return counts


def query(question: MostFrequent, state: dict[str, int]) -> str | None:
    """Return the word that was said most, the first in the alphabet of several."""
    return min(state, key=lambda word: (-state[word], word), default=None)
