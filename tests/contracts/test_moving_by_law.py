"""Whatever was sent, set, rejected and cancelled: moved to another store and back, it is the same bytes."""

import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pachyderm_cli import Pachyderm
from tests.support.errands import NAMES, Errands, shapes
from tests.support.moving import exported
from tests.support.office import Office

steps = st.lists(st.one_of(st.tuples(st.sampled_from(NAMES), shapes), st.sampled_from(["work", "wait"])), max_size=6)
cursors = st.lists(st.integers(0, 20), max_size=3)


def live(office: Office, engine: Pachyderm, history: list[Any], places: list[int]) -> None:
    """Let all of it happen, and put cursors somewhere."""
    errands = Errands(office)
    _send(engine, NAMES[0], errands, [])
    for step in history:
        match step:
            case (to, shape):
                _send(engine, to, errands, shape)
            case "work":
                _work(engine)
            case _:
                office.pass_time(100.0, engine.network)
    last = max([event.position for head in engine.entities() for event in engine.history(head.entity)], default=0)
    for number, place in enumerate(places):
        engine.set_cursor(f"c{number}", min(place, last))


def _send(engine: Pachyderm, to: str, errands: Errands, shape: list[Any]) -> None:
    try:
        engine.send(to, errands.new(to, shape))
    except KeyboardInterrupt:  # as if the process had died in an effect
        return


def _work(engine: Pachyderm) -> None:
    try:
        list(engine.work(once=True))
    except KeyboardInterrupt:
        return


def in_order(lines: list[str]) -> list[Any]:
    """Return an export with its events numbered by order, so that positions do not count."""
    places: dict[int, int] = {0: 0}
    documents = []
    for line in lines[1:-1]:
        ((kind, row),) = json.loads(line).items()
        if kind == "event":
            places[row["position"]] = len(places)
        if "position" in row:
            row["position"] = max(number for place, number in places.items() if place <= row["position"])
        documents.append((kind, row))
    return documents


@pytest.mark.postgres
def test_moved_there_and_back_it_is_the_same(tmp_path: Path, postgres_url: str) -> None:
    """A random history goes from SQLite into a new SQLite store, byte for byte, and through a crowded Postgres one."""
    numbers = count()

    @settings(max_examples=12)
    @given(history=steps, places=cursors)
    def holds(history: list[Any], places: list[int]) -> None:
        number = next(numbers)
        network = f"example {number}"
        with Office(f"sqlite:///{tmp_path}/{number}.db") as office, Office(postgres_url) as server:
            engine = office.open(network=network)
            live(office, engine, history, places)
            lines = exported(engine)
            there = server.open(network=network)
            there.import_lines(lines)
            crossed = exported(there)
            assert in_order(crossed) == in_order(lines)
            for name, each in (("straight", lines), ("crossed", crossed)):
                with Office(f"sqlite:///{tmp_path}/{number}-{name}.db") as back:
                    assert back.open(network=network).import_lines(each).positions_kept
                    assert exported(back.open(network=network)) == each

    holds()
