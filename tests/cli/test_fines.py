"""Real input: the road traffic fines through `pachyderm send --file`, on both databases."""

import csv
import json
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from pachyderm_cli import Pachyderm
from tests.cli.running import ROOT, Command, lines

TABLE = ROOT.parent / "shared" / "data" / "road-traffic-fines.csv"
ROWS, FINES, TOTALS = 390, 100, 158


@pytest.fixture
def log() -> list[dict[str, str]]:
    """Return the rows of the table; skip the test where it is not at hand."""
    if not TABLE.exists():
        pytest.skip(f"the road traffic fines are not at {TABLE}")
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def command(site: Path, tmp_path: Path, store_url: str) -> Command:
    """Return the command in this checkout's own project, with an empty store."""
    return Command(ROOT, site, {"PACHYDERM_STORE": store_url})


def test_every_fine_has_paid_the_running_total_of_the_log_at_every_version(
    log: list[dict[str, str]], command: Command, store_url: str, tmp_path: Path
) -> None:
    """All rows are accepted, each version's folded payments are the log's, and a second run does nothing."""
    file = tmp_path / "fines.jsonl"
    with file.open("wb") as stream:
        script = [sys.executable, str(ROOT / "examples/fines_to_jsonl.py"), str(TABLE)]
        subprocess.run(script, stdout=stream, check=True)
    sent = command("send", "--file", file, "--json").done().documents
    assert [(document["entity"]["type"], document["duplicate"]) for document in sent] == [("fine", False)] * ROWS

    expected = _running_totals(log)
    assert len({reference for reference, _, _ in expected}) == FINES
    with Pachyderm.open(ROOT, store=store_url) as pachyderm:
        folded = [
            (reference, version, pachyderm.replay(reference, to_version=version).state.paid)
            for reference, version, _ in expected
        ]
    assert folded == expected

    last = {reference: (version, total) for reference, version, total in expected}
    for reference, (version, total) in sorted(last.items(), key=lambda item: item[1])[-3:]:
        replayed = command("replay", reference, "--to-version", str(version), "--json").done().document
        assert Decimal(replayed["state"]["paid"]) == total
        assert command("replay", reference, "--to-version", "0", "--json").done().document["state"]["paid"] == "0.00"

    again = command("send", "--file", file, "--json").done().documents
    assert again == [{**document, "duplicate": True} for document in sent]
    summary = command("send", "--file", file).done()
    assert lines(summary.out) == [f"{ROWS} handled, {ROWS} of them handled before"]
    assert len(command("list", "--json").done().documents) == FINES


def _running_totals(log: list[dict[str, str]]) -> list[tuple[str, int, Decimal]]:
    """Return for every row its fine's reference, the version it leads to, and the total paid by then."""
    versions: Counter[str] = Counter()
    totals: dict[str, Decimal] = {}
    running = []
    for row in log:
        reference = f"fine:@{row['case:concept:name']}"
        versions[reference] += 1
        if row["totalPaymentAmount"]:
            totals[reference] = Decimal(row["totalPaymentAmount"])
        running.append((reference, versions[reference], totals[reference]))
    assert sum(bool(row["totalPaymentAmount"]) for row in log) == TOTALS
    return running


def test_the_script_writes_a_line_for_each_row(log: list[dict[str, str]]) -> None:
    """The documented pipe, script into command, has one line with an id for each row, in file order."""
    script = [sys.executable, str(ROOT / "examples/fines_to_jsonl.py"), str(TABLE)]
    text = subprocess.run(script, capture_output=True, check=True, text=True).stdout
    documents = [json.loads(line) for line in lines(text)]
    assert [document["to"] for document in documents] == [f"fine:@{row['case:concept:name']}" for row in log]
    assert len({document["id"] for document in documents}) == ROWS
