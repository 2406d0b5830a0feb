"""A conference: sets in effects, early returns before a match, nested functions, a table of handlers, exact types."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from pydantic import AwareDatetime

from pachyderm_cli import Effect, Event, Message, Rejected


class Invite(Message):
    """Invite a guest."""

    guest: str


class Announce(Message):
    """Write to all guests."""

    at: AwareDatetime


class Reply(Message):
    """Note what the page of a guest answered."""

    status: HTTPStatus


class Close(Message):
    """Begin anew."""


class Invited(Event):
    guest: str


class Announced(Event):
    at: AwareDatetime
    to: frozenset[str]


class Replied(Event):
    status: int


class Closed(Event):
    pass


class Mail(Effect):
    to: frozenset[str]

    def dispatch(self, config: Any) -> None:
        """Write to them."""


@dataclass(frozen=True)
class Conference:
    guests: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()


def init() -> Conference:
    """Return a conference without guests."""
    return Conference()


def handle(message: Invite | Announce | Reply | Close, state: Conference, /) -> Iterator[Event | Effect]:
    """Do what the message asks for."""
    match message:
        case Invite(guest=guest):
            if guest in state.guests:
                raise Rejected(f"among the guests already: {', '.join(state.guests)}")
            yield Invited(guest=guest)
        case Announce(at=at):
            yield Announced(at=at, to=state.guests)
            yield Mail(to=state.guests)
        case Reply(status=status):
            yield Replied(status=status.value)
        case Close():
            yield Closed()


words = ["not", "this", "one"]


def _replied(event: Replied, state: Conference) -> Conference:
    return replace(state, words=(HTTPStatus(event.status).phrase,))


TABLE = {Replied: _replied}


def update(event: Invited | Announced | Replied | Closed, state: Conference, /) -> Conference:
    """Return the conference after `event`."""

    def said(text: str) -> tuple[str, ...]:
        words = list(state.words)
        words.append(text)
        return tuple(words[-3:])

    if type(event) is Closed:
        return Conference()
    if (known := TABLE.get(type(event))) is not None:
        return known(event, state)
    match event:
        case Invited(guest=guest):
            return replace(state, guests=state.guests | {guest})
        case Announced(at=at):
            kind = "a moment" if type(at) is datetime else "a day"
            return replace(state, words=said(f"{kind} of {at.astimezone(UTC).year}"))
    return state
