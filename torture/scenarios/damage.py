"""Damage: a SQLite file cut off, with turned bits and lost pages, or something else in its place."""

import os
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import NamedTuple
from uuid import UUID

from pachyderm_cli import Pachyderm
from torture.faults.damage import (
    DAMAGES,
    DAMAGES_OF_THE_LOG,
    FOREIGN,
    Damage,
    another_database,
    bits_flipped,
    index_scribbled,
)
from torture.figure import Figure, Run
from torture.judge.answers import is_a_beginning, is_a_fold, not_of_the_whole
from torture.judge.laws import Breach
from torture.load import account
from torture.load.commands import Done, command, load_everything
from torture.load.crew import in_a_process
from torture.load.notes import note, notes
from torture.load.project import make_project
from torture.load.tables import Row, Tables, tables_of

NAME = "damaged files, sqlite"
ENTITY = str(UUID(int=1))
_ENTITIES, _SENDS = 12, 150

READS: tuple[tuple[str, ...], ...] = (
    ("history", ENTITY, "--json"),
    ("inspect", ENTITY, "--json"),
    ("replay", ENTITY, "--json"),
    ("list", "--json"),
    ("list", "--type", "account", "--where", "count>3", "--json"),
    ("follow", "--from-start", "--once", "--json"),
    ("effects", "list", "--json"),
    ("cursors", "list", "--json"),
    ("export",),
)
"""What is asked of every damaged store; the answers of a whole one are known."""
HISTORY, INSPECT, REPLAY, LIST, _, FOLLOW, EFFECTS, _, EXPORT = READS
_EVENTS = (HISTORY, FOLLOW, EXPORT)
_ROWS = (*_EVENTS, LIST, EFFECTS)
_MANY = 4  # values of a row that bits turned near one another may make others
WRITES: tuple[tuple[str, ...], ...] = (
    ("send", f"account:{ENTITY}", "put", "network=red", "amount=5", "--json"),
    ("send", "account:new", "put", "network=red", "amount=5", "--json"),
    ("worker", "--once"),
    ("backup", "copy.db", "--force"),
    ("snapshot", ENTITY),
    ("store", "status"),
    ("store", "migrate"),
    ("history", ENTITY, "--json"),
)
VERIFY = ("store", "verify", "--all-networks")


def on_sqlite(run: Run) -> Figure:
    """Damage a closed store, and one that was left open, at many places; ask everything of what is left."""
    folder = run.folder("damage")
    found = folder / "found.jsonl"
    in_a_process(lambda: _damage_and_judge(folder, run, found))
    [told] = notes(found)
    return Figure(NAME, told["numbers"], [Breach(*each) for each in told["breaches"]])


class Original(NamedTuple):
    """A store before its damage: its files, what it answers, and its tables."""

    files: Path
    answers: Mapping[tuple[str, ...], Done]
    tables: Tables


def _damage_and_judge(folder: Path, run: Run, found: Path) -> None:
    load_everything()
    random = Random(f"damage:{run.seed}")  # noqa: S311 - chances, no secrets
    project = folder / "project"
    counts: Counter[str] = Counter()
    breaches: list[Breach] = []
    closed = make(project, folder / "closed", run.seed, is_open=False)
    left_open = make(project, folder / "open", run.seed, is_open=True)
    points = run.size(120, quick=40)
    for number in range(points):
        is_open = number % 4 == 3
        kinds = DAMAGES_OF_THE_LOG if is_open else DAMAGES
        [damage] = random.choices(list(kinds), list(kinds.values()))
        breaches += strike(project, left_open if is_open else closed, damage, random, counts)
        run.progress(number + 1, points)
    for damage in FOREIGN:
        breaches += refuse(project, closed, damage, random, counts)
    note(found, {"numbers": counts, "breaches": breaches[:100]})


def make(project: Path, files: Path, seed: int, *, is_open: bool) -> Original:
    """Make a store with some of everything, closed or left as a killed process leaves it, and ask it everything."""
    shutil.rmtree(project, ignore_errors=True)
    make_project(project, "red", project / "traces.jsonl")
    in_a_process(lambda: _fill(project, seed, is_open=is_open))
    files.mkdir()
    for each in project.glob("pachyderm.db*"):
        shutil.copy(each, files)
    answers = {read: command(project, *read) for read in READS}
    for answer in answers.values():
        if answer.status:
            raise SystemExit(f"a whole store answers {answer}")
    return Original(files, answers, tables_of(project / "pachyderm.db"))


