"""Names in any usual spelling, and what is said about a misspelt one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pachyderm_cli.domain.naming import command_spelling, find_by_spelling, suggestion

identifiers = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,15}", fullmatch=True)


@pytest.mark.parametrize("name", ["TopUp", "topUp", "topup", "top-up", "top_up", "TOP_UP", "Top-Up"])
def test_any_usual_spelling_finds_the_class(name: str) -> None:
    """Case, hyphens and underscores do not count."""
    assert find_by_spelling({"TopUp": 1, "TopDown": 2}, name) == 1


def test_what_fits_two_fits_none() -> None:
    """Where two names differ in case alone, only the exact one is found."""
    known = {"TopUp": 1, "Topup": 2}
    assert find_by_spelling(known, "TopUp") == 1
    assert find_by_spelling(known, "Topup") == 2
    assert find_by_spelling(known, "top-up") is None


@pytest.mark.parametrize("name", ["", "-", "__", "TopU", "TopUpp"])
def test_another_name_finds_nothing(name: str) -> None:
    """Nothing is found for a name that is not there, or for no name."""
    assert find_by_spelling({"TopUp": 1, "_": 2}, name) is None


@given(identifiers.filter(lambda name: name.strip("_") != ""))
def test_the_command_s_spelling_finds_its_class(name: str) -> None:
    """What is shown as the way to write a message is one."""
    assert find_by_spelling({name: 1}, command_spelling(name)) == 1


@pytest.mark.parametrize(
    ("class_name", "spelling"),
    [
        ("TopUp", "top-up"),
        ("Increment", "increment"),
        ("HTTPRequest", "http-request"),
        ("SendPDF", "send-pdf"),
        ("Add2Items", "add2-items"),
        ("Top_Up", "top-up"),
        ("X", "x"),
    ],
)
def test_class_names_become_commands(class_name: str, spelling: str) -> None:
    """Words are divided by hyphens, an abbreviation is one word."""
    assert command_spelling(class_name) == spelling


def test_the_nearest_name_is_suggested() -> None:
    """A misspelt name is told the nearest and all; one like nothing is told all."""
    known = ["increment", "top-up"]
    assert suggestion("incremnt", known) == "did you mean increment? There is: increment, top-up"
    assert suggestion("TOPUP", known) == "did you mean top-up? There is: increment, top-up"
    assert suggestion("zzz", known) == "there is: increment, top-up"
    assert suggestion("zzz", []) == "there is none"
