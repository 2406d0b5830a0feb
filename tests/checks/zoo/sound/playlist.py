"""A playlist: sets in the state, which are put in order wherever a list is made of them, and a table of handlers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field

from pachyderm_cli import Event, Message, Rejected

Song = Literal["aria", "blues", "canon", "dirge", "etude", "fugue"]


class Add(Message):
    songs: Annotated[set[Song], Field(min_length=1)]


class Drop(Message):
    song: Song


class Arrange(Message):
    pass


class Added(Event):
    song: Song


class Dropped(Event):
    song: Song


class Arranged(Event):
    order: list[Song]


@dataclass(frozen=True)
class Playlist:
    songs: frozenset[Song] = frozenset()
    order: tuple[Song, ...] = ()


def init() -> Playlist:
    """Return the empty list."""
    return Playlist()


def invariant(state: Playlist) -> bool:
    """Whether only songs that are there have a place in the order."""
    return set(state.order) <= state.songs


def handle(message: Add | Drop | Arrange, state: Playlist) -> Iterable[Added | Dropped | Arranged]:
    """Add what is new, drop what is there, arrange by the alphabet."""
    if isinstance(message, Add):
        new = message.songs - state.songs
        return [Added(song=song) for song in sorted(new)]
    if isinstance(message, Drop):
        if message.song not in state.songs:
            raise Rejected(f"there is no {message.song}")
        return (Dropped(song=message.song),)
    order = sorted(state.songs)
    return [] if tuple(order) == state.order else [Arranged(order=order)]


def _added(event: Added, state: Playlist) -> Playlist:
    return replace(state, songs=state.songs | {event.song})


def _dropped(event: Dropped, state: Playlist) -> Playlist:
    return Playlist(state.songs - {event.song}, tuple(song for song in state.order if song != event.song))


def _arranged(event: Arranged, state: Playlist) -> Playlist:
    return replace(state, order=tuple(event.order))


UPDATES: MappingProxyType[type[Event], Callable[[Any, Playlist], Playlist]] = MappingProxyType(
    {Added: _added, Dropped: _dropped, Arranged: _arranged}
)


def update(event: Added | Dropped | Arranged, state: Playlist) -> Playlist:
    """Return the list after `event`."""
    return UPDATES[type(event)](event, state)
