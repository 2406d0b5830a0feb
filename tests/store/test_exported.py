"""Reading an export: whatever was changed, cut off or never was one is found, with the line's number."""

import json
import random
from pathlib import Path

import pytest

from pachyderm_cli.errors import CheckFailed, UsageError
from pachyderm_cli.store.exported import Exported, Line
from tests.support.moving import exported, furnish, with_footer
from tests.support.office import Office


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return an export with something of everything."""
    with Office(f"sqlite:///{tmp_path_factory.mktemp('export')}/store.db") as office:
        return exported(furnish(office))


def read(lines: list[str] | list[bytes]) -> list[Line]:
    """Return the rows of an export."""
    return list(Exported(lines))


def test_an_export_is_read_as_it_was_written(lines: list[str]) -> None:
    """Each line is a row of its kind with its number, from text or bytes, and the footer's counts are those read."""
    found = read([line.encode() for line in lines])
    assert found == read(lines)
    assert [{each.kind.name: each.row} for each in found] == [json.loads(line) for line in lines[1:-1]]
    assert [each.number for each in found] == [*range(2, len(lines))]


def test_every_cut_is_found(lines: list[str]) -> None:
    """Cut off after any line, or within one, it is told; the end of the last line alone may be missing."""
    for end in range(1, len(lines)):
        with pytest.raises(CheckFailed, match="cut off"):
            read(lines[:end])
        with pytest.raises(CheckFailed, match=f"line {end + 1}: "):
            read([*lines[:end], lines[end][: len(lines[end]) // 2]])
    read([*lines[:-1], lines[-1].rstrip("\n")])


def test_every_line_that_is_missing_twice_or_elsewhere_is_found(lines: list[str]) -> None:
    """A line taken out, doubled, or put after its neighbour is told, and so is anything behind the footer."""
    for at in range(1, len(lines) - 1):
        for changed in (
            [*lines[:at], *lines[at + 1 :]],
            [*lines[: at + 1], *lines[at:]],
            [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]],
        ):
            with pytest.raises(CheckFailed):
                read(changed)
    with pytest.raises(CheckFailed, match="after the footer"):
        read([*lines, lines[1]])


def test_every_changed_byte_is_found(lines: list[str]) -> None:
    """A byte that was changed anywhere is told, in the first line maybe as no export at all."""
    whole = "".join(lines).encode()
    rng = random.Random(0)  # noqa: S311 - so that every run changes the same
    for at in sorted(rng.sample(range(len(whole)), 600)):
        changed = whole[:at] + bytes([whole[at] ^ 1 << rng.randrange(8)]) + whole[at + 1 :]
        with pytest.raises((CheckFailed, UsageError) if at < len(lines[0].encode()) else CheckFailed):
            read(changed.splitlines(keepends=True))


WRONG = [
    ("event", "position", 0.5),
    ("event", "position", True),
    ("event", "version", 2**63),
    ("event", "ordinal", -1),
    ("event", "message_id", "x"),
    ("event", "entity_id", "851D183F-3AF4-57F0-9FD6-7514266DC2F6"),
    ("event", "data", "{"),
    ("event", "data", '{"a":NaN}'),
    ("event", "data", {}),
    ("event", "type", "a\0b"),
    ("event", "type", "\ud800"),
    ("event", "type", None),
    ("event", "recorded_at", "yesterday"),
    ("entity", "position", 1),
    ("cursor", "position", 2),
    ("cursor", "lease", "851d183f-3af4-57f0-9fd6-7514266dc2f6"),
    ("effect", "status", "lost"),
    ("effect", "on_rejected", "no"),
]


@pytest.mark.parametrize(("kind", "column", "value"), WRONG)
def test_values_that_no_store_has_are_found(lines: list[str], kind: str, column: str, value: object) -> None:
    """Though the checksum is right, a value of another kind, or out of place, is told with its line."""
    at = max(index for index, line in enumerate(lines) if line.startswith(f'{{"{kind}"'))
    document = json.loads(lines[at])
    document[kind][column] = value
    for changed in (document, {kind: {name: each for name, each in document[kind].items() if name != column}}):
        with pytest.raises(CheckFailed, match=f"^line {at + 1}: "):
            read(with_footer_of(lines, at, json.dumps(changed)))
    with pytest.raises(CheckFailed, match="keys"):
        read(with_footer_of(lines, at, json.dumps({kind: {**json.loads(lines[at])[kind], "more": 1}})))


def with_footer_of(lines: list[str], at: int, line: str) -> list[str]:
    """Return the export with another line, and with the checksum that goes with it."""
    return with_footer([*lines[:at], line + "\n", *lines[at + 1 :]])


@pytest.mark.parametrize("text", ["", "\n", "{}", '{"to": "counter:@a"}', "SQLite format 3\0", '{"pachyderm":"x"}'])
def test_what_is_no_export_is_told(text: str) -> None:
    """A file of something else, or of nothing, is no damaged export but a mistake in the call."""
    with pytest.raises(UsageError, match="no export"):
        Exported([text])


@pytest.mark.parametrize("newer", [{"format": 2}, {"schema": "9999"}])
def test_a_newer_export_is_refused(lines: list[str], newer: dict[str, object]) -> None:
    """What a newer pachyderm wrote is refused with both versions, and with what to do."""
    header = {**json.loads(lines[0]), **newer}
    with pytest.raises(UsageError, match=r"newer pachyderm .*upgrade"):
        Exported([json.dumps(header, separators=(",", ":")), *lines[1:]])


@pytest.mark.parametrize("wrong", [{"format": "1"}, {"format": 0}, {"network": ""}, {"network": 1}, {"more": 1}])
def test_a_header_that_no_export_has_is_told(lines: list[str], wrong: dict[str, object]) -> None:
    """A header with something else in it is a damaged one."""
    header = {**json.loads(lines[0]), **wrong}
    with pytest.raises(CheckFailed, match="line 1: "):
        Exported([json.dumps(header, separators=(",", ":")), *lines[1:]])


def test_an_export_of_nothing_is_one(tmp_path: Path) -> None:
    """A network in which nothing was ever sent is exported and read as such."""
    with Office(f"sqlite:///{tmp_path}/store.db") as office:
        furnish(office, network="other")
        assert read(exported(office.open())) == []
