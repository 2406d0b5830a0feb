"""A user's profile, written in the state-based style: each event is the new state, `update` just takes it.

There is no `init`: until something is saved the state is None. The state is a plain frozen dataclass.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import StringConstraints

from pachyderm_cli import Event, Message, Rejected

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
# Only what every address has: whether mail arrives there is not for a pattern to tell.
Email = Annotated[str, StringConstraints(strip_whitespace=True, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]


@dataclass(frozen=True)
class Profile:
    """What is known of the user."""

    name: str
    email: str


class Register(Message):
    """Make the profile."""

    name: Name
    email: Email


class Rename(Message):
    """Give the user another name."""

    name: Name


class ChangeEmail(Message):
    """Give the user another address."""

    email: Email


class Saved(Event):
    """The profile became `profile`, whole, whatever it had been."""

    profile: Profile


def handle(message: Register | Rename | ChangeEmail, state: Profile | None) -> Iterator[Saved]:
    """Save what the message makes of the profile, and nothing where that changes nothing.

    Rejected: registering twice, changing a profile that was never registered.
    """
    match message, state:
        case Register(name=name, email=email), None:
            yield Saved(profile=Profile(name=name, email=email))
        case Register(), Profile(name=name):
            raise Rejected(f"the profile is already registered, for {name}")
        case ((Rename() | ChangeEmail()), Profile() as profile):
            changed = replace(profile, **dict(message))
            if changed != profile:
                yield Saved(profile=changed)
        case _:
            raise Rejected("the profile has not been registered yet")


def update(event: Saved, state: Profile | None) -> Profile:
    """Return the profile that `event` holds."""
    return event.profile
