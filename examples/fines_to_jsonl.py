"""Turn the road traffic fines table into messages for `pachyderm send --file`.

    python examples/fines_to_jsonl.py ../shared/data/road-traffic-fines.csv > fines.jsonl
    pachyderm send --file fines.jsonl

Each row becomes one JSON line, in the order of the file:

    {"to": "fine:@N77802", "message": "SendFine", "data": {"at": ..., "expense": "11.0"}, "id": ...}

The id follows from what the line says and from how many rows of the same fine came before it. So a file that
is sent twice is handled once, and one that has grown at its end, or at the end of any fine, adds what is new.

Amounts are passed on as they are written, as JSON strings; empty cells are left out. Two columns are not
passed on: `lifecycle:transition`, always "complete", and `totalPaymentAmount`, which the entity computes.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TextIO
from uuid import UUID, uuid5

# Made once, by uuid4; every id depends on it.
_IDS = UUID("b6a3f2d4-9a0e-4a63-8f0b-6a4a2a0f6c57")

FINE, ACTIVITY, TIME = "case:concept:name", "concept:name", "time:timestamp"
LEFT_OUT = frozenset({ACTIVITY, "lifecycle:transition", "totalPaymentAmount"})


class BadTable(ValueError):
    """The table, or one of its rows, is not what this script reads."""


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise ValueError("not a number") from error
    if not number.is_finite():
        raise ValueError("not a number")
    return number


def _amount(text: str) -> str:
    """Return `text` as it is, provided that it is a number."""
    _number(text)
    return text


def _whole(text: str) -> int:
    """Return the whole number that is written as `157.0`."""
    number = _number(text)
    if number != number.to_integral_value():
        raise ValueError("not a whole number")
    return int(number)


def _time(text: str) -> str:
    """Return the ISO 8601 time with a `T`, provided that it has a UTC offset."""
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError("no UTC offset")
    return time.isoformat()


# Column -> field of the message, and how the cell is read.
FIELDS: dict[str, tuple[str, Callable[[str], str | int]]] = {
    TIME: ("at", _time),
    FINE: ("number", str),
    "amount": ("amount", _amount),
    "article": ("article", _whole),
    "vehicleClass": ("vehicle_class", str),
    "points": ("points", _whole),
    "dismissal": ("dismissal", str),
    "org:resource": ("resource", str),
    "expense": ("expense", _amount),
    "notificationType": ("notification_type", str),
    "lastSent": ("last_sent", str),
    "paymentAmount": ("amount", _amount),
}

# Activity -> message, and the columns it takes beside the time.
MESSAGES: dict[str, tuple[str, frozenset[str]]] = {
    "Create Fine": (
        "CreateFine",
        frozenset({FINE, "amount", "article", "vehicleClass", "points", "dismissal", "org:resource"}),
    ),
    "Send Fine": ("SendFine", frozenset({"expense"})),
    "Insert Fine Notification": ("InsertFineNotification", frozenset({"notificationType", "lastSent"})),
    "Add penalty": ("AddPenalty", frozenset({"amount"})),
    "Payment": ("ReceivePayment", frozenset({"paymentAmount"})),
    "Send for Credit Collection": ("SendForCreditCollection", frozenset()),
    "Insert Date Appeal to Prefecture": ("InsertDateAppealToPrefecture", frozenset()),
    "Send Appeal to Prefecture": ("SendAppealToPrefecture", frozenset({"dismissal"})),
    "Receive Result Appeal from Prefecture": ("ReceiveResultAppealFromPrefecture", frozenset()),
    "Notify Result Appeal to Offender": ("NotifyResultAppealToOffender", frozenset()),
    "Appeal to Judge": ("AppealToJudge", frozenset({"dismissal"})),
}


def rows_to_lines(rows: Iterable[Mapping[str, str]]) -> Iterator[str]:
    """Yield one JSON line, without its newline, per row. Raises BadTable for a row that loses something."""
    rows_of: Counter[str] = Counter()
    for row in rows:
        fine = row.get(FINE, "")
        if not fine:
            raise BadTable(f"no {FINE}: whose fine is it?")
        message, data = _message(row)
        line = {"to": f"fine:@{fine}", "message": message, "data": data}
        rows_of[fine] += 1
        name = json.dumps([line, rows_of[fine]], sort_keys=True)
        yield json.dumps({**line, "id": str(uuid5(_IDS, name))})


def _message(row: Mapping[str, str]) -> tuple[str, dict[str, str | int]]:
    """Return the name and the data of the message that `row` is."""
    activity = row.get(ACTIVITY, "")
    if activity not in MESSAGES:
        raise BadTable(f"unknown activity {activity!r}")
    message, columns = MESSAGES[activity]
    data = {}
    for column, cell in row.items():
        if not cell or column in LEFT_OUT or (column == FINE and FINE not in columns):
            continue
        if column != TIME and column not in columns:
            raise BadTable(f"{activity!r} fills {column} ({cell!r}), which {message} cannot carry")
        field, read = FIELDS[column]
        try:
            data[field] = read(cell)
        except ValueError as error:
            raise BadTable(f"{column} {cell!r}: {error}") from error
    return message, data


def _checked(reader: csv.DictReader[str]) -> Iterator[dict[str, str]]:
    """Yield the rows of a table that has the columns wanted, and only rows that have a cell for each."""
    missing = {FINE, ACTIVITY, TIME} - set(reader.fieldnames or ())
    if missing:
        raise BadTable(f"not the table of fines: it has no column {', '.join(sorted(missing))}")
    for row in reader:
        if None in row or None in row.values():
            raise BadTable(f"not {len(reader.fieldnames or ())} cells, as in the header")
        yield row


@contextmanager
def _opened(path: str) -> Iterator[TextIO]:
    """Open the file for csv, or standard input for `-`; a byte order mark is skipped."""
    if path == "-":
        yield io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig", newline="")
    else:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            yield file


def file_to_lines(path: str) -> Iterator[str]:
    """Yield the lines for the table at `path`, `-` for standard input. Raises BadTable, saying where."""
    shown = "standard input" if path == "-" else path
    try:
        with _opened(path) as file:
            reader = csv.DictReader(file)
            try:
                yield from rows_to_lines(_checked(reader))
            except (BadTable, csv.Error) as error:
                raise BadTable(f"{shown}, line {max(reader.line_num, 1)}: {error}") from error
    except OSError as error:
        raise BadTable(f"{shown}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise BadTable(f"{shown}: not UTF-8 text") from error


def main() -> int:
    """Run the command line; return the exit status: 0, or 2 for a table that cannot be read."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", metavar="CSV", help="the table of fines; - reads standard input")
    path = parser.parse_args().path
    try:
        for line in file_to_lines(path):
            print(line)
        sys.stdout.flush()
    except BadTable as error:
        print(f"fines_to_jsonl: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Who reads has enough. What Python may still flush at exit goes nowhere, so that it cannot complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
