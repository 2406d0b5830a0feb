"""Passwords in text that is to be shown: hidden wherever a URL has one, and nothing else is touched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pachyderm_cli.domain.hiding import hidden_in, without_passwords

_SIGNS = st.characters(exclude_categories=["Z", "C"])
_PASSWORDS = st.text(_SIGNS, min_size=1, max_size=30)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://u:pw@h/d", "postgresql://u:***@h/d"),
        ("no command 'https://:pw@h' here", "no command 'https://:***@h' here"),
        ("/here/postgresql:/u:pw@h/d is no project", "/here/postgresql:/u:***@h/d is no project"),
        ("postgresql://u:p@s/s?w@h/d", "postgresql://u:***@h/d"),
        ("a://u:p@h and b://v:q@i", "a://u:***@h and b://v:***@i"),
        ("postgresql://h/d?user=u&password=pw&port=1", "postgresql://h/d?user=u&password=***&port=1"),
        ("postgresql://h/d?sslpassword='pw'", "postgresql://h/d?sslpassword=***"),
        ("postgresql://u:***@h/d", "postgresql://u:***@h/d"),
        ("write sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE", None),
        ("https://example.org:80/path is not for me@example.org", None),
        ("/some/folder/counter.py:12", None),
        ("counter:@visits at version 1", None),
        ("", None),
    ],
)
def test_what_is_hidden_and_what_is_not(text: str, shown: str | None) -> None:
    """The user and the host stay, and what only looks a little like a URL with a password."""
    assert without_passwords(text) == (text if shown is None else shown)


@given(password=_PASSWORDS, before=st.text(max_size=20), after=st.text(max_size=20))
def test_no_password_is_left(password: str, before: str, after: str) -> None:
    """Whatever a password without spaces has in it, and wherever the URL stands, it is not in what is shown."""
    marked = f"<<{password}>>"
    assert marked not in without_passwords(f"{before} postgresql://user:{marked}@host/db {after}")


@given(text=st.text())
def test_to_hide_twice_changes_nothing(text: str) -> None:
    """What was hidden stays as it is."""
    once = without_passwords(text)
    assert without_passwords(once) == once


def test_long_text_is_looked_through_once() -> None:
    """Megabytes that begin like a URL again and again, and never end like one, are no trap."""
    assert without_passwords("://a:" * 400_000).count("://a:") == 400_000


def test_what_is_inside_of_details_is_hidden_too() -> None:
    """Texts in lists and objects, however deep; other values are left."""
    given_ = {"a": ["x://u:pw@h", 1, None], "b": {"c": "x://u:pw@h"}}
    assert hidden_in(given_) == {"a": ["x://u:***@h", 1, None], "b": {"c": "x://u:***@h"}}
