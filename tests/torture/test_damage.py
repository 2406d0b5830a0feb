"""What a damaged store answers is judged: what it never held, what is lost, and what is of no time at all is found."""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from torture.faults.damage import DAMAGES, letter_changed
from torture.judge.answers import is_a_beginning, is_a_fold, not_of_the_whole
from torture.load.commands import Done
from torture.load.tables import tables_of
from torture.scenarios import damage
from torture.scenarios.damage import EXPORT, FOLLOW, HISTORY, INSPECT, Original

AMOUNTS = (3, 4, 5)
EVENTS = "".join(
    json.dumps({"version": at + 1, "position": at + 7, "type": "Added", "data": {"amount": amount}}) + "\n"
    for at, amount in enumerate(AMOUNTS)
)
FIRST, SECOND, _ = EVENTS.splitlines(keepends=True)


def state(version: int, total: int) -> str:
    """Return the answer that an account has that sum at that version."""
    return json.dumps({"version": version, "state": {"sum": total, "count": version}})


@pytest.mark.parametrize(
    ("told", "values", "found"),
    [
        (FIRST, 0, 0),
        (FIRST.replace("3", "7"), 1, 0),
        (FIRST.replace("3", "7"), 0, 1),
        (FIRST.replace("3", "7").replace("Added", "Taken"), 1, 1),
        (json.dumps({"version": 9, "position": 99, "type": "Other", "data": {}}), 1, 1),
        ('{"version":', 0, 0),  # which is no JSON: another law's
        ('{"end": {"events": 1}}', 0, 0),
    ],
)
def test_what_the_store_never_held_is_found(told: str, values: int, found: int) -> None:
    """An event that is none of the original's, but for the value that was damaged, is told."""
    assert len(list(not_of_the_whole(told, EVENTS, values))) == found


def test_an_earlier_time_is_told_from_no_time() -> None:
    """The first events, and what they add up to, are of an earlier time; others, and another sum, are of none."""
    assert is_a_beginning("", EVENTS)
    assert is_a_beginning(FIRST, EVENTS)
    assert not is_a_beginning(SECOND, EVENTS)
    assert is_a_fold(state(2, 7), EVENTS)
    assert not is_a_fold(state(2, 8), EVENTS)
    assert not is_a_fold(state(4, 12), EVENTS)


def whole(folder: Path, events: Sequence[int] = AMOUNTS) -> tuple[Path, Original]:
    """Return a database with those events, and what is known of one with all of them."""
    files = [folder / "whole.db", folder / "left.db"]
    for file, amounts in zip(files, (AMOUNTS, events), strict=True):
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("CREATE TABLE pachyderm_events (position INTEGER PRIMARY KEY, data TEXT)")
            rows = [(at + 1, json.dumps({"amount": amount})) for at, amount in enumerate(amounts)]
            connection.executemany("INSERT INTO pachyderm_events VALUES (?, ?)", rows)
            connection.commit()
    answers = {each: Done(each, 0, EVENTS, "") for each in (HISTORY, FOLLOW, EXPORT)}
    answers[INSPECT] = Done(INSPECT, 0, state(3, 12), "")
    return files[1], Original(folder, answers, tables_of(files[0]))


def laws_of_an_earlier(
    folder: Path, events: Sequence[int], answers: list[Done], recovered: Sequence[int] | None = None
) -> set[str]:
    """Return the laws that a store which lost its log's end breaks; SQLite has the same events, or `recovered`."""
    left, original = whole(folder, events)
    there = left
    if recovered is not None:
        (folder / "other").mkdir()
        there, _ = whole(folder / "other", recovered)
    return {law for law, _ in damage.require_earlier(original, left, tables_of(there), answers, "here")}


def test_a_log_that_lost_its_end_is_held_to_what_sqlite_recovers(tmp_path: Path) -> None:
    """An earlier state breaks nothing; an empty log where SQLite has events is a loss, however early it may be."""
    for name in "abc":
        (tmp_path / name).mkdir()
    told = [Done(FOLLOW, 0, FIRST, ""), Done(INSPECT, 0, state(1, 3), ""), Done(HISTORY, 0, FIRST, "")]
    assert laws_of_an_earlier(tmp_path / "a", AMOUNTS[:1], told) == set()
    assert laws_of_an_earlier(tmp_path / "b", (), [], recovered=AMOUNTS[:1]) == {"nothing_is_lost"}
    assert laws_of_an_earlier(tmp_path / "c", (4,), []) == {"an_earlier_state"}


@pytest.mark.parametrize(
    "answer",
    [
        Done(FOLLOW, 0, SECOND, ""),
        Done(FOLLOW, 0, "", ""),
        Done(INSPECT, 0, state(1, 4), ""),
        Done(HISTORY, 7, "", "error: no\n"),
    ],
    ids=lambda answer: f"{answer.status} {answer.arguments[0]} {answer.out[:20]}",
)
def test_an_answer_of_another_time_is_found(answer: Done, tmp_path: Path) -> None:
    """An answer that skips an event, leaves one out, adds up otherwise, or is none, is told."""
    assert laws_of_an_earlier(tmp_path, AMOUNTS[:1], [answer]) == {"an_answer_is_true"}


def test_nothing_is_lost_with_the_shared_memory(tmp_path: Path) -> None:
    """Where only what is made anew was damaged, an answer that is not the same, and a row that is gone, is a loss."""
    left, original = whole(tmp_path, AMOUNTS[:2])
    answers = [Done(HISTORY, 0, FIRST, ""), Done(FOLLOW, 7, "", "error: no\n")]
    laws = [law for law, _ in damage.require_the_same(original, left, answers, "here")]
    assert laws == ["nothing_is_lost", "an_answer_is_true", "an_answer_is_true", "nothing_is_lost"]


def test_an_event_of_another_store_is_found_though_verify_finds_something(tmp_path: Path) -> None:
    """What is told is held against the original whatever `store verify` says."""
    _, original = whole(tmp_path)
    strange = [Done(FOLLOW, 0, json.dumps({"version": 9, "position": 99, "type": "Other", "data": {}}), "")]
    assert [law for law, _ in damage.untrue_answers(original, strange, "here", 1)] == ["an_answer_is_of_the_store"]


def test_a_letter_of_an_event_s_data_is_changed(tmp_path: Path) -> None:
    """One of the damages makes data that SQLite reads well, and that is other data or none."""
    left, original = whole(tmp_path)
    assert letter_changed in DAMAGES
    letter_changed(left, Random(1))  # noqa: S311 - chances, no secrets
    assert tables_of(left) != original.tables
