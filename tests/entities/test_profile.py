"""The profile: the state-based style, in which the event is the new state."""

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from entities.profile import ChangeEmail, Profile, Register, Rename, Saved, handle, update
from pachyderm_cli import Rejected

ProfileMessage = Register | Rename | ChangeEmail

ADA = Profile(name="Ada", email="ada@example.org")

names = st.text(min_size=1, max_size=20).filter(lambda text: text.strip() != "")
emails = st.from_regex(r"[a-z0-9.]{1,10}@[a-z0-9.]{1,10}", fullmatch=True)
profiles = st.builds(Profile, name=st.text(), email=st.text())
saves = st.builds(Saved, profile=profiles)
changes = st.one_of(st.builds(Rename, name=names), st.builds(ChangeEmail, email=emails))


def after(message: ProfileMessage, state: Profile | None) -> Profile | None:
    """Return the state after `message`."""
    return reduce(lambda before, event: update(event, before), handle(message, state), state)


def test_registering_saves_the_profile() -> None:
    """The first message makes the profile out of nothing."""
    register = Register(name="Ada", email="ada@example.org")
    assert list(handle(register, None)) == [Saved(profile=ADA)]


@pytest.mark.parametrize(
    ("message", "profile"),
    [
        (Rename(name="Ada King"), Profile(name="Ada King", email="ada@example.org")),
        (ChangeEmail(email="ada@example.com"), Profile(name="Ada", email="ada@example.com")),
    ],
)
def test_a_change_saves_the_whole_profile(message: ProfileMessage, profile: Profile) -> None:
    """A change of one field is saved together with the field that stays."""
    assert list(handle(message, ADA)) == [Saved(profile=profile)]


@pytest.mark.parametrize("message", [Rename(name=" Ada "), ChangeEmail(email="ada@example.org")])
def test_what_changes_nothing_is_not_saved(message: ProfileMessage) -> None:
    """A message that says what the profile says already is accepted without an event."""
    assert list(handle(message, ADA)) == []


@pytest.mark.parametrize(
    ("message", "state", "reason"),
    [
        (Register(name="Bob", email="bob@example.org"), ADA, "the profile is already registered, for Ada"),
        (Rename(name="Bob"), None, "the profile has not been registered yet"),
        (ChangeEmail(email="bob@example.org"), None, "the profile has not been registered yet"),
    ],
)
def test_a_profile_is_registered_once_and_first(message: ProfileMessage, state: Profile | None, reason: str) -> None:
    """Registering twice is rejected, and so is changing what was never registered."""
    with pytest.raises(Rejected) as caught:
        list(handle(message, state))
    assert caught.value.reason == reason


@pytest.mark.parametrize("email", ["", "ada", "@", "ada@", "a b@example.org", "a@b@c", "a@" + "b" * 253])
def test_an_address_has_two_sides(email: str) -> None:
    """What is no address at all is not taken for one."""
    with pytest.raises(ValidationError):
        ChangeEmail(email=email)


@given(saves, st.none() | profiles)
def test_an_event_gives_its_state_whatever_was_before(event: Saved, before: Profile | None) -> None:
    """Update returns what the event holds; the state before it makes no difference."""
    assert update(event, before) == event.profile


@given(st.lists(saves, min_size=1, max_size=10))
def test_the_last_event_alone_is_the_state(history: list[Saved]) -> None:
    """Folding a whole history gives the same as taking its last event."""
    state: Profile | None = None
    for event in history:
        state = update(event, state)
    assert state == history[-1].profile


@given(changes, profiles)
def test_a_change_takes_effect_once(message: Rename | ChangeEmail, before: Profile) -> None:
    """After a change the profile has the new value, and the same change again saves nothing."""
    state = after(message, before)
    assert state is not None
    assert dict(message).items() <= vars(state).items()
    assert list(handle(message, state)) == []


@given(saves)
def test_an_event_comes_back_from_json(event: Saved) -> None:
    """An event that is written as JSON and read again is the same event, its profile a Profile."""
    again = Saved.model_validate_json(event.model_dump_json())
    assert again == event
    assert type(again.profile) is Profile
