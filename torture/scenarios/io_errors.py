"""I/O errors: a disk that is full, or reports an error, at any write, sync, truncation or read of a load."""

import sqlite3
import threading
from collections import Counter
from contextlib import suppress
from functools import partial
from itertools import chain, islice, repeat
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from pachyderm_cli import Pachyderm, PachydermError, Rejected
from pachyderm_cli.errors import StoreError
from torture.faults.vfs import Recorder
from torture.figure import Figure, Run
from torture.judge.history import Answer, History, Intent, read_tables
from torture.judge.laws import OF_SENDS, Breach
from torture.judge.outbox import what_is_to_be_done_is_queued
from torture.load import account
from torture.load.crew import in_a_process
from torture.load.notes import note, notes

NAME = "I/O errors, sqlite"
LAWS = (*OF_SENDS, what_is_to_be_done_is_queued)
ERRORS = {
    "write": (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE),
    "sync": (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_FSYNC),
    "truncate": (sqlite3.SQLITE_IOERR_TRUNCATE,),
    "read": (sqlite3.SQLITE_IOERR_READ,),
}
_THREADS, _SENDS, _ENTITIES = 3, 12, 5
_ATTEMPTS = 3


class Faults:
    """When operations fail, and with what. Counts what happened."""

    def __init__(self) -> None:
        """Begin with a disk that does what it is told."""
        self.counts: Counter[str] = Counter()
        self.has_struck = False
        """Whether anything failed since the last plan."""
        self._kind = ""
        self._first = self._last = 0
        self._code = 0
        self._seen = 0

    def plan(self, random: Random, kind: str | None = None) -> None:
        """Let one of the next operations of a kind fail, or some of them, or all from there on.

        Of a kind that is named the very first one does, so that it happens for certain.
        """
        self._kind = kind or random.choice(("write", "write", "write", "sync", "sync", "truncate", "read"))
        self._code = random.choice(ERRORS[self._kind])
        self._seen, self.has_struck = 0, False
        self._first = random.randrange(3 if self._kind == "truncate" else 150 if self._kind == "write" else 40)
        if kind:
            self._first = 0
        self._last = self._first + random.choice((0, 0, random.randrange(1, 20), 10**9))

    def end(self) -> None:
        """Let nothing fail any more."""
        self._kind = ""

    def __call__(self, kind: str, _file: str) -> int:
        """Return the error that an operation ends with, 0 for none."""
        if kind != self._kind:
            return 0
        self._seen += 1
        if not self._first < self._seen <= self._last + 1:
            return 0
        self.counts[f"failed {kind}s"] += 1
        self.has_struck = True
        return self._code


def on_sqlite(run: Run) -> Figure:
    """Let operations of many loads fail; the same engine goes on when they no longer do."""
    folder = run.folder("io")
    found = folder / "found.jsonl"
    in_a_process(lambda: _fail_and_judge(folder, run, found))  # what watches SQLite's files is there for good
    [told] = notes(found)
    if "skipped" in told:
        return Figure(NAME, {}, skipped=told["skipped"])
    return Figure(NAME, told["numbers"], [Breach(*each) for each in told["breaches"]])


def _fail_and_judge(folder: Path, run: Run, found: Path) -> None:
    faults = Faults()
    try:
        recorder = Recorder(faults)  # SQLite uses it as long as it is kept
    except OSError as error:
        note(found, {"skipped": str(error)})
        return
    loads, breaches, counts = max(run.size(300, quick=60), len(ERRORS)), list[Breach](), Counter[str]()
    for number, kind in enumerate(islice(chain(ERRORS, repeat(None)), loads)):
        random = Random(f"io:{run.seed}:{number}")  # noqa: S311 - chances, no secrets
        breaches += strike(folder / str(number), faults, random, counts, kind)
        run.progress(number + 1, loads)
    operations = len(recorder.operations)
    note(
        found,
        {
            "numbers": {"loads": loads, **counts, "of operations on files": operations, **faults.counts},
            "breaches": (did_not_happen(faults.counts) + breaches)[:100],
        },
    )


def did_not_happen(counts: Counter[str]) -> list[Breach]:
    """Return the kinds of operations of which none failed: a run without them shows nothing of them."""
    return [Breach("the_fault_did_not_happen", kind) for kind in ERRORS if not counts[f"failed {kind}s"]]


def strike(place: Path, faults: Faults, random: Random, counts: Counter[str], kind: str | None = None) -> list[Breach]:
    """Load a new store while operations fail; hold what is left against what was acknowledged.

    Those of a `kind` that is named fail from the first on, and on a new file, where there is each of them.
    """
    place.mkdir()
    history, refusals = History(), list[Exception]()
    modules: dict[str, Any] = {"account": account}
    open_engine = partial(
        Pachyderm, f"sqlite:///{place}/store.db", modules=modules, network="red", config={"traces": f"{place}/traces"}
    )
    if random.random() < 0.7 and kind is None:  # otherwise it fails while the store is made
        with open_engine() as engine:
            engine.send(f"account:{UUID(int=99)}", "put", {"network": "red", "amount": 1})
    found = []
    faults.plan(random, kind)
    engine = open_engine(snapshots_every=5)
    _send_from_threads(engine, history, refusals, random)
    faults.end()
    counts["points"] += faults.has_struck
    found += _going_on(engine, "the same engine")
    with suppress(PachydermError):
        engine.close()
    with open_engine() as fresh:
        found += _going_on(fresh, "another engine")
    counts["acknowledged sends"] += len(history.answers)
    counts["refused sends"] += len(refusals)
    found += [Breach("a_refusal_is_a_store_error", repr(each)) for each in refusals if not _is_clear(each)]
    read_tables(history, f"sqlite:///{place}/store.db")
    return [
        Breach(each.law, f"point {place.name}: {each.what}")
        for each in (*found, *(Breach(law.__name__, what) for law in LAWS for what in law(history)))
    ]


def _send_from_threads(engine: Pachyderm, history: History, refusals: list[Exception], random: Random) -> None:
    def send(thread: int, seed: int) -> None:
        chances = Random(f"{seed}:{thread}")  # noqa: S311 - chances, no secrets
        for _ in range(_SENDS):
            message_id = str(UUID(int=chances.getrandbits(128), version=4))
            entity = str(UUID(int=chances.randrange(_ENTITIES) + 1))
            message = {"network": "red", "amount": chances.randrange(20), "parts": chances.choice((1, 2, 30))}
            message["ring"] = chances.random() < 0.2
            history.intents.append(Intent("", "red", entity, message_id, message))
            for _ in range(_ATTEMPTS):
                try:
                    version = engine.send(f"account:{entity}", "put", message, message_id=message_id).version
                except Rejected:
                    version = None
                except Exception as error:  # noqa: BLE001 - judged below
                    refusals.append(error)
                    continue
                history.answers.append(Answer("", message_id, version))
                break

    seed = random.getrandbits(64)
    threads = [threading.Thread(target=send, args=(number, seed)) for number in range(_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _going_on(engine: Pachyderm, who: str) -> list[Breach]:
    """Send once more, and read it, now that nothing fails."""
    try:
        sent = engine.send("account:new", "put", {"network": "red", "amount": 1})
        engine.inspect(sent.entity)
    except PachydermError as error:
        return [Breach("it_goes_on", f"{who}: {error.message}")]
    return []


def _is_clear(error: Exception) -> bool:
    """Tell whether a refusal is one line that says what is wrong with the disk."""
    return (
        isinstance(error, StoreError)
        and "\n" not in error.message
        and any(said in error.message for said in ("the disk is full", "the disk reports an error"))
    )
