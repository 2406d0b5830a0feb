"""Options and arguments: read as Typer reads them, with its usage errors, whichever of them it is let read itself."""

import json

import pytest

from tests.cli.running import Command, lines

MISTAKES = {
    "no number": (("send", "box:@b", "ring", "--expect", "x"), "'--expect': Input should be a valid integer"),
    "half a number": (("send", "box:@b", "ring", "--expect", "1.5"), "'--expect': Input should be a valid integer"),
    "no text": (("send", "box:@b", "ring", "--expect", ""), "'--expect': Input should be a valid integer"),
    "too small": (("send", "box:@b", "ring", "--expect", "-1"), "'--expect': Input should be greater than or equal"),
    "no value": (("send", "box:@b", "ring", "--expect"), "Option '--expect' requires an argument"),
    "limit": (("list", "--limit", "few"), "'--limit' / '-n': Input should be a valid integer"),
    "version": (("history", "--from", "0"), "'--from': Input should be greater than or equal to 1"),
    "text without value": (("send", "box:@b", "ring", "--id"), "Option '--id' requires an argument"),
    "list without value": (("send", "box:@b", "ring", "--config"), "Option '--config' requires an argument"),
    "flag with value": (("list", "--json=yes"), "Option '--json' does not take a value"),
    "unknown option": (("send", "box:@b", "ring", "--expct", "1"), "No such option: --expct"),
    "unknown letter": (("send", "-x"), "No such option: -x"),
    "unknown before the command": (("--stor", "sqlite:///x.db", "list"), "No such option: --stor"),
    "extra argument": (("inspect", "box:@b", "more"), "Got unexpected extra argument(s) (more)"),
    "extra arguments": (("list", "one", "two"), "Got unexpected extra argument(s) (one two)"),
    "unknown command": (("sned",), "No such command 'sned'"),
}


@pytest.mark.parametrize(("arguments", "says"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_a_usage_error(pachyderm: Command, arguments: tuple[str, ...], says: str) -> None:
    """A value that cannot be read, or what no command takes, ends with 2 and one line; nothing is written."""
    result = pachyderm(*arguments)
    assert (result.status, result.out) == (2, "")
    (line,) = lines(result.err)
    assert line.startswith("error: ")
    assert says in line
    assert line.endswith(" --help")
    assert not (pachyderm.folder / "pachyderm.db").exists()


def test_a_number_is_a_number(pachyderm: Command) -> None:
    """Whole numbers arrive as such, and one that was left out as none."""
    for expect in ((), ("--expect", "1"), ("--expect=2",), ("--expect", "003")):
        pachyderm("send", "box:@b", "ring", *expect).done()
    assert len(pachyderm("history", "box:@b", "--limit", "2", "--json").done().documents) == 2
    assert len(pachyderm("history", "box:@b", "--from", "2", "--to", "4", "--json").done().documents) == 3


def test_a_repeated_option_is_a_list(pachyderm: Command) -> None:
    """Every --config counts, one alone too, the last of a key wins, and without any there is none."""
    ring = ("send", "box:@b", "ring")
    pachyderm(*ring, "--config", "out=rings", "--config", "a=1", "--config", "b=2", "--config", "a=3").done()
    pachyderm(*ring, "--config", "out=rings").done()
    pachyderm(*ring).done()
    rings = [json.loads(line) for line in lines((pachyderm.folder / "rings").read_text(encoding="utf-8"))]
    added = {"greeting": "from the file", "kept": 7, "out": "rings"}
    assert rings == [[1, {**added, "a": "3", "b": "2"}], [1, added]]


def test_fields_are_a_list_of_texts(pachyderm: Command) -> None:
    """Arguments of any number arrive in order, wherever options stand between them, and may be none at all."""
    sent = pachyderm("send", "box:@b", "put-in", "text=a b", "--json", "whole=3", "tags=[]").done().document
    assert sent["state"]["content"]["text"] == "a b"
    assert sent["state"]["content"]["whole"] == 3
    assert pachyderm("send", "box:@b", "look", "--json").done().document["version"] == 1
    dashed = pachyderm("send", "--json", "box:@b", "put-in", "--", "text=--json").done().document
    assert dashed["state"]["content"]["text"] == "--json"


def test_flags_are_set_or_not(pachyderm: Command) -> None:
    """A flag in either spelling is set where it stands, and otherwise not."""
    text = '{"to": "box:@b", "message": "refuse"}\n{"to": "box:@b", "message": "ring"}\n'
    assert pachyderm("send", "--file", "-", stdin=text).out.startswith("0 handled, 1 failed, stopped")
    for flag in ("--keep-going", "-k"):
        assert pachyderm("send", "-f", "-", flag, stdin=text).out == "1 handled, 1 failed\n"
    effects = [
        pachyderm("send", "box:@b", "ring", "--json", *flag).done().document["effects"][0]["status"]
        for flag in ((), ("--no-effects",))
    ]
    assert effects == ["done", "discarded"]
