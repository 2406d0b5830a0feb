"""What judges hostile input catches each kind of fault; the generators and the fuzzed laws do what they are for."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torture.fuzz.targets import TARGETS, Broken, Target
from torture.hostile import lines, words
from torture.hostile.judging import UNWRITTEN, breaches_of
from torture.load.commands import Done, command
from torture.scenarios import hostile_sizes
from torture.scenarios.hostile_commands import one_round, unsound
from torture.scenarios.hostile_parsers import came_of

BEFORE = {"pachyderm_events": {1: ("a",)}}
AFTER = {"pachyderm_events": {1: ("a",), 2: ("b",)}}
TOLD = json.dumps({"error": {"code": "usage", "message": "no"}}) + "\n"
OURS = json.dumps({"error": {"code": "entity_failed", "message": "chest: KeyError (/p/entities/chest.py:7)"}}) + "\n"


def laws_of(done: Done, after: object = BEFORE) -> set[str]:
    """Return the laws that an answer breaks."""
    return {breach.law for breach in breaches_of(done, BEFORE, after)}  # type: ignore[arg-type]  # a mapping each time


@pytest.mark.parametrize(
    "done",
    [
        Done(("list",), 0, "a\tb\n", ""),
        Done(("list",), 2, "", "the entity written to last: chest:@a\nerror: no; write it so\n"),
        Done(("list", "--json"), 2, "", TOLD),
        Done(("send", "chest:@a", "crash", "--json"), 1, "", OURS),
        Done(("send", "chest:@a", "crash"), 1, "", "error: chest: KeyError (/p/entities/chest.py:7)\n"),
        Done(("send", "-fk", "x"), 2, "", "error: line 1: no\nerror: line 2: no\n"),
        Done(("list", "--json"), 0, '{"a": "\\u001b\x9b"}\n', ""),
        Done(("export",), 0, '{"a": "\\u001b\x9b"}\n', ""),
        Done(("export", "--output=a"), 0, "a: 16 events of 4 entities\n", ""),
        Done(("check", "a", "b", "--json"), 2, "", TOLD + TOLD),
        Done(("send", "--file", "-"), 7, "", f"error: line 1: no\nerror: {UNWRITTEN}\n"),
    ],
    ids=lambda done: f"{done.status} {' '.join(done.arguments)}",
)
def test_a_sound_answer_breaks_no_law(done: Done) -> None:
    """Results, errors, a failure of user code, many errors of many lines, JSON with escapes in it."""
    assert laws_of(done) == set()


@pytest.mark.parametrize(
    ("law", "done"),
    [
        ("no_traceback", Done(("list",), 2, "", "error: a\nTraceback (most recent call last):\n")),
        ("no_traceback", Done(("list",), 1, "", "error: an unexpected failure in pachyderm: KeyError\n")),
        ("a_status_of_the_contract", Done(("list",), -9, "", "error: a\n")),
        ("a_status_of_the_contract", Done(("list",), 1, "", "error: the output cannot be written\n")),
        ("a_status_of_the_contract", Done(("list", "--json"), 7, "", TOLD)),
        ("one_clear_error", Done(("list",), 2, "", "")),
        ("one_clear_error", Done(("list",), 2, "", "error: a\n  b\nmore\n")),
        ("one_clear_error", Done(("list",), 2, "", "error: a\n\n")),
        ("one_clear_error", Done(("list", "--json"), 2, "", TOLD + "more\n")),
        ("one_clear_error", Done(("list",), 0, "", "a surprise\n")),
        ("one_clear_error", Done(("list",), 2, "", "error: a\nerror: b\n")),
        ("one_clear_error", Done(("list",), 7, "", f"error: a\nerror: b\nerror: {UNWRITTEN}\n")),
        ("one_clear_error", Done(("list",), 0, "", "error: a\n")),
        ("one_clear_error", Done(("list", "--json"), 2, "", "error: a\n")),
        ("one_clear_error", Done(("list", "--json"), 2, "", '{"error": {"code": \n')),
        ("json_is_json", Done(("list", "--json"), 0, '{"a": NaN}\n', "")),
        *[
            ("nothing_that_a_terminal_obeys", Done(("list",), 0, f"a{each}b\n", ""))
            for each in "\x1b\x07\r\b\x7f\x9b\u202e\u2028"
        ],
        ("nothing_that_a_terminal_obeys", Done(("list",), 2, "", "error: \x1b[2J\n")),
        ("nothing_that_a_terminal_obeys", Done(("list", "--json"), 0, '{"a": "\x1b"}\n', "")),
    ],
)
def test_an_answer_that_breaks_the_contract_is_found(law: str, done: Done) -> None:
    """Each fault breaks the law that is about it."""
    assert law in laws_of(done)


def test_a_partial_write_is_found() -> None:
    """What failed has written nothing, unless it is done in parts, or its effect failed after the commit."""
    error = "error: no\n"
    assert laws_of(Done(("send", "chest:@a", "put-in"), 2, "", error), AFTER) == {"no_partial_write"}
    assert laws_of(Done(("send", "--file=x"), 2, "", error), AFTER) == set()
    assert laws_of(Done(("send", "chest:@a", "ring"), 8, "", error), AFTER) == set()
    assert laws_of(Done(("send", "chest:@a", "put-in"), 0, "", ""), AFTER) == set()


def test_what_an_import_brought_is_told_from_a_store_that_is_not_whole() -> None:
    """Events that the code cannot read may have been imported into another network; nothing else is let pass."""
    found = {"check": "fold", "network": "red", "entity": None, "version": 4, "problem": "cannot be read"}
    others = [{**found, "network": "default"}, {**found, "check": "head"}]
    out = "".join(json.dumps(each) + "\n" for each in (found, *others, {"entities": 4, "findings": 3}))
    assert list(unsound(out)) == others


def test_every_command_and_option_is_drawn_from() -> None:
    """The grammar is the application's own: each parameter has something that it takes."""
    shapes = {shape.name: {each.name for each in shape.parameters} for shape in lines.shapes()}
    assert {"--data", "--id", "--file", ""} <= shapes["send",]
    assert ("cursors", "set") in shapes
    assert "--follow" not in shapes["history",]  # by none of its names, since it never ends
    assert len(shapes) > 30