def _fill(project: Path, seed: int, *, is_open: bool) -> None:
    random = Random(f"damage:{seed}")  # noqa: S311 - chances, no secrets
    engine = Pachyderm(
        f"sqlite:///{project}/pachyderm.db",
        modules={"account": account},
        network="red",
        snapshots_every=7,
        lookups=["account"],
        config={"traces": str(project / "traces.jsonl")},
    )
    for _ in range(_SENDS):
        entity = str(UUID(int=random.randrange(_ENTITIES) + 1))
        give_to = str(UUID(int=random.randrange(_ENTITIES) + 1)) if random.random() < 0.2 else None
        message = {"network": "red", "amount": random.randrange(1, 10**6), "parts": random.choice((1, 2, 3))}
        ring = random.random() < 0.2
        engine.send(
            f"account:{entity}", "put", {**message, "ring": ring, "give_to": give_to}, effects=random.random() < 0.5
        )
    with engine.follow(cursor="letters", wait=False) as log:
        for _ in log:
            pass
        log.commit()
    if is_open:
        os._exit(0)
    engine.close()


def restore(project: Path, original: Original) -> Path:
    """Put the files of a store back as they were; return the database."""
    for each in project.iterdir():
        if each.name not in ("entities", "pachyderm.toml"):
            shutil.rmtree(each) if each.is_dir() else each.unlink()
    for each in original.files.iterdir():
        shutil.copy(each, project)
    return project / "pachyderm.db"


def strike(project: Path, original: Original, damage: Damage, random: Random, counts: Counter[str]) -> list[Breach]:
    """Damage a store once; return where an answer is neither true nor an error, nor what `store verify` finds."""
    database = restore(project, original)
    how = damage(database, random)
    is_of_the_log = damage in DAMAGES_OF_THE_LOG
    recovered = _recovered(database) if is_of_the_log else None
    answers = [command(project, *read) for read in READS]
    verified = command(project, *VERIFY)
    found = [breach for answer in answers for breach in answer.breaches((0, 1, 2, 3, 7), how)]
    found += verified.breaches((0, 7, 9), how)
    found += untrue_answers(original, answers, how, 0 if is_of_the_log else _MANY if damage is bits_flipped else 1)
    counts["damaged stores"] += 1
    if damage is index_scribbled:
        found += require_the_same(original, database, [*answers, verified], how)
    elif verified.status:
        counts["found by store verify"] += 1
    elif is_of_the_log:
        found += require_earlier(original, database, recovered, answers, how)
    else:
        found += _require_sound(original, database, answers, how, counts)
    writes = [command(project, *write) for write in WRITES]
    return found + [breach for answer in writes for breach in answer.breaches((0, 1, 2, 3, 4, 7, 8, 9), how)]


def untrue_answers(original: Original, answers: list[Done], how: str, values: int) -> Iterator[Breach]:
    """Yield the answers with something that the whole store never told, but for so many values of it.

    None is allowed where pages have checksums, in the write-ahead log: then all that is told of the log was in it.
    """
    for each in answers:
        if each.arguments in (_ROWS if values else _EVENTS):
            told = each.out
            if each.arguments == EXPORT and not values:  # where its other rows are, too, of an earlier time
                told = "\n".join(line for line in told.split("\n") if line.startswith('{"event"'))
            for line in not_of_the_whole(told, original.answers[each.arguments].out, values):
                yield Breach(
                    "an_answer_is_of_the_store", f"{how}: {each.arguments}: status {each.status}: {line[:500]}"
                )


def _recovered(database: Path) -> Tables | None:
    """Return what SQLite by itself makes of a copy of the files, None where it takes them for damaged."""
    with tempfile.TemporaryDirectory() as folder:
        for each in database.parent.glob(f"{database.name}*"):
            shutil.copy(each, folder)
        try:
            return tables_of(Path(folder) / database.name)
        except sqlite3.DatabaseError:
            return None


