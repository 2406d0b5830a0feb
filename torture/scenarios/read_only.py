"""Read-only: files, folders and file systems that may be read and not written, or neither."""

import codecs
import os
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from pachyderm_cli import Pachyderm
from torture.faults.mounts import enter_own_mounts, mount_read_only
from torture.figure import Figure, Run
from torture.judge.laws import Breach
from torture.load import account
from torture.load.commands import Done, command, load_everything
from torture.load.crew import in_a_process
from torture.load.notes import note, notes
from torture.load.project import make_project
from torture.load.tables import tables_of

NAME = "read-only files, sqlite"
STORE = "pachyderm.db"
READS = (
    ("list", "--json"),
    ("history", "--json"),
    ("inspect", "--json"),
    ("replay", "--json"),
    ("export",),
    ("store", "verify", "--all-networks"),
)
WRITES = (
    ("send", "account:@a", "put", "network=red", "amount=5"),
    ("send", "account:new", "put", "network=red", "amount=5"),
    ("send", "--file", "messages.jsonl"),
    ("snapshot", "--all"),
    ("cursors", "set", "letters", "1"),
    ("erase", "account:@a", "--yes", "--why", "asked for it"),
)
_MESSAGE = '{"to": "account:@%s", "message": "put", "data": {"network": "red", "amount": 1, "ring": true}}\n'
_WHY = (
    "is read-only",
    "cannot be opened",
    "cannot be read",
    "Permission denied",
    "cannot be written",
    "cannot be looked at",
)


class Denial(NamedTuple):
    """The modes of the folder and of the store's files, and whether there are files of a process that was killed.

    They are another user's: of the owner's own bits see `mode_for`.
    `reads` is what reading comes to: 0, 7 for an error, or None where that is SQLite's to decide.
    """

    folder: int
    files: int
    is_open: bool
    reads: int | None


DENIALS: Mapping[str, Denial] = {
    "a file that may be read": Denial(0o777, 0o444, is_open=False, reads=0),
    "a file that may be read, left open": Denial(0o777, 0o444, is_open=True, reads=0),
    "a folder that may be read": Denial(0o755, 0o644, is_open=False, reads=None),
    "a folder that may be read, left open": Denial(0o755, 0o644, is_open=True, reads=0),
    "a folder that may be read, and a file that may be written": Denial(0o755, 0o666, is_open=False, reads=None),
    "a file that may not be read": Denial(0o777, 0o600, is_open=False, reads=7),
    "a folder that may not be entered": Denial(0o700, 0o644, is_open=False, reads=7),
}


def on_sqlite(run: Run) -> Figure:
    """Ask everything of stores that may not be written, or not even read, as a user without root's rights."""
    folder = run.folder("read-only")
    found = folder / "found.jsonl"
    in_a_process(
        lambda: _deny_and_judge(folder, found, run.size(len(DENIALS), quick=len(DENIALS)))
    )  # the mounts are that process's own
    [told] = notes(found)
    return Figure(NAME, told["numbers"], [Breach(*each) for each in told["breaches"]], left_out=told["left out"])


def _deny_and_judge(folder: Path, found: Path, denials: int) -> None:
    load_everything()
    codecs.lookup("unicode_escape")  # the other user may not read Python's own files either
    for each in (folder, folder.parent):
        each.chmod(0o755)
    breaches, counts, left_out = list[Breach](), Counter[str](), None
    for number, (name, denial) in enumerate(list(DENIALS.items())[-denials:]):
        breaches += deny(folder / str(number), name, denial, counts)
    try:
        enter_own_mounts()
        for is_open in (False, True):
            breaches += deny_mounted(folder / f"mounted-{is_open}", counts, is_open=is_open)
    except OSError as error:
        left_out = f"no read-only file system can be mounted here ({error})"
    note(found, {"numbers": counts, "breaches": breaches[:100], "left out": left_out})


