"""Input that nobody means well with, which the torture found: each is refused in one line, or taken as it is."""

import json
from pathlib import Path

import pytest

from pachyderm_cli.cli import line_file
from tests.cli.running import Command

LONG = "7" * 10_000
OBEYED = "a\x1b[2J\x1b]0;title\x07b\x9b31mc\u202ed\x7f\re\bf\x85\u2028g\nerror: h[red]i"
RAW = [each for each in OBEYED if not each.isprintable() and each != "\n"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--data", '{"exact": 1e99999999999999999999}'), "PutIn: the number 1e99999999999999999999 has more digits"),
        (("--data", f'{{"exact": 0.{LONG}}}'), "PutIn: the number 0.7777777"),
        (("--data", f'{{"whole": {LONG}}}'), "PutIn: Invalid JSON: number out of range"),
        (("--data", '{"text": "\\ud800"}'), "PutIn: Invalid JSON: unexpected end of hex escape"),
        (("--data", '{"tags": ' + "[" * 100_000), "PutIn: Invalid JSON: recursion limit exceeded"),
        (("text=\udcff",), "PutIn.text cannot be written as JSON"),
        (("--data", "@."), "--data @.: [Errno 21] Is a directory"),
        (("--data", "@/dev/null"), "PutIn: Invalid JSON: EOF"),
    ],
)
def test_a_message_that_no_json_holds_is_the_senders_to_mend(
    pachyderm: Command, arguments: tuple[str, ...], said: str
) -> None:
    """Numbers without bounds and lone surrogates are refused as the message's, in a line that is not endless."""
    done = pachyderm.quick("send", "box:@b", "put-in", *arguments)
    assert done.status == 2
    assert done.err.startswith(f"error: {said}")
    assert len(done.err) < 400
    assert pachyderm.log() == []


def test_a_null_character_in_a_text_is_kept(on_store: Command) -> None:
    """U+0000 in a message comes back as it was sent, on both databases: they keep its escape."""
    on_store.quick("send", "box:@b", "put-in", "--data", '{"text": "a\\u0000b", "tags": ["\\u0000"]}').done()
    (event,) = on_store.quick("history", "box:@b", "--json").done().documents
    assert (event["data"]["text"], event["data"]["tags"]) == ("a\0b", ["\0"])
    assert "a\\u0000b" in on_store.quick("inspect", "box:@b").done().out


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("cursors", "drop", "\udcff"), 3, "has no cursor '\\udcff'"),
        (("cursors", "set", "\udcff", "0"), 2, "is no name of a cursor"),
        (("follow", "--once", "--from-start", "--cursor", "\udcff"), 2, "is no name of a cursor"),
    ],
)
def test_a_name_that_no_database_keeps_is_no_cursors(
    on_store: Command, words: tuple[str, ...], status: int, said: str
) -> None:
    """Bytes that are no text name no cursor, and make none, on both databases."""
    on_store.quick("send", "box:@b", "put-in").done()
    done = on_store.quick(*words)
    assert done.status == status
    assert said in done.err


@pytest.mark.parametrize("arguments", [("1", LONG), (LONG, "1")], ids=["right", "left"])
def test_a_version_beyond_all_bounds_is_none(pachyderm: Command, arguments: tuple[str, str]) -> None:
    """A number of more digits than Python reads is no version."""
    pachyderm.quick("send", "box:@b", "put-in").done()
    done = pachyderm.quick("diff", "box:@b", *arguments)
    assert done.status == 2
    assert "is no version: give two versions" in done.err


@pytest.mark.parametrize(
    "text",
    [f"x = {LONG}", f"[snapshots]\nevery = {LONG}", 'entities = "a\\u0000b"', f'entities = "{"x" * 5000}"'],
    ids=["a-key", "a-number", "a-null", "a-long-name"],
)
def test_a_project_file_that_no_system_takes_is_told(pachyderm: Command, text: str) -> None:
    """Numbers of more digits than Python reads, and names that no folder can have, are faults of the file: status 6."""
    (pachyderm.folder / "pachyderm.toml").write_text(text)
    done = pachyderm.quick("send", "box:@b", "put-in")
    assert done.status == 6
    assert done.err.startswith("error: ")
    assert "unexpected" not in done.err
    assert len(done.err) < 1000


