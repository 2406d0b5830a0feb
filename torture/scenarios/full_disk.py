"""Full disk: writers, a worker and a follower on a small file system that is full now and then."""

import json
import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from random import Random

from pachyderm_cli.errors import StoreError
from torture.faults.mounts import enter_own_mounts, fill, mount_memory
from torture.figure import Figure, Run
from torture.judge.history import read_history
from torture.judge.laws import Breach, judge
from torture.load import clients, crowds
from torture.load.cast import SENDERS, settle, told
from torture.load.clients import NETWORKS, Client, Task
from torture.load.commands import Done, command, load_everything
from torture.load.crew import Crew, in_a_process
from torture.load.notes import note, notes
from torture.load.project import make_project
from torture.load.results import events_in, not_the_whole, note_sent

NAME = "full disk, sqlite"
_SIZE = 512 * 2**20  # a full run writes some 300 MB, and is to be out of room by the filler alone
_PATIENCE = 30.0
_OURS = "green"  # what the commands send is in a network by itself
_NOTES = Path("clients", "commands.jsonl")
_FULL = ("the disk is full", "No space left on device", "database or disk is full")

_FRESH = ("--store", "sqlite:///new/fresh.db")
WRITES = (
    ("send", "account:new", "put", "network=green", "amount=5", "--json"),
    ("send", "--file", "../messages.jsonl", "--json"),
    ("snapshot", "--all"),
    ("backup", "copy.db"),
    ("export", "-o", "export.jsonl"),
    (*_FRESH, "send", "account:new", "put", "network=green", "amount=5"),
    (*_FRESH, "store", "migrate"),
    (*_FRESH, "import", "../whole.jsonl"),
)
"""What needs room: it is refused while there is none, and leaves nothing that passes for its result."""
RESULTS: Mapping[str, str | None] = {"copy.db": None, "export.jsonl": _OURS}
"""What is made of the store, and of which network of it, where not of all."""
READS = (("list", "--json"), ("history", "--json"), ("inspect", "--json"), ("replay",), ("store", "status"))
"""What needs none."""


def on_sqlite(run: Run) -> Figure:
    """Fill the disk under a load, ask everything, make room, and let the same processes go on; many times."""
    folder = run.folder("full")
    found = folder / "found.jsonl"
    in_a_process(lambda: _fill_and_judge(folder, run, found))  # the file system is that process's own
    [said] = notes(found)
    if "skipped" in said:
        return Figure(NAME, {}, skipped=said["skipped"])
    return Figure(NAME, said["numbers"], [Breach(*each) for each in said["breaches"]])


def _fill_and_judge(folder: Path, run: Run, found: Path) -> None:
    disk = folder / "disk"
    try:
        enter_own_mounts()
        mount_memory(disk, _SIZE)
    except OSError as error:
        note(found, {"skipped": f"no small file system can be mounted here ({error})"})
        return
    load_everything()
    logging.disable(logging.WARNING)  # what the worker tells of a full disk, again and again
    for part in ("clients", "followers", "traces"):
        (folder / part).mkdir()
    store_url = f"sqlite:///{disk}/pachyderm.db"
    make_project(disk, _OURS, folder / "traces" / "commands.jsonl")
    (disk / "new").mkdir()
    tasks = _tasks(store_url, folder, run.seed)
    crew, breaches, counts = Crew(), list[Breach](), Counter[str]()
    random = Random(f"full:{run.seed}")  # noqa: S311 - chances, no secrets
    fills = run.size(40, quick=4)
    try:
        for client, task in tasks:
            crew.begin(client, task)
        _wait(tasks, "end")
        breaches += _prepare(disk, folder)
        for number in range(fills):
            fill(disk / "filler", leave=random.choice((0, 0, 4096, 40_000, 200_000)))
            _wait(tasks, "failed")
            breaches += _ask_while_full(disk, folder / _NOTES, counts)
            (disk / "filler").unlink()
            breaches += _ask_for_a_fresh_one(disk)
            _wait(tasks, "end")
            run.progress(number + 1, fills)
        crew.end()
    finally:
        crew.abandon()
    breaches += _ask_with_room(disk, folder / _NOTES)
    of_commands = Task(f"follower-{_OURS}", store_url, _OURS, folder, run.seed)
    settle([*((_PLAIN.get(client, client), task) for client, task in tasks), (clients.follow, of_commands)])
    breaches += _refusals(tasks, counts)
    history = read_history(folder, store_url)
    breaches += judge(history)
    note(found, {"numbers": {"times full": fills, **counts, **told(history)}, "breaches": breaches[:100]})


def _prepare(disk: Path, folder: Path) -> list[Breach]:
    """Make what the commands need: an export, messages, a store that nobody has open."""
    message = {"to": "account:@many", "message": "put", "data": {"network": _OURS, "amount": 1}}
    (folder / "messages.jsonl").write_text(f"{json.dumps(message)}\n" * 500)
    done = [
        _ask(disk, WRITES[1], folder / _NOTES),
        command(disk, "export", "-o", "../whole.jsonl"),
        command(disk, "--store", "sqlite:///closed.db", "import", "../whole.jsonl"),
    ]
    return [breach for each in done for breach in each.breaches((0,), "at first")]


