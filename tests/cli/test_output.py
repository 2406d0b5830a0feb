"""Where output goes and how: whole and plain when piped, coloured and harmless on a terminal."""

import json
import logging
import os
import subprocess
from pathlib import Path

import pytest

from pachyderm_cli.cli import output
from tests.cli.running import SECONDS, Command, Result, lines

LONG = "x" * 5000
# Clearing the screen, a title, a C1 control sequence introducer, text turned round, DEL, a line feed, and a tag
# of the library that colours.
HOSTILE = "a\x1b[2J\x1b]0;title\x07b\x9b31mc\u202ed\x7fe\nf[red]g"
RAW = ["\x1b[2J", "\x1b]0;", "\x07", "\x9b", "\u202e", "\x7f"]


def put(command: Command, text: str) -> Result:
    """Send `text` to the box `@b`."""
    return command.quick("send", "box:@b", "put-in", "--data", json.dumps({"text": text}), "--json").done()


@pytest.mark.parametrize("as_json", [(), ("--json",)], ids=["plain", "json"])
@pytest.mark.parametrize("command", ["history", "replay", "inspect"])
def test_piped_output_is_neither_wrapped_nor_cut_nor_coloured(
    pachyderm: Command, command: str, as_json: tuple[str, ...]
) -> None:
    """Data of 5000 characters comes out on one line, however narrow the window, and without colour."""
    put(pachyderm, LONG)
    result = pachyderm(command, "box:@b", *as_json, TERM="xterm-256color", FORCE_COLOR="1").done()
    assert any(LONG in line for line in lines(result.out))
    assert "\x1b" not in result.out
    assert result.err == ""


def test_a_long_error_is_one_line(pachyderm: Command) -> None:
    """An error is not wrapped either."""
    result = pachyderm("send", "box:@b", "refuse", f"reason={LONG}")
    assert result == Result(5, "", f"error: {LONG}\n")


def test_piped_data_is_what_was_stored(on_store: Command) -> None:
    """Piped, data comes out as it is stored, character for character, on both databases."""
    data = put(on_store, HOSTILE + "äöü象🐘\u2028\u0085").document["events"][0]["data"]
    (event,) = on_store("history", "box:@b", "--json").done().documents
    assert event["data"] == data
    assert data["text"] == HOSTILE + "äöü象🐘\u2028\u0085"


def test_a_terminal_gets_colour(pachyderm: Command) -> None:
    """On a terminal a line is coloured, and still not wrapped by pachyderm."""
    put(pachyderm, LONG)
    shown = pachyderm.on_terminal("history", "box:@b")
    assert "\x1b[" in shown
    assert LONG in shown


@pytest.mark.parametrize("settings", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["NO_COLOR", "dumb"])
def test_colour_can_be_turned_off(pachyderm: Command, settings: dict[str, str]) -> None:
    """With NO_COLOR, or on a terminal that has none, a terminal gets the plain text."""
    put(pachyderm, LONG)
    assert pachyderm.on_terminal("history", "box:@b", **settings) == pachyderm("history", "box:@b").out


@pytest.mark.parametrize("settings", [{}, {"NO_COLOR": "1"}], ids=["coloured", "plain"])
@pytest.mark.parametrize(
    "arguments",
    [("history", "box:@b"), ("inspect", "box:@b"), ("replay", "box:@b", "--steps"), ("history", "box:@b", "--json")],
    ids=" ".join,
)
def test_a_terminal_never_obeys_data(pachyderm: Command, arguments: tuple[str, ...], settings: dict[str, str]) -> None:
    """What a terminal would obey in stored data is shown as text, in JSON as its escapes."""
    put(pachyderm, HOSTILE)
    shown = pachyderm.on_terminal(*arguments, **settings)
    assert [raw for raw in RAW if raw in shown] == []
    assert "f[red]g" in shown
    if "--json" in arguments:
        assert json.loads(shown)["data"]["text"] == HOSTILE