@pytest.mark.parametrize("option", ["replay", "try", "check"])
def test_a_folder_of_too_long_a_name_is_told(pachyderm: Command, option: str) -> None:
    """A name that is longer than any may be is a folder that cannot be looked at."""
    pachyderm.quick("send", "box:@b", "put-in").done()
    words = {"replay": ("replay", "box:@b"), "try": ("try", "box:@b", "put-in"), "check": ("check", "box")}[option]
    done = pachyderm.quick(*words, "--entities", "x" * 5000)
    assert done.status == 6
    assert done.err.endswith("cannot be looked at (File name too long)\n")


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///a%00b",
        "postgresql://h/a%00b",
        "postgresql://\udcff/x",
        f"postgresql://{'x' * 70}/x",
        "sqlite:///\udcff",
    ],
)
def test_a_store_that_cannot_be_called_so_is_told(pachyderm: Command, url: str) -> None:
    """A URL with a NUL, with bytes that are no text, or a host that none can be called: status 6, for reads as well."""
    for words in (("list",), ("send", "box:@b", "put-in")):
        done = pachyderm.quick("--store", url, *words)
        assert done.status == 6
        assert done.err.startswith("error: the store's URL ")


@pytest.mark.parametrize("words", [("send", "box:@b", "put-in", "--data", "@endless"), ("send", "--file", "endless")])
def test_what_has_no_end_is_not_read_for_ever(
    pachyderm: Command, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data, and a line, are read up to a length, and refused beyond: a device would fill the memory."""
    monkeypatch.setattr(line_file, "LONGEST_MESSAGE", 2**20)
    (pachyderm.folder / "endless").symlink_to("/dev/zero")
    done = pachyderm.quick(*words)
    assert done.status == 2
    assert "is longer than the 1 MiB that a message may have" in done.err


def test_lines_before_one_without_end_are_sent(pachyderm: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line is measured from its own beginning, and what came before it is in."""
    monkeypatch.setattr(line_file, "LONGEST_MESSAGE", 2**20)
    line = json.dumps({"to": "box:@b", "message": "put-in", "data": {"text": "x" * 700_000}}) + "\n"
    done = pachyderm.quick("send", "--file", "-", stdin=line * 3 + "y" * 2**21)
    assert done.status == 2
    assert "line 4 is longer than the 1 MiB" in done.err
    assert pachyderm.quick("inspect", "box:@b", "--json").document["version"] == 3


def hostile(pachyderm: Command) -> list[tuple[str, ...]]:
    """Put texts that a terminal obeys wherever they may stand; return what shows, or tells of, one of them."""
    data = json.dumps({"text": OBEYED, "tags": [OBEYED]})
    pachyderm.quick("send", "box:@b", "put-in", "--data", data).done()
    pachyderm.quick("send", "box:@b", "put-in").done()
    (pachyderm.folder / "entities" / "loud.py").write_text(f'"""Loud {OBEYED!r}"""\nraise ValueError({OBEYED!r})\n')
    return [
        ("history", "box:@b"),
        ("inspect", "box:@b"),
        ("replay", "box:@b", "--steps"),
        ("diff", "box:@b", "1", "2"),
        ("try", "box:@b", "put-in", "--data", data),
        ("send", "box:@b", "refuse", f"reason={OBEYED}"),
        ("send", "box:@b", "put-in", f"whole={OBEYED}"),
        ("send", "box:@b", OBEYED),
        ("send", "loud:@b", "put-in"),
        ("describe",),
        ("list", f"--{OBEYED}"),
        ("list", "--type", OBEYED),
        ("--network", OBEYED, "list"),
        ("--store", f"sqlite:///none/{OBEYED}/x.db", "send", "box:@b", "put-in"),
        ("--project", OBEYED, "list"),
        ("cursors", "set", OBEYED, "1"),
        ("effects", "list", "--status", OBEYED),
        ("effects", "show", OBEYED),
        ("timers", "list", OBEYED),
        ("import", OBEYED),
        ("backup", f"none/{OBEYED}"),
        ("init", f"{OBEYED}/new"),
    ]


def test_nothing_piped_obeys_data(pachyderm: Command) -> None:
    """What is piped ends on a terminal as well: controls and reordering are visible text, and no line is forged."""
    for words in hostile(pachyderm):
        done = pachyderm.quick(*words)
        shown = done.out + done.err
        assert [each for each in RAW if each in shown] == [], words
        assert [line for line in done.err.splitlines() if line.startswith("error: h")] == [], words


def test_no_terminal_obeys_data(pachyderm: Command) -> None:
    """The same on a terminal, where colour is all that it is told."""
    for words in hostile(pachyderm)[:10:3]:
        shown = pachyderm.on_terminal(*words)
        assert [each for each in RAW if each in shown and each not in "\x1b\r"] == [], words
        assert "\x1b[2J" not in shown, words
        assert "\x1b]" not in shown, words


def test_json_of_the_same_is_json(pachyderm: Command, tmp_path: Path) -> None:
    """With --json every line of results and errors is JSON, whatever is in it."""
    for words in hostile(pachyderm):
        done = pachyderm.quick(*words, "--json")
        for line in (done.out + done.err).split("\n")[:-1]:
            assert isinstance(json.loads(line), dict)
