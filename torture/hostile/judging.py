"""What every answer to hostile input is held against: the contract of the command line, whatever was asked."""

import json
import re
from collections.abc import Iterator

from pachyderm_cli.cli.exit_codes import EXIT_CODES
from torture.judge.laws import Breach
from torture.load.commands import CONTRACT, Done
from torture.load.tables import Tables
from torture.load.told import ERROR, ERROR_JSON, errors_of, lines_of, parses, unknown_lines

_OBEYED = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Controls but for tabs and the ends of lines, other ends of lines, and what turns text round."""
_STATUSES: dict[str, int] = {}
for _kind, _status in EXIT_CODES.items():
    _STATUSES[_kind.code] = _status

PARTS = frozenset({"worker", "follow", "copy", "--all", "--resumable", "--file", "-f"})
"""Words of what is done in parts, each of them whole: what an error ends may have been begun."""
MANY = frozenset({"--keep-going", "-k", "check"})
"""Words of what tells of each thing that failed, in a line of its own."""
COMMANDS = frozenset({"--exec"})
"""Words of what lets another command write to standard error."""
OTHERS = frozenset({"export", *COMMANDS})
"""Words of what prints JSON without being asked to, or lets another command print it."""
UNWRITTEN = "the output cannot be written"
"""What is said where what was done cannot be told."""
_LONGEST = 300


def breaches_of(done: Done, before: Tables, after: Tables) -> list[Breach]:
    """Return every breach of the contract in an answer, given the tables before it and after it."""
    told = f"{' '.join(done.arguments)!r:.{_LONGEST}}: status {done.status}: {done.err.strip()[-_LONGEST:]!r}"
    found = [
        *no_traceback(done),
        *a_status_of_the_contract(done),
        *one_clear_error(done),
        *nothing_that_a_terminal_obeys(done),
        *no_partial_write(done, before, after),
    ]
    return [Breach(law, f"{what}: {told}") for law, what in found]


def no_traceback(done: Done) -> Iterator[Breach]:
    """Nobody is shown the inside of pachyderm, nor told that it did not expect this."""
    for sign in ("Traceback (most", "Traceback: ", "unexpected failure"):
        if sign in done.err or sign in done.out:
            yield Breach("no_traceback", sign)


def a_status_of_the_contract(done: Done) -> Iterator[Breach]:
    """The status is one that there is, that of the error which is told; 1 is user code's own, and names its file."""
    if done.status not in CONTRACT:
        yield Breach("a_status_of_the_contract", "there is no such status")
    errors = list(errors_of(done.err))
    if done.status == 1 and not any("entities/chest.py" in json.dumps(each) for each in errors):
        yield Breach("a_status_of_the_contract", "a failure that is not user code's")
    for each in errors:
        if _STATUSES.get(each.get("code", ""), done.status) == 0:
            yield Breach("a_status_of_the_contract", "an error of no kind")
    if _is_json(done) and errors and done.status not in {_STATUSES.get(each.get("code", ""), -1) for each in errors}:
        yield Breach("a_status_of_the_contract", f"the error is {errors[0].get('code')!r}")


def one_clear_error(done: Done) -> Iterator[Breach]:
    """A failure is told in one line, or one for each bad line of a file; with --json as one document. 0 tells none.

    Where the output takes nothing, that is one line more: what failed before it was told by then.
    Nothing but notes that are known is beside it, unless another command may write there.
    """
    lines = [line for line in lines_of(done.err) if line.startswith(ERROR_JSON if _is_json(done) else ERROR)]
    if done.status in (130, 141):
        return
    if not _is_any(done, *COMMANDS):
        for line in unknown_lines(done.err)[:1]:
            yield Breach("one_clear_error", f"{line[:_LONGEST]!r} on standard error")
    if not done.status:
        if lines:
            yield Breach("one_clear_error", "an error, and status 0")
        return
    most = 1 + any(UNWRITTEN in line for line in lines)
    if not lines or (len(lines) > most and not _is_any(done, *MANY)):
        yield Breach("one_clear_error", f"{len(lines)} error lines")
    if any(line.strip() in ("error:", 'error: ""') for line in lines):
        yield Breach("one_clear_error", "an empty one")
    if _is_json(done) and len(list(errors_of(done.err))) != len(lines):
        yield Breach("one_clear_error", "what is told is no JSON")


def nothing_that_a_terminal_obeys(done: Done) -> Iterator[Breach]:
    """What people read has no control but the ends of lines and tabs; JSON has none that JSON does not allow."""
    for name, text in (("standard output", done.out), ("standard error", done.err)):
        raw = set(_OBEYED.findall(text))
        if _is_json(done) or _is_any(done, *OTHERS):
            raw = {each for each in raw if each < " "}
            if name == "standard output" and _is_json(done) and not all(map(parses, lines_of(text))):
                yield Breach("json_is_json", f"{text[:_LONGEST]!r}")
        if raw:
            yield Breach("nothing_that_a_terminal_obeys", f"{sorted(raw)} on {name}")


def no_partial_write(done: Done, before: Tables, after: Tables) -> Iterator[Breach]:
    """What failed has written nothing, unless it is done in parts, or committed before its effect or output failed."""
    if UNWRITTEN in done.err:
        return
    if done.status not in (0, 8) and not _is_any(done, *PARTS) and before != after:
        changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
        yield Breach("no_partial_write", f"changed: {', '.join(changed)}")


def _is_json(done: Done) -> bool:
    """Tell whether JSON is asked for: after `--` nothing is an option."""
    words = [*done.arguments, "--"]
    return "--json" in words[: words.index("--")]


def _is_any(done: Done, *wanted: str) -> bool:
    """Tell whether a word is there, also as `--option=VALUE` or, of one letter, with its value or others behind it."""
    return any(
        word == each or (each.startswith("--") and word.startswith(f"{each}=")) or _is_short(each, word)
        for word in done.arguments
        for each in wanted
    )


def _is_short(option: str, word: str) -> bool:
    is_one = len(option) == 2 and option[0] == "-"
    return is_one and word[:1] == "-" and word[1:2] != "-" and option[1] in word
