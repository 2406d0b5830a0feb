"""Imports in parts: whatever ends one, wherever, the same call goes on, and in the end it is as in one go."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pachyderm_cli import Pachyderm
from pachyderm_cli.errors import CheckFailed, Collision, UsageError
from pachyderm_cli.store import importing
from pachyderm_cli.store.schema import events
from pachyderm_cli.store.statement import Transaction
from tests.support.courier import Do
from tests.support.moving import exported, furnish, rows
from tests.support.office import Office


class Killed(BaseException):
    """What ends an import, as a signal would."""


@pytest.fixture
def lines(tmp_path: Path) -> list[str]:
    """Return an export with something of everything."""
    with Office(f"sqlite:///{tmp_path}/source.db") as office:
        return exported(furnish(office))


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a part be of three lines, and a statement insert two."""
    monkeypatch.setattr(importing, "_PART", 3)
    monkeypatch.setattr(importing, "_BATCH", 2)


def dying(lines: list[str], rng: random.Random) -> Iterator[str]:
    """Yield the lines up to some point, at which the process dies."""
    for line in lines:
        if rng.random() < 0.04:
            raise Killed
        yield line


def dying_at_commits(monkeypatch: pytest.MonkeyPatch, rng: random.Random) -> None:
    """Let the process die before or after some commits."""
    run = Transaction.run

    def mortal(transaction: Transaction, sql: str) -> None:
        fate = rng.random() if sql == "COMMIT" else 1.0
        if fate < 0.15:
            raise Killed
        run(transaction, sql)
        if fate < 0.3:
            raise Killed

    monkeypatch.setattr(Transaction, "run", mortal)


@pytest.mark.parametrize("seed", range(3))
def test_killed_and_run_again_it_is_as_in_one_go(
    store_url: str, lines: list[str], small_parts: None, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Killed while reading and around commits, again and again, it ends with what one import would have made."""
    rng = random.Random(seed)  # noqa: S311 - so that every run dies at the same points
    with Pachyderm(store_url) as engine:
        _ = engine.store.database  # it is made
        killed = 0
        with monkeypatch.context() as patched:
            dying_at_commits(patched, rng)
            while True:
                try:
                    imported = engine.import_lines(dying(lines, rng), resumable=True)
                except Killed:
                    killed += 1
                    assert killed < 500
                    continue
                break
        assert killed > 3
        assert imported.events == sum('{"event"' in line for line in lines)
        assert imported.went_on_after > 0
        assert exported(engine) == lines
        with pytest.raises(Collision):
            engine.import_lines(lines)


def test_others_write_between_the_parts(store_url: str, lines: list[str], small_parts: None) -> None:
    """Who writes to another network meanwhile makes positions new from there on, and no order is lost."""
    with Office(store_url) as office:
        engine, other = office.open(), office.open(network="other")

        def slowly() -> Iterator[str]:
            for number, line in enumerate(lines):
                if number == 8:
                    other.send("courier:@o", Do(note="between"))
                yield line

        imported = engine.import_lines(slowly(), resumable=True)
        assert not imported.positions_kept
        again = exported(engine)
        assert [without_position(line) for line in again[:-1]] == [without_position(line) for line in lines[:-1]]
        found = [row["position"] for name in ("default", "other") for row in rows(store_url, name)[events.name]]
        assert len(found) == len(set(found))


def without_position(line: str) -> dict[str, Any]:
    """Return a line's document without the position in it."""
    document: dict[str, Any] = json.loads(line)
    for row in document.values():
        if isinstance(row, dict):
            row.pop("position", None)
    return document


def test_an_unfinished_import_is_told(store_url: str, lines: list[str], small_parts: None) -> None:
    """Until it is at its end the network is not exported, takes no other import, and goes on with these lines alone."""
    with Pachyderm(store_url) as engine:
        for _ in range(2):  # cut off; the parts before stay
            with pytest.raises(CheckFailed, match="cut off"):
                engine.import_lines(lines[:11], resumable=True)
        kept = rows(store_url)
        assert sum(map(len, kept.values())) == 9
        with pytest.raises(UsageError, match="unfinished"):
            exported(engine)
        with pytest.raises(UsageError, match="--resumable"):
            engine.import_lines(lines)
        changed = [*lines[:4], lines[4].replace("2026", "2025"), *lines[5:]]
        with pytest.raises(UsageError, match="another import"):
            engine.import_lines(changed, resumable=True)
        with pytest.raises(CheckFailed, match="cut off"):
            engine.import_lines(lines[:5], resumable=True)
        assert rows(store_url) == kept
        with Pachyderm(store_url, network="beside") as beside:
            assert exported(beside)[1:-1] == []
        assert engine.import_lines(lines, resumable=True).went_on_after == 10
        assert exported(engine) == lines


def test_a_collision_ends_it_where_it_is(store_url: str, lines: list[str], small_parts: None) -> None:
    """What the store has already is named with the line, and what came before it stays."""
    with Office(store_url) as office:
        engine = office.open()
        engine.send("porter:@c", Do(note="there"))
        with pytest.raises(Collision, match=r"porter:.*lines before it stay") as raised:
            engine.import_lines(lines, resumable=True)
        assert "porter" in lines[raised.value.details["line"] - 1]
