"""Power loss: a SQLite store as it may be after a crash at any write, opened again at many points."""

import shutil
import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from pachyderm_cli import Pachyderm, PachydermError, Rejected
from torture.faults.power import Disk
from torture.faults.vfs import Operation, Recorder
from torture.figure import Figure, Run
from torture.judge.history import Answer, History, Intent, read_tables
from torture.judge.laws import OF_SENDS, Breach
from torture.judge.outbox import what_is_to_be_done_is_queued
from torture.load import account
from torture.load.crew import in_a_process
from torture.load.notes import note, notes

NAME = "power loss, sqlite"
THREADS, ENTITIES = 4, 20
LAWS = (*OF_SENDS, what_is_to_be_done_is_queued)


def on_sqlite(run: Run) -> Figure:
    """Record what some threads' sends ask of the disk; cut it off at many points."""
    folder = run.folder("power")
    points = run.size(500, quick=100)
    found = folder / "found.jsonl"
    in_a_process(lambda: _record_and_judge(folder, run.seed, points, found))  # the recorder is there for good
    [told] = notes(found)
    if "skipped" in told:
        return Figure(NAME, {}, skipped=told["skipped"])
    return Figure(NAME, told["numbers"], [Breach(*each) for each in told["breaches"]])


def _record_and_judge(folder: Path, seed: int, points: int, found: Path) -> None:
    try:
        recorder = Recorder()
    except OSError as error:
        note(found, {"skipped": str(error)})
        return
    answers = load(recorder, folder, seed)
    operations = list(recorder.operations)  # what is opened below is recorded too
    breaches, opened = lose_power(operations, answers, folder, Random(f"power:{seed}"), points)  # noqa: S311 - chances
    writes = sum(each.kind != "ack" for each in operations)
    numbers = {"points": opened, "of operations on files": writes, "acknowledged sends": len(answers)}
    note(found, {"numbers": numbers, "breaches": breaches[:100]})


def load(recorder: Recorder, folder: Path, seed: int, sends: int = 300) -> dict[str, tuple[Intent, Answer]]:
    """Send from some threads; return what was asked and answered, by message id."""
    answers: dict[str, tuple[Intent, Answer]] = {}
    traces = str(folder / "traces.jsonl")
    modules: dict[str, Any] = {"account": account}
    with Pachyderm(f"sqlite:///{folder}/store.db", modules=modules, network="red", config={"traces": traces}) as engine:

        def send(thread: int) -> None:
            random = Random(f"power:{seed}:{thread}")  # noqa: S311 - chances, no secrets
            for _ in range(sends):
                message_id = str(UUID(int=random.getrandbits(128), version=4))
                entity = str(UUID(int=random.randrange(ENTITIES) + 1))
                amount, parts = random.choice((0, *range(1, 20))), random.choice((1, 2, 3))
                message = {"network": "red", "amount": amount, "parts": parts, "ring": random.random() < 0.2}
                intent = Intent("", "red", entity, message_id, {**message, "give_to": None, "whisper": False})
                version = None
                with suppress(Rejected):
                    version = engine.send(f"account:{entity}", "put", message, message_id=message_id).version
                answers[message_id] = (intent, Answer("", message_id, version))
                recorder.acknowledge(message_id)

        threads = [threading.Thread(target=send, args=(number,)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return answers


def lose_power(
    operations: list[Operation],
    answers: dict[str, tuple[Intent, Answer]],
    folder: Path,
    random: Random,
    points: int,
    *,
    syncs: bool = True,
) -> tuple[list[Breach], int]:
    """Open what is left after each of so many points; return every breach, and how many points there were."""
    at = set(random.sample(range(1, len(operations)), min(points, len(operations) - 1)))
    disk, breaches = Disk(syncs=syncs), list[Breach]()
    for number, operation in enumerate(operations):
        disk.take(operation)
        if number in at:
            place = folder / f"crash-{number}"
            place.mkdir()
            disk.after_power_loss(place, random)
            known = [answers[each] for each in disk.acknowledged]
            left = judge_what_is_left(place, known, answers)
            breaches += [each._replace(what=f"at operation {number}: {each.what}") for each in left]
            shutil.rmtree(place)
    return breaches, len(at)


def judge_what_is_left(
    place: Path, known: list[tuple[Intent, Answer]], asked: dict[str, tuple[Intent, Answer]]
) -> list[Breach]:
    """Hold a store after power loss against what was acknowledged before it, and send to it once more.

    What is judged is a copy: the engine is the first to open the files as they were left.
    """
    copy = Path(shutil.copytree(place, place / "copy"))
    file = place / "store.db"
    entity = str(UUID(int=1))
    found, version = list[Breach](), None
    try:
        with Pachyderm(f"sqlite:///{file}", modules={"account": account}, network="red") as engine:
            version = engine.send(f"account:{entity}", "put", {"network": "red", "amount": 1}).version
    except PachydermError as error:
        found.append(Breach("it_goes_on", error.message))
    try:
        history, after = (_left(each / "store.db", known, asked) for each in (copy, place))
    except sqlite3.DatabaseError as error:
        return [*found, Breach("the_file_is_sound", str(error))]
    found += [Breach(law.__name__, what) for law in LAWS for what in law(history)]
    before = len(history.by_entity().get(("red", entity), []))
    if version not in (None, before + 1):
        found.append(Breach("it_goes_on", f"{version} came after {before}"))
    if after.rows[: len(history.rows)] != history.rows or sorted(after.outbox) != sorted(history.outbox):
        found.append(Breach("to_open_it_changes_nothing", f"{len(history.rows)} events became {len(after.rows)}"))
    return found


def _left(file: Path, known: list[tuple[Intent, Answer]], asked: dict[str, tuple[Intent, Answer]]) -> History:
    """Return what was asked and known, with the tables of a file. Raises sqlite3.DatabaseError as `_is_made` does."""
    history = History([intent for intent, _ in asked.values()], [answer for _, answer in known])
    if file.exists() and _is_made(file):
        read_tables(history, f"sqlite:///{file}")
    return history


def _is_made(file: Path) -> bool:
    """Tell whether the tables are there. Raises sqlite3.DatabaseError for a file that is not sound."""
    with closing(sqlite3.connect(file)) as connection:
        [(verdict,), *_] = connection.execute("PRAGMA integrity_check").fetchall()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
