"""Imports of what is damaged: nothing is written, in however convincing a form it comes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from pachyderm_cli import Pachyderm
from pachyderm_cli.errors import CheckFailed, UsageError
from pachyderm_cli.store.records import ERASED
from tests.support.courier import Do
from tests.support.moving import exported, furnish, rows, with_footer
from tests.support.office import Office
from tests.support.raw import connected, row_counts

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def lines(tmp_path: Path) -> list[str]:
    """Return an export with something of everything."""
    with Office(f"sqlite:///{tmp_path}/source.db") as office:
        return exported(furnish(office))


def nothing_written(store_url: str) -> bool:
    """Tell whether the store has no row of anything."""
    return not any(rows(store_url).values()) if any(row_counts(store_url).values()) else True


def test_a_damaged_export_writes_nothing(store_url: str, lines: list[str]) -> None:
    """Cut off, changed, without its footer, or no export at all: the error says so, and the store is as it was."""
    damaged = {
        "cut off": lines[: len(lines) // 2],
        "footer": lines[:-1],
        "line 3: ": [*lines[:2], lines[2][:40] + "\n", *lines[3:]],
        "checksum": [*lines[:5], lines[5].replace("2026", "2025"), *lines[6:]],
        "twice": with_footer([*lines[:-2], lines[-2], lines[-2]]),
    }
    with Pachyderm(store_url) as engine:
        for told, each in damaged.items():
            with pytest.raises(CheckFailed, match=told):
                engine.import_lines(each)
            assert nothing_written(store_url)
        with pytest.raises(UsageError):
            engine.import_lines(["no export\n"])
        engine.import_lines(lines)
        assert exported(engine) == lines


def change(line: str, **values: Any) -> str:
    """Return a line with other values in its row."""
    ((kind, row),) = json.loads(line).items()
    return json.dumps({kind: {**row, **values}}) + "\n"


def test_entities_that_are_not_whole_write_nothing(store_url: str, lines: list[str]) -> None:
    """With a footer that is true of it: a gap in versions, a missing head, event or beginning, a head elsewhere."""
    lines = [line for line in lines if not line.startswith('{"cursor"')]  # they stand at events
    at = {
        kind: next(index for index, line in enumerate(lines) if line.startswith(f'{{"{kind}"') and "porter" in line)
        for kind in ("event", "entity")
    }
    head, event = lines[at["entity"]], lines[at["event"]]
    erased = next(index for index, line in enumerate(lines) if line.startswith('{"event"') and ERASED in line)
    second = next(index for index, line in enumerate(lines) if line.startswith('{"event"') and '"version":2' in line)
    changes = [
        (second, ""),
        (at["event"], ""),
        (at["entity"], ""),
        (at["event"], change(event, version=2)),
        (at["entity"], change(head, version=2)),
        (erased, lines[erased].replace(f'"type":"{ERASED}"', '"type":"Noted"')),
    ]
    with Pachyderm(store_url) as engine:
        for where, line in changes:
            with pytest.raises(CheckFailed, match=r"^line \d+: .* not whole"):
                engine.import_lines(with_footer([*lines[:where], *([line] if line else []), *lines[where + 1 :]]))
            assert nothing_written(store_url)


def changed(lines: list[str], kind: str, having: str, **values: Any) -> list[str]:
    """Return an export with other values in each row of a kind with that text in it, and a footer that is true."""
    return with_footer(
        [change(line, **values) if line.startswith(f'{{"{kind}"') and having in line else line for line in lines]
    )


HOSTILE: dict[str, tuple[str, str, dict[str, Any]]] = {
    "an effect that is never due": ("effect", '"status":"pending"', {"next_attempt_at": None}),
    "an effect to nobody": ("effect", '"type":"Send"', {"to_id": None}),
    "what nobody reads for a rejection": ("effect", '"type":"Send"', {"on_rejected": "null"}),
    "an effect of a version to come": ("effect", "", {"version": 99}),
    "an erasure that says nothing": ("event", ERASED, {"data": "[]"}),
    "heads of erased entities": ("entity", "", {"type": ERASED}),
    "a copy of more than there is": ("fork", "", {"from_version": 99}),
    "a type without a name": ("entity", "", {"type": ""}),
    "a type that is a path": ("event", "", {"entity_type": "../x y"}),
    "a time that is none": ("event", "", {"recorded_at": "2026-99-99T99:99:99.000000Z"}),
    "events of the future": ("event", '"position":1,', {"version": 2}),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_rows_that_would_break_the_store_write_nothing(store_url: str, lines: list[str], case: str) -> None:
    """However true the footer is: what no store has is told with its line, and the store is as it was."""
    kind, having, values = HOSTILE[case]
    with Pachyderm(store_url) as engine:
        with pytest.raises(CheckFailed, match=r"^line \d+: "):
            engine.import_lines(changed(lines, kind, having, **values))
        assert nothing_written(store_url)
        engine.import_lines(lines)
        assert exported(engine) == lines


def test_positions_leave_room_for_those_to_come(store_url: str, lines: list[str]) -> None:
    """A position near the last one there is, behind which SQLite would give any, is told."""
    last = max(int(json.loads(line)["event"]["position"]) for line in lines if line.startswith('{"event"'))
    far = [line.replace(f'"position":{last},', f'"position":{2**63 - 1},') for line in lines]
    with Pachyderm(store_url) as engine:
        with pytest.raises(CheckFailed, match=r"^line \d+: the position of the event"):
            engine.import_lines(with_footer(far))
        assert nothing_written(store_url)


@pytest.mark.postgres
def test_the_log_is_followed_over_an_import(postgres_url: str, lines: list[str]) -> None:
    """A follower of the whole store's log gets what is imported, after what was there, and then what comes next."""
    with Office(postgres_url) as office:
        engine = office.open()
        engine.send("porter:@here", Do(note="first"))
        with connected(postgres_url) as connection:  # positions that were drawn and never used
            connection.execute(text("SELECT nextval('pachyderm_events_position_seq') FROM generate_series(1, 5)"))
        with office.open().follow(cursor="c", wait=False) as log:
            assert next(log).position == 1
            log.commit()
            engine.import_lines(lines)
            engine.send("porter:@here", Do(note="last"))
        with office.open().follow(cursor="c", wait=False) as log:
            found = [event.position for event in log]
        assert len(found) == sum('{"event"' in line for line in lines) + 1
        assert found[0] > 6