def require_the_same(original: Original, database: Path, answers: list[Done], how: str) -> list[Breach]:
    """What is no more than an index of the log may be anything: nothing is lost, and nothing is found."""
    found = [Breach("nothing_is_lost", f"{how}: {each.arguments} {each.error}") for each in answers if each.status]
    wrong = [each for each in answers if each.arguments in READS and each.out != original.answers[each.arguments].out]
    found += [Breach("an_answer_is_true", f"{how}: {each.arguments} {each.out[:200]}") for each in wrong]
    return found if tables_of(database) == original.tables else [*found, Breach("nothing_is_lost", how)]


def _require_sound(
    original: Original, database: Path, answers: list[Done], how: str, counts: Counter[str]
) -> list[Breach]:
    """Hold what verify calls whole against the original: one value may be another that reads as well, and no more."""
    found = [
        Breach("what_cannot_be_read_is_found", f"{how}: {each.arguments} {each.error}")
        for each in answers
        if each.status
    ]
    changed = _changes(original.tables, tables_of(database))
    if len(changed) > 1 or any(len(before) != len(after) for _, before, after in changed):
        return [*found, Breach("what_is_missing_is_found", f"{how}: {changed[:3]}")]
    counts["values that read as well, unfound"] += len(changed)
    if not changed:
        wrong = [each for each in answers if each.out != original.answers[each.arguments].out]
        found += [Breach("an_answer_is_true", f"{how}: {each.arguments} {each.out[:200]}") for each in wrong]
    return found


def require_earlier(
    original: Original, database: Path, recovered: Tables | None, answers: list[Done], how: str
) -> list[Breach]:
    """A store whose write-ahead log lost its end is what it was at an earlier commit: its events are the first ones.

    How early is SQLite's to say: what it makes of the files by itself is there, and every answer is of that time.
    """
    whole, left, there = (
        list(tables.get("pachyderm_events", {}).items())
        for tables in (original.tables, tables_of(database), recovered or {})
    )
    found = []
    if left != whole[: len(left)]:
        found.append(Breach("an_earlier_state", f"{how}: {len(left)} events are not the first of {len(whole)}"))
    if left != there:
        found.append(Breach("nothing_is_lost", f"{how}: {len(left)} events, and SQLite has {len(there)}"))
    history = original.answers[HISTORY].out
    for each in answers:
        is_true = each.status in (0, 3)
        if each.status == 0 and each.arguments in (INSPECT, REPLAY):
            is_true = is_a_fold(each.out, history)
        elif each.status == 0 and each.arguments in (HISTORY, FOLLOW):
            is_true = is_a_beginning(each.out, original.answers[each.arguments].out)
        if each.arguments == FOLLOW and len(each.out.splitlines()) != len(left):
            is_true = False
        if not is_true:
            found.append(Breach("an_answer_is_true", f"{how}: {each.arguments} {each.error} {each.out[:200]}"))
    return found


def _changes(before: Tables, after: Tables) -> list[tuple[str, Row, Row]]:
    """Return the rows that differ, each with its table, as far as they differ: a value of each where only that does."""
    found: list[tuple[str, Row, Row]] = []
    for table in before.keys() | after.keys():
        old, new = before.get(table, {}), after.get(table, {})
        for key in old.keys() | new.keys():
            one, other = old.get(key, ()), new.get(key, ())
            pairs = [pair for pair in zip(one, other, strict=False) if pair[0] != pair[1]]
            if len(one) == len(other) and len(pairs) == 1:
                found.append((table, pairs[0][:1], pairs[0][1:]))
            elif one != other:
                found.append((table, one, ()))
    return found


def refuse(project: Path, original: Original, damage: Damage, random: Random, counts: Counter[str]) -> list[Breach]:
    """Put something else in a store's place: it stays as it is, and is no store."""
    database = restore(project, original)
    how = damage(database, random)
    before = database.read_bytes() if database.is_file() else None
    is_database = damage is another_database  # in which there may be a store one day, beside what is there
    found = []
    for each in (*READS, VERIFY):
        answer = command(project, *each)
        found += answer.breaches((0, 3, 7) if is_database else (7,), how)
    for each in () if is_database else WRITES:
        found += command(project, *each).breaches((7,), how)
    if database.is_file() and database.read_bytes() != before:
        found.append(Breach("what_is_another_s_stays", how))
    counts["foreign files"] += 1
    return found