@given(st.one_of([words.noise, words.references, words.urls, words.conditions, words.fields]))
def test_no_word_reaches_beyond_the_folder(word: str) -> None:
    """A word is one that a command line can have, and names no absolute path but a device."""
    assert "\0" not in word
    word.encode(errors="surrogateescape")
    assert not word.startswith(("/", "~"))


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")  # of the long words, when they are shown
def test_a_round_of_generated_inputs_keeps_the_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few of the inputs that the torture gives by the thousand, each in a process of its own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    counts: Counter[str] = Counter()
    assert one_round(tmp_path / "project", "7", 15, counts) == []
    assert sum(count for name, count in counts.items() if name.endswith("inputs")) == 15


@pytest.mark.parametrize("target", TARGETS.values(), ids=list(TARGETS))
@given(data=st.data())
def test_what_is_fuzzed_keeps_its_law(target: Target, data: st.DataObject) -> None:
    """Each target takes what it is usually given, that with something else in it, and anything."""
    seed = data.draw(st.sampled_from(target.seeds))
    at = data.draw(st.integers(0, len(seed)))
    target.read(data.draw(st.sampled_from((seed, seed[:at] + data.draw(st.binary(max_size=8)) + seed[at:]))))
    target.read(data.draw(st.binary(max_size=60)))


def test_a_broken_law_and_a_fuzzer_that_ends_are_told(tmp_path: Path) -> None:
    """What a fuzzer noted is a breach, and so is one that crashed; one that ended well told how much it did."""
    output: Callable[[str], object] = (tmp_path / "fuzzer.txt").write_text
    output("stat::number_of_executed_units: 123\n")
    assert came_of(tmp_path, "row", 0) == ([], 123)
    output("==7== ERROR: libFuzzer: timeout\n")
    [found], _ = came_of(tmp_path, "row", 70)
    assert found.law == "fuzzed_row"
    assert "ended with 70: ==7== ERROR: libFuzzer: timeout" in found.what


def test_a_law_that_does_not_hold_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A target whose parser, or writer, is at fault says so."""
    monkeypatch.setattr("torture.fuzz.targets.harmless", lambda text: text)
    with pytest.raises(Broken):
        TARGETS["shown"].read(b"\x1b[2J")


def test_a_message_that_is_refused_for_its_size_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way in has to keep a big message: to refuse them all is no success."""
    monkeypatch.setattr(
        hostile_sizes, "command", lambda _, *words, **__: Done(words, 2 if words[0] == "send" else 0, "", TOLD)
    )
    found, _ = hostile_sizes.strike(tmp_path, hostile_sizes.WAYS["--data -"], 100)
    assert {breach.law for breach in found} == {"each_way_is_kept"}


def test_an_output_that_takes_nothing_is_no_failure_of_user_code() -> None:
    """What was committed is kept though it cannot be told; with status 1 it would be somebody else's fault."""
    error = "error: the output cannot be written: No space left on device; what was committed is kept\n"
    assert laws_of(Done(("send", "chest:@a", "put-in"), 7, "", error), AFTER) == set()
    assert laws_of(Done(("send", "chest:@a", "put-in"), 1, "", error), AFTER) == {"a_status_of_the_contract"}
    done = command(Path(__file__).resolve().parents[2], "describe", output_is_full=True)
    assert done.status != 0
    assert "the output cannot be written" in done.err