MEBIBYTE = 1024


def synthetic(path: Path, number: int) -> None:
    """Write an export of so many events, of a tenth as many entities."""
    with Office(f"sqlite:///{path}.db") as office:
        engine = office.open()
        engine.send("porter:@c", Do(note="x" * 200))
        header, event, head, _ = exported(engine)
    with path.open("w", encoding="utf-8") as file:
        body = [header]
        for position in range(1, number + 1):
            whose, version = divmod(position - 1, 10)
            identifier = f"{whose:08x}-0000-4000-8000-000000000000"
            message = f"{position:08x}-0000-4000-8000-000000000000"
            own = {"position": position, "entity_id": identifier, "version": version + 1, "message_id": message}
            body.append(change(event, **own))
            if version == 9:
                body.append(change(head, id=identifier, version=10, position=position))
        file.writelines(with_footer(body))


def peak(*arguments: str | Path) -> float:
    """Return the peak memory of a command, in kilobytes."""
    command = [sys.executable, "-m", "pachyderm_cli", *map(str, arguments)]
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks/peak_memory.py", *command],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=80,
        check=True,
    )
    return float(json.loads(done.stdout)["kilobytes"])


def test_memory_does_not_grow_with_the_log(store_url: str, tmp_path: Path) -> None:
    """To import and to export twelve times as much takes no more memory, but for a little."""
    sizes = {}
    for number in (1_000, 12_000):
        file = tmp_path / f"{number}.jsonl"
        synthetic(file, number)
        network = f"n{number}"
        options = ("--store", store_url, "--network", network)
        sizes[number] = (peak(*options, "import", file), peak(*options, "export"))
    for small, large in zip(*sizes.values(), strict=True):
        assert large - small < 6 * MEBIBYTE, sizes