def _ask(disk: Path, words: tuple[str, ...], noted: Path) -> Done:
    """Ask something; what the command says that it sent is noted, to be judged as everybody's."""
    done = command(disk, *words)
    if words[0] == "send":
        note_sent(done, noted)
    return done


def _ask_while_full(disk: Path, noted: Path, counts: Counter[str]) -> list[Breach]:
    found = []
    for read in READS:
        found += command(disk, *read).breaches((0,), "full")
        found += _told(command(disk, "--store", "sqlite:///closed.db", *read), counts)  # which nobody has open
    found += command(disk, *READS[0], output_is_full=True).breaches((7,), "full, and so is the standard output")
    for each in WRITES:
        least = {name: events_in(disk / "pachyderm.db", network) for name, network in RESULTS.items()}
        answer = _ask(disk, each, noted)
        found += _told(answer, counts)
        found += judge_results(disk, answer, least, counts)
    return found + [Breach("no_part_is_left", each.name) for each in disk.glob(".pachyderm-*")]


def judge_results(disk: Path, answer: Done, least: Mapping[str, int], counts: Counter[str]) -> list[Breach]:
    """Return how what a command made of the store is there though it failed, or is not whole; and remove it.

    `least` is how many events there were before.
    """
    found = []
    for name in least:
        if not (disk / name).exists():
            if answer.status == 0 and name in answer.arguments:
                found.append(Breach("no_part_passes_for_the_whole", f"{answer.arguments}: there is no {name}"))
            continue
        if answer.status:
            found.append(Breach("no_part_passes_for_the_whole", f"{answer.arguments}: {name}"))
        else:
            counts["copies read back"] += 1
            found += not_the_whole(disk, disk / name, least[name])
        (disk / name).unlink()
    return found


def _told(answer: Done, counts: Counter[str]) -> list[Breach]:
    """Return how an answer on a full disk is neither one that needed no room, nor a line that says so."""
    counts["refused commands"] += answer.status == 7
    found = answer.breaches((0, 7), "full")
    if answer.status and not any(said in answer.error for said in _FULL):
        found.append(Breach("one_clear_line", f"{answer.arguments}: {answer.error}"))
    return found


def _ask_for_a_fresh_one(disk: Path) -> list[Breach]:
    """Return whether a store that could not be made can be, now that there is room."""
    found = []
    for each in (*WRITES[5:], (*_FRESH, "store", "verify", "--all-networks")):
        found += command(disk, *each).breaches((0,), "a store that could not be made before")
    for file in (disk / "new").iterdir():
        file.unlink()
    return found


def _ask_with_room(disk: Path, noted: Path) -> list[Breach]:
    found = []
    for each in (*READS, *WRITES[:5], ("store", "verify", "--all-networks")):
        found += _ask(disk, each, noted).breaches((0,), "with room again")
    for name, network in RESULTS.items():
        found += not_the_whole(disk, disk / name, events_in(disk / "pachyderm.db", network))
    return found


def _wait(tasks: list[tuple[Client, Task]], what: str) -> None:
    """Wait until each writer was answered, or refused, once more. Raises SystemExit where that does not come."""
    files = {task.file("clients"): _size(task.file("clients")) for client, task in tasks if client in SENDERS}
    end = time.monotonic() + _PATIENCE
    while files:
        for file, at in list(files.items()):
            with file.open("rb") if file.exists() else open(os.devnull, "rb") as lines:  # noqa: PTH123
                lines.seek(at)
                if f'"note": "{what}"'.encode() in lines.read():
                    del files[file]
        if time.monotonic() > end:
            raise SystemExit(f"no writer was told {what!r} for {_PATIENCE:g} seconds: {list(files)}")
        time.sleep(0.01)


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _refusals(tasks: list[tuple[Client, Task]], counts: Counter[str]) -> list[Breach]:
    """Return what was refused in other words than that the disk is full."""
    found = []
    for _, task in tasks:
        for each in notes(task.file("clients")):
            if each["note"] == "failed":
                counts["refused sends and steps"] += 1
                if not any(said in each["error"] for said in _FULL) or "\n" in each["error"]:
                    found.append(Breach("one_clear_line", f"{task.name}: {each['error']}"))
    return found


def _stubborn(client: Client, task: Task, stop: threading.Event) -> None:
    """Be a client that begins again where the store refuses it."""
    while not stop.is_set():
        try:
            client(task, stop)
        except StoreError as error:
            note(task.file("clients"), {"note": "failed", "id": None, "error": error.message})
            stop.wait(0.1)


work = partial(_stubborn, clients.work)
follow = partial(_stubborn, clients.follow)
_PLAIN: dict[Client, Client] = {work: clients.work, follow: clients.follow}


def _tasks(store_url: str, folder: Path, seed: int) -> list[tuple[Client, Task]]:
    """Return who does what; each network has each kind."""
    kinds = ((crowds.crowd, "crowd"), (crowds.write_in_batches, "batch"), (work, "worker"), (follow, "follower"))
    return [
        (client, Task(f"{name}-{network}", store_url, network, folder, seed))
        for client, name in kinds
        for network in NETWORKS
    ]