@pytest.mark.parametrize("settings", [{}, {"NO_COLOR": "1"}], ids=["coloured", "plain"])
def test_a_terminal_never_obeys_an_error(pachyderm: Command, settings: dict[str, str]) -> None:
    """What a terminal would obey in an error is shown as text."""
    for arguments in (("send", "box:@b", "refuse", f"reason={HOSTILE}"), ("list", f"--{HOSTILE}")):
        shown = pachyderm.on_terminal(*arguments, **settings)
        assert [raw for raw in RAW if raw in shown] == []
        assert "error: " in shown


def test_results_and_everything_else_are_kept_apart(pachyderm: Command) -> None:
    """Results go to standard output; the entity that a left-out reference means is a note on standard error."""
    entity = put(pachyderm, "x").document["entity"]
    note = f"the entity written to last: {entity['type']}:{entity['id']}\n"
    for command in ("history", "inspect", "replay", "snapshot"):
        left_out, named = pachyderm.quick(command, "--json").done(), pachyderm.quick(command, "box:@b", "--json").done()
        assert (left_out.err, named.err) == (note, "")
        if command != "snapshot":  # each is taken at another time
            assert left_out.out == named.out


@pytest.mark.parametrize("arguments", [("list",), ("list", "--json"), ("send", "--file", "-", "--json")], ids=" ".join)
def test_a_broken_pipe_ends_quietly(pachyderm: Command, arguments: tuple[str, ...]) -> None:
    """When the reader goes, the command stops without a word."""
    text = '{"to": "counter:new", "message": "increment"}\n' * 1000  # more than a pipe holds
    pachyderm.quick("send", "--file", "-", stdin=text).done()
    script = 'set -o pipefail; "$@" | head -1'
    done = subprocess.run(
        ["/bin/bash", "-c", script, "bash", *pachyderm.line(*arguments)],
        cwd=pachyderm.folder,
        env=pachyderm.environment({}),
        input=text.encode(),
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == b""
    assert done.returncode == 141


def test_a_full_disk_below_the_output_is_told(pachyderm: Command) -> None:
    """Output that cannot be written is an error of one line, and what was committed is kept."""
    done = _in_shell(pachyderm, '"$@" > /dev/full', "send", "counter:@a", "increment", "--json")
    assert done.status == 7
    assert done.error["code"] == "output_error"
    assert "the output cannot be written: No space left on device" in done.error["message"]
    assert pachyderm.quick("inspect", "counter:@a", "--json").document["version"] == 1


def test_a_full_disk_below_a_long_output_is_told(pachyderm: Command) -> None:
    """What fails in the middle of a stream, not at its end, is told as well."""
    pachyderm.quick("send", "--file", "-", stdin='{"to": "counter:@a", "message": "increment"}\n' * 200).done()
    done = _in_shell(pachyderm, '"$@" > /dev/full', "history", "counter:@a", "--json")
    assert done.status == 7
    assert done.error["code"] == "output_error"
    assert "the output cannot be written: No space left on device" in done.error["message"]


@pytest.mark.parametrize("line", [("--help",), ("--version",), ("send", "--help"), ("list", "--json"), ("describe",)])
def test_a_full_disk_below_any_output_is_told(pachyderm: Command, line: tuple[str, ...]) -> None:
    """What the parser of the command line prints itself is no other."""
    pachyderm.quick("send", "counter:@a", "increment").done()
    done = _in_shell(pachyderm, '"$@" > /dev/full', *line)
    assert (done.status, done.out) == (7, "")
    assert "the output cannot be written: No space left on device" in done.err


@pytest.mark.parametrize("closing", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_no_harm(pachyderm: Command, closing: str) -> None:
    """With standard streams closed the command does its work, and writes into no file that takes their place."""
    done = _in_shell(pachyderm, f'"$@" {closing}', "send", "counter:@a", "increment", "amount=10")
    assert done.status == 0
    assert pachyderm.quick("inspect", "counter:@a", "--json").document["state"] == {"count": 10}


def test_another_encoding_changes_no_json(pachyderm: Command) -> None:
    """Where the streams' encoding lacks a character, JSON has its escape and plain text a visible one."""
    put(pachyderm, "é象🐘")
    for encoding in ("ascii", "latin-1"):
        (event,) = pachyderm("history", "box:@b", "--json", PYTHONIOENCODING=encoding).done().documents
        assert event["data"]["text"] == "é象🐘"
    assert r"\xe9\u8c61\U0001f418" in pachyderm("history", "box:@b", PYTHONIOENCODING="ascii").done().out


def test_debugging_shows_where_a_failure_arose(pachyderm: Command) -> None:
    """A traceback comes with PACHYDERM_DEBUG=1, before the error, and without it never."""
    arguments = ("send", "box:@b", "crash", "where=handle")
    plain, debugging = pachyderm.quick(*arguments), pachyderm.quick(*arguments, PACHYDERM_DEBUG="1")
    assert "Traceback" not in plain.err
    assert debugging.err.startswith("Traceback")
    assert debugging.err.endswith(plain.err)
    assert debugging.status == plain.status == 1


def test_a_terminal_obeys_nothing_in_a_traceback(pachyderm: Command) -> None:
    """What an entity's own words would do to a terminal is shown as escapes, with PACHYDERM_DEBUG=1 too."""
    reason = "\x1b]0;mine\x07"
    shown = pachyderm.on_terminal("send", "box:@b", "refuse", f"reason={reason}", PACHYDERM_DEBUG="1")
    assert "Traceback" in shown
    assert reason not in shown
    assert shown.count("]0;mine") >= 2


def test_a_bad_name_in_the_shells_bytes_is_told(pachyderm: Command) -> None:
    """Arguments that are no UTF-8 are told like any others that are wrong."""
    done = subprocess.run(
        [*(os.fsencode(word) for word in pachyderm.line("history", "box:@")[:-1]), b"box:\xff\xfe"],
        cwd=pachyderm.folder,
        env=pachyderm.environment({}),
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: 'box:\\udcff\\udcfe' is not a reference")


def _in_shell(command: Command, script: str, *arguments: str | Path) -> Result:
    """Run the command in a shell script that calls it "$@"."""
    done = subprocess.run(
        ["/bin/bash", "-c", script, "bash", *command.line(*arguments)],
        cwd=command.folder,
        env=command.environment({}),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def test_what_user_code_prints_is_no_result(pachyderm: Command) -> None:
    """Prints in a module, in its functions and in effects go to standard error; standard output is the result alone."""
    file = pachyderm.folder / "entities" / "chatty.py"
    source = (pachyderm.folder / "entities" / "counter.py").read_text()
    source = source.replace("def update(", "print('loaded')\n\n\ndef update(")
    file.write_text(source.replace("    yield Increased", "    print('handled')\n    yield Increased"))
    sent = pachyderm("send", "chatty:@a", "increment", "--json").done()
    assert sent.document["version"] == 1
    assert sent.err == "loaded\nhandled\n"


def test_a_warning_that_comes_again_is_told_again_after_a_while(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same warning is one note in a while, another one a note of its own; what is no warning is none."""
    logger = logging.getLogger("pachyderm")
    with output.warnings_noted():
        for what in ("it", "it", "all", "it"):
            logger.warning("%s is away", what)
        logger.info("nothing")
        monkeypatch.setattr(output, "_REPEATED_AFTER", 0.0)
        logger.warning("it is away")
    assert capsys.readouterr().err.splitlines() == ["it is away", "all is away", "it is away"]
    assert logger.propagate
    assert logger.handlers == []


def test_what_comes_after_the_options_is_none(pachyderm: Command) -> None:
    """After `--` the word `--json` is a name as any other, for the error too."""
    done = pachyderm("check", "--", "--json")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("error: there is no entity type '--json'")
