"""What a command tells is held to its contract, whatever scenario asked for it."""

import json

import pytest

from pachyderm_cli.cli import render_effects
from torture.load.commands import Done
from torture.load.told import unknown_lines

TOLD = json.dumps({"error": {"code": "store", "message": "the disk is full"}}) + "\n"
USER_CODE = "error: account: KeyError (/p/torture/load/account.py:7)\n"


def laws_of(done: Done, *allowed: int) -> set[str]:
    """Return the laws that an answer breaks."""
    return {breach.law for breach in done.breaches(allowed or (done.status,), "here")}


@pytest.mark.parametrize(
    "done",
    [
        Done(("list",), 0, "a\n", "no entities in the network 'red'\n"),
        Done(("list",), 7, "", "the entity written to last: account:@a\nerror: the disk is full\n"),
        Done(("list", "--json"), 7, '{"a": 1}\n', TOLD),
        Done(("export",), 0, '{"a": 1}\n', ""),
        Done(("export", "-o", "file"), 0, "file: 16 events\n", ""),
        Done(("replay",), 1, "", USER_CODE),
        Done(("follow",), 130, "", ""),
    ],
    ids=lambda done: f"{done.status} {' '.join(done.arguments)}",
)
def test_a_sound_answer_breaks_nothing(done: Done) -> None:
    """Results, known notes, one error, a failure of user code."""
    assert laws_of(done) == set()


@pytest.mark.parametrize(
    ("law", "done"),
    [
        ("one_clear_line", Done(("list",), 7, "", "")),
        ("one_clear_line", Done(("list",), 7, "", "error: a\n  b\nmore\n")),
        ("one_clear_line", Done(("list",), 2, "", "error: a\nerror: b\n")),
        ("one_clear_line", Done(("list",), 0, "", "error: a\n")),
        ("one_clear_line", Done(("list",), 0, "", "a surprise\n")),
        ("one_clear_line", Done(("list", "--json"), 7, "", "error: a\n")),
        ("one_clear_line", Done(("list", "--json"), 7, "", '{"error": {"code"\n')),
        ("a_status_of_the_contract", Done(("list",), 1, "", "error: the database is odd\n")),
        ("json_is_json", Done(("history", "--json"), 0, '{"data": {"amount":: 1}}\n', "")),
        ("json_is_json", Done(("history", "--json"), 7, '{"data": {"amount"\n', TOLD)),
        ("json_is_json", Done(("export",), 0, '{"data": {"amount":: 1}}\n', "")),
    ],
)
def test_an_answer_that_breaks_the_contract_is_found(law: str, done: Done) -> None:
    """Each fault breaks the law that is about it, though the status is one that is allowed."""
    assert law in laws_of(done)


def test_what_is_close_to_a_note_is_none() -> None:
    """A note that is known is one whole line; what follows it, or a part of it, is not."""
    for count in (1, 3):
        assert unknown_lines(f"{render_effects.left(count)}\n") == []
    assert unknown_lines("the entity written to last: a\n  b\n\n") == ["  b", ""]
    assert unknown_lines("no entities\n") == ["no entities"]
