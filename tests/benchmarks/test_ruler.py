"""The benchmark's ruler: it compares within rounds, refuses what is not durable, and fills stores as sends do."""

import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from benchmarks.contenders.contender import WrongOutcome, require_count, send_in_turn
from benchmarks.contenders.engine import Embedded
from benchmarks.durability import NotDurable, read_back
from benchmarks.filling import fill
from benchmarks.results import Series, ratio
from benchmarks.rounds import alternate


def test_a_ratio_is_taken_within_each_round() -> None:
    """What drifts for both cancels: the median of ratios counts, not the ratio of medians."""
    ours, theirs = Series("a", "sends/s", (10, 40, 90)), Series("b", "sends/s", (10, 20, 30))
    compared = ratio(ours, theirs, at_least=2)
    assert list(compared.values) == [1.0, 2.0, 3.0]
    assert compared.reached is True


def test_every_turn_runs_once_a_round_in_a_changing_order() -> None:
    """Nobody always follows the same neighbour."""
    ran: list[str] = []

    def turn(name: str) -> float:
        ran.append(name)
        return 1

    series = alternate({name: partial(turn, name) for name in "abc"}, "s", 3)
    rounds = [tuple(ran[i : i + 3]) for i in (0, 3, 6)]
    assert [sorted(each) for each in rounds] == [["a", "b", "c"]] * 3
    assert len(set(rounds)) == 3
    assert [len(each.values) for each in series.values()] == [3, 3, 3]


def test_a_connection_that_is_not_durable_is_refused(tmp_path: Path) -> None:
    """Settings are read back from every connection to the file, whoever opened it."""
    file = tmp_path / "store.db"
    with closing(Embedded(file)) as contender:
        contender.send(0)
        assert read_back(str(file)) == "journal_mode=wal synchronous=2 (1 connection)"
        with closing(sqlite3.connect(file)) as other:
            other.execute("PRAGMA synchronous=NORMAL")
            with pytest.raises(NotDurable):
                read_back(str(file))


def test_a_contender_that_wrote_too_little_is_found_out(tmp_path: Path) -> None:
    """The events in the database are counted."""
    with closing(Embedded(tmp_path / "store.db")) as contender:
        send_in_turn(contender, 5, 2)
        require_count(contender, 5)
        with pytest.raises(WrongOutcome):
            require_count(contender, 6)


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_a_filled_store_reads_and_takes_sends_as_any_other(request: pytest.FixtureRequest, database: str) -> None:
    """Rows written by SQL are copies of what a send wrote."""
    url = str(request.getfixturevalue(f"{database}_url"))
    where = Path(url.removeprefix("sqlite:///")) if database == "sqlite" else url.replace("+psycopg", "")
    ids = [uuid4() for _ in range(3)]
    fill(where, ids, 150)
    with closing(Embedded(where)) as contender:
        sent = contender.pachyderm.send(f"counter:{ids[1]}", "increment")
        assert (sent.version, sent.state.count) == (151, 151)
        assert len({each.message_id for each in contender.pachyderm.history(f"counter:{ids[1]}")}) == 151