def mode_for(user: int, mode: int) -> int:
    """Return a mode that lets those who are asked do what `mode` lets others do; without root's rights, the owner."""
    return mode if user == 0 else mode & 0o077 | (mode & 0o007) << 6


def deny(project: Path, name: str, denial: Denial, counts: Counter[str]) -> list[Breach]:
    """Take rights away, ask everything, give them back, and look whether all is as it was."""
    whole = make(project, is_open=denial.is_open)
    files = list(project.glob(f"{STORE}*"))
    store = ("--project", str(project))
    for file in files:
        file.chmod(mode_for(os.geteuid(), denial.files))
    project.chmod(mode_for(os.geteuid(), denial.folder))
    ask = partial(command, project.parent, *store, as_nobody=True)
    try:
        found = _ask(ask, whole, denial.reads, name, counts)
    finally:
        project.chmod(0o755)
        for file in files:
            if file.exists():
                file.chmod(0o600)
    return found + _require_unharmed(project, name)


def deny_mounted(project: Path, counts: Counter[str], *, is_open: bool) -> list[Breach]:
    """Ask everything of a store on a file system that is mounted read-only."""
    whole = make(project, is_open=is_open)
    for file in project.glob(f"{STORE}*"):
        file.chmod(0o644)
    mounted = project.with_name(f"{project.name}-seen")
    mount_read_only(project, mounted)
    name = f"a read-only file system{', left open' if is_open else ''}"
    ask = partial(command, project.parent, "--project", str(mounted))
    return _ask(ask, whole, 0 if is_open else None, name, counts) + _require_unharmed(project, name)


def make(project: Path, *, is_open: bool) -> Mapping[tuple[str, ...], str]:
    """Make a store, closed or as a killed process leaves it; return the answers to what is read."""
    make_project(project, "red", project / "traces.jsonl")
    (project.parent / "messages.jsonl").write_text("".join(_MESSAGE % name for name in "abcab"))
    in_a_process(lambda: _fill(project, is_open=is_open))
    twin = project.with_name(f"{project.name}-twin")
    shutil.copytree(project, twin)  # to look at one that was left open is to close it
    return {read: command(twin, *read).out for read in READS}


def _fill(project: Path, *, is_open: bool) -> None:
    with Pachyderm(f"sqlite:///{project / STORE}", modules={"account": account}, network="red") as engine:
        for number in range(40):
            engine.send(f"account:@{'abc'[number % 3]}", "put", {"network": "red", "amount": number + 1})
        if is_open:
            os._exit(0)


def _ask(
    ask: Callable[..., Done],
    whole: Mapping[tuple[str, ...], str],
    reads: int | None,
    name: str,
    counts: Counter[str],
) -> list[Breach]:
    found = []
    for read in READS:
        answer = ask(*read)
        found += answer.breaches((0, 7) if reads is None else (reads,) if reads == 0 else (6, 7), name)
        counts["reads answered" if answer.status == 0 else "reads refused"] += 1
        if answer.status == 0 and answer.out != whole[read]:
            found.append(Breach("an_answer_is_true", f"{name}: {read}: {answer.out[:200]}"))
        found += _told(answer, name)
    for write in WRITES:
        answer = ask(*write)
        found += answer.breaches((7,) if reads != 7 else (6, 7), name) + _told(answer, name)
        counts["writes refused"] += 1
    return found


def _told(answer: Done, name: str) -> list[Breach]:
    if answer.status == 0 or any(why in answer.error for why in _WHY):
        return []
    return [Breach("one_clear_line", f"{name}: {answer.arguments}: {answer.err[-300:]}")]


def _require_unharmed(project: Path, name: str) -> list[Breach]:
    """With its rights back the store has what it had, and takes the next message."""
    twin = project.with_name(f"{project.name}-twin")
    found = []
    if tables_of(project / STORE) != tables_of(twin / STORE):
        found.append(Breach("nothing_is_lost", name))
    for each in (*WRITES[:2], READS[-1]):
        found += command(project, *each).breaches((0,), f"{name}, with its rights back")
    return found
