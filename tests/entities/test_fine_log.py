"""The fine, with a real log sent through it."""

import csv
import json
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from entities import fine
from entities.fine import FineEvent, State, handle, init, update
from examples.fines_to_jsonl import FIELDS, FINE, LEFT_OUT, file_to_lines

TABLE = Path(__file__).parents[2].parent / "shared" / "data" / "road-traffic-fines.csv"


@dataclass(frozen=True)
class Step:
    """A row of the log, the one event that came of it, and the state of the fine after that."""

    row: dict[str, str]
    event: FineEvent
    state: State


@pytest.fixture(scope="module")
def log() -> list[Step]:
    """Send the whole log, in the order of the file; skip the test where it is not at hand."""
    if not TABLE.exists():
        pytest.skip(f"the road traffic fines are not at {TABLE}")
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    states: defaultdict[str, State] = defaultdict(init)
    steps = []
    for row, text in zip(rows, file_to_lines(str(TABLE)), strict=True):
        line = json.loads(text)
        message = getattr(fine, line["message"]).model_validate_json(json.dumps(line["data"]))
        (event,) = handle(message, states[line["to"]])
        states[line["to"]] = update(event, states[line["to"]])
        steps.append(Step(row, event, states[line["to"]]))
    return steps


def test_the_whole_log_is_accepted(log: list[Step]) -> None:
    """Every row of the log becomes one event."""
    assert len(log) == 390
    assert len({step.state.number for step in log}) == 100


def test_paid_is_the_running_total_of_the_log(log: list[Step]) -> None:
    """After every row that has a total, paid is that total; these are the creations and the payments."""
    totals = [step for step in log if step.row["totalPaymentAmount"]]
    assert len(totals) == 158
    assert [step.state.paid for step in totals] == [Decimal(step.row["totalPaymentAmount"]) for step in totals]
    assert {type(step.event) for step in totals} == {fine.FineCreated, fine.PaymentReceived}


def test_the_log_loses_nothing_on_its_way_into_events(log: list[Step]) -> None:
    """Every filled cell, but for the two columns left out, is in its row's event, and nothing else."""
    for step in log:
        filled = {column: cell for column, cell in step.row.items() if cell and column not in LEFT_OUT}
        if not isinstance(step.event, fine.FineCreated):
            del filled[FINE]  # whose fine it is, the reference says
        event = {name: value for name, value in step.event if value is not None}
        assert event.keys() == {FIELDS[column][0] for column in filled}
        for column, cell in filled.items():
            value = event[FIELDS[column][0]]
            assert TypeAdapter(type(value)).validate_python(cell) == value


def test_what_is_left_out_says_nothing_more(log: list[Step]) -> None:
    """The lifecycle is always "complete"."""
    assert {step.row["lifecycle:transition"] for step in log} == {"complete"}


def test_times_keep_the_offset_of_the_log(log: list[Step]) -> None:
    """The time in an event's JSON is the log's, digit for digit, with a T."""
    for step in log:
        assert json.loads(step.event.model_dump_json())["at"] == step.row["time:timestamp"].replace(" ", "T")


def test_the_fine_that_was_appealed_against_ends_as_the_log_has_it(log: list[Step]) -> None:
    """Fine V18195 is penalised, its appeal decided and notified, and all but the penalty is paid."""
    state = [step.state for step in log if step.state.number == "V18195"][-1]
    assert (state.status, state.appeal, state.points) == ("penalised", "notified", 5)
    assert state.paid == state.amount - state.penalty + state.expenses == Decimal("174.00")
