"""A photograph: who looks at it counts once, and it may be liked any number of times."""

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, PrivateAttr

from pachyderm_cli import Event, Message

Visitor = Literal["kim", "lee"]


class Look(Message):
    visitor: Visitor


class Like(Message):
    pass


class Seen(Event):
    visitor: str


class Liked(Event):
    pass


class Photograph(BaseModel):
    visitors: int = 0
    likes: int = 0
    # FAULT: no snapshot holds a private attribute, so after one every visitor counts again.
    _known: frozenset[str] = PrivateAttr(default=frozenset())

    def seen_by(self, visitor: str) -> "Photograph":
        """Return the photograph that `visitor` has seen as well."""
        if visitor in self._known:
            return self
        seen = self.model_copy(update={"visitors": self.visitors + 1})
        seen._known = self._known | {visitor}
        return seen


def init() -> Photograph:
    """Return the photograph that nobody has seen."""
    return Photograph()


def handle(message: Look | Like, state: Photograph) -> Iterator[Seen | Liked]:
    """Note every look and every like."""
    match message:
        case Look(visitor=visitor):
            yield Seen(visitor=visitor)
        case Like():
            yield Liked()


def update(event: Seen | Liked, state: Photograph) -> Photograph:
    """Return the photograph after `event`."""
    match event:
        case Seen(visitor=visitor):
            return state.seen_by(visitor)
        case Liked():
            return state.model_copy(update={"likes": state.likes + 1})
