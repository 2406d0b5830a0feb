"""The script that turns the table of fines into messages."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entities import fine
from examples.fines_to_jsonl import MESSAGES, BadTable, rows_to_lines

SCRIPT = Path(__file__).parents[2] / "examples" / "fines_to_jsonl.py"

HEADER = "case:concept:name,concept:name,time:timestamp,expense,paymentAmount,totalPaymentAmount"
SENT = "N77802,Send Fine,2005-07-22 00:00:00+02:00,11.0,,"
PAID = "N77802,Payment,2005-08-01 00:00:00+02:00,,46.00,46.00"


def row(text: str) -> dict[str, str]:
    """Return the row as csv reads it."""
    return dict(zip(HEADER.split(","), text.split(","), strict=True))


def run(*arguments: str, table: str = "") -> subprocess.CompletedProcess[str]:
    """Run the script with `table` as its standard input."""
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], input=table, capture_output=True, text=True, check=False
    )


def parsed(rows: list[dict[str, str]]) -> list[dict[str, Any]]:
    """Return the lines for `rows`, read back."""
    return [json.loads(line) for line in rows_to_lines(rows)]


def test_a_row_becomes_a_line_that_can_be_sent() -> None:
    """A line names the fine, the message, its data without empty cells, and an id."""
    (line,) = parsed([row(SENT)])
    assert UUID(line.pop("id")).version == 5
    assert line == {
        "to": "fine:@N77802",
        "message": "SendFine",
        "data": {"at": "2005-07-22T00:00:00+02:00", "expense": "11.0"},
    }


def test_every_message_of_a_fine_can_come_of_the_table() -> None:
    """The activities map to the entity's messages, each once."""
    assert sorted(name for name, _ in MESSAGES.values()) == sorted(
        message.__name__ for message in get_args(fine.FineMessage)
    )


@given(st.lists(st.sampled_from([SENT, PAID, PAID.replace("N77802", "A1")]), max_size=12))
def test_ids_are_unique_within_a_file_and_the_same_each_time(rows: list[str]) -> None:
    """Equal rows are different messages; the same file again, or its beginning, is the same messages."""
    table = [row(text) for text in rows]
    ids = [line["id"] for line in parsed(table)]
    assert len(set(ids)) == len(ids)
    assert [line["id"] for line in parsed(table[:5])] == ids[:5]


def test_ids_do_not_depend_on_the_rows_of_other_fines() -> None:
    """A fine's messages keep their ids when rows of another fine come in between."""
    other = row(PAID.replace("N77802", "A1"))
    alone = parsed([row(SENT), row(PAID)])
    among = [line for line in parsed([other, row(SENT), other, row(PAID)]) if line["to"] == "fine:@N77802"]
    assert among == alone


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (PAID.replace("Payment", "Nap"), "unknown activity 'Nap'"),
        (PAID.replace("N77802", ""), "no case:concept:name"),
        (PAID.replace("+02:00", ""), "no UTC offset"),
        (PAID.replace("2005-08-01", "yesterday"), "time:timestamp 'yesterday 00:00:00+02:00'"),
        (PAID.replace("46.00", "much"), "paymentAmount 'much': not a number"),
        (PAID.replace("46.00", "NaN"), "paymentAmount 'NaN': not a number"),
        (PAID.replace(",,", ",9.00,"), "'Payment' fills expense ('9.00'), which ReceivePayment cannot carry"),
    ],
)
def test_a_row_that_cannot_be_passed_on_whole_is_refused(text: str, problem: str) -> None:
    """A row that is not understood, or fills a column that its message has no field for, is an error."""
    with pytest.raises(BadTable) as caught:
        parsed([row(text)])
    assert problem in str(caught.value)


@pytest.mark.parametrize("value", ["157.5", "inf", "x"])
def test_a_whole_number_is_whole(value: str) -> None:
    """The article is a number without a fraction."""
    with pytest.raises(BadTable, match="article"):
        parsed([row(SENT.replace("Send Fine", "Create Fine").replace("11.0", "")) | {"article": value}])


def test_the_script_prints_the_lines_of_a_file_or_of_standard_input(tmp_path: Path) -> None:
    """A path and - give the same lines, in the order of the rows; a byte order mark does no harm."""
    table = f"\ufeff{HEADER}\n{SENT}\n{PAID}\n"
    file = tmp_path / "fines.csv"
    file.write_text(table, encoding="utf-8")
    from_file, from_input = run(str(file)), run("-", table=table)
    assert (from_file.returncode, from_file.stderr) == (0, "")
    assert from_file.stdout == from_input.stdout
    assert from_file.stdout.splitlines() == list(rows_to_lines([row(SENT), row(PAID)]))


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ("", "line 1: not the table of fines: it has no column case:concept:name"),
        ("a,b\n1,2\n", "line 1: not the table of fines"),
        (f"{HEADER}\n{SENT}\n{PAID},\n", "line 3: not 6 cells, as in the header"),
        (f"{HEADER}\n{SENT}\nN77802,Payment\n", "line 3: not 6 cells, as in the header"),
        (f"{HEADER}\n{SENT.replace('11.0', 'x')}\n", "line 2: expense 'x': not a number"),
    ],
    ids=["empty", "another table", "cell too many", "cells too few", "bad cell"],
)
def test_a_bad_table_ends_in_one_line_and_status_2(table: str, problem: str) -> None:
    """What is wrong with a table is said in one line that names where, and the exit status is 2."""
    result = run("-", table=table)
    assert result.returncode == 2
    assert result.stderr.startswith(f"fines_to_jsonl: standard input, {problem}")
    assert result.stderr.count("\n") == 1


def test_a_file_that_is_not_there_or_no_text_ends_in_one_line_and_status_2(tmp_path: Path) -> None:
    """A file that cannot be read is named with the reason, and the exit status is 2."""
    missing, binary = tmp_path / "missing.csv", tmp_path / "binary.csv"
    binary.write_bytes(b"\xff\xfe\x00")
    results = run(str(missing)), run(str(binary))
    assert [result.returncode for result in results] == [2, 2]
    assert results[0].stderr == f"fines_to_jsonl: {missing}: No such file or directory\n"
    assert results[1].stderr == f"fines_to_jsonl: {binary}: not UTF-8 text\n"


@pytest.mark.parametrize("rows", [1, 20_000])
def test_a_broken_pipe_ends_quietly(rows: int) -> None:
    """When who reads the lines has gone, the script stops without a word, whether little or much was left."""
    with subprocess.Popen(
        [sys.executable, str(SCRIPT), "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.close()  # before there is anything to read
        process.stdout = None  # so that communicate leaves it alone
        _, errors = process.communicate("\n".join([HEADER, *[PAID] * rows]))
    assert (process.returncode, errors) == (0, "")


def test_help_says_how_to_use_it() -> None:
    """--help shows the command that makes the file and the one that sends it."""
    result = run("--help")
    assert result.returncode == 0
    assert "pachyderm send --file fines.jsonl" in result.stdout
