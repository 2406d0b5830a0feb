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
    ("event", "recorded_at", "2026-99-99T99:99:99.000000Z"),
    ("event", "position", 2**62),
    ("event", "position", 0),
    ("event", "version", 0),
    ("event", "type_version", 0),
    ("event", "entity_type", ""),
    ("event", "entity_type", "../x y"),
    ("event", "entity_type", "$erased"),
    ("event", "type", ""),
    ("event", "data", "\ud800"),
    ("entity", "type", ""),
    ("entity", "type", "../x y"),
    ("entity", "type", "$other"),
    ("fork", "from_version", 0),
    ("fork", "from_type", "a/b"),
    ("cursor", "name", ""),
    ("effect", "status", "failed"),
    ("effect", "attempts", -1),
    ("effect", "entity_type", ""),
    ("effect", "due_at", "2026-02-30T00:00:00.000000Z"),
    ("effect", "to_network", ""),
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


def last_of(lines: list[str], kind: str, **having: object) -> int:
    """Return where the last line of a kind is whose row has these values."""
    rows = [json.loads(line).get(kind) for line in lines]
    return max(at for at, row in enumerate(rows) if row is not None and having.items() <= row.items())


TOGETHER = [
    ("effect", {"status": "pending"}, {"next_attempt_at": None}, "when it is to be tried"),
    ("effect", {"status": "pending"}, {"ended_at": "2026-01-01T00:00:00.000000Z"}, "pending, and ended at"),
    ("effect", {"status": "done"}, {"ended_at": None}, "ended never"),
    ("effect", {"status": "done"}, {"lease": "851d183f-3af4-57f0-9fd6-7514266dc2f6"}, "has claimed it"),
    ("effect", {"type": "Send"}, {"to_id": None}, "no to_id"),
    ("effect", {"type": "Send"}, {"to_type": None}, "no to_type"),
    ("effect", {"type": "Send"}, {"handler": "nope"}, "carried out by nope"),
    ("effect", {"type": "Send"}, {"on_rejected": "null"}, "no message"),
    ("effect", {"type": "Posted"}, {"timer": "t"}, "and has timer"),
    ("event", {"type": "$erased"}, {"data": "[]"}, "not up to which version"),
    ("event", {"type": "$erased"}, {"data": '{"last_version":77,"why":"x"}'}, "erased at version 77"),
    ("event", {"type": "$erased"}, {"data": '{"last_version":%s,"why":"x"}' % ("9" * 5000)}, "not up to which"),
    ("event", {"type": "$erased"}, {"ordinal": 1}, "number 1"),
    ("event", {"type": "Noted"}, {"version": 7}, "is missing: the next one is 7"),
    ("event", {"type": "Noted"}, {"ordinal": 7}, "number 7 of the message"),
    ("fork", {}, {"from_version": 99}, "99 versions are said to be copied, and 2 were"),
    ("fork", {}, {"entity_id": "851d183f-3af4-57f0-9fd6-7514266dc2f6"}, "is not there"),
    ("effect", {}, {"version": 99}, "it is of version 99"),
    ("effect", {}, {"entity_id": "851d183f-3af4-57f0-9fd6-7514266dc2f6"}, "no such entity"),
    ("entity", {"type": "porter"}, {"type": "$erased"}, "its events are there"),
    ("entity", {"type": "$erased"}, {"type": "courier"}, "its head says not so"),
    ("entity", {"type": "porter"}, {"type": "porters"}, "handled it last"),
    ("entity", {}, {"version": 9}, "said to be at version 9"),
    ("entity", {}, {"position": 9999}, "beyond the last event's"),
    ("entity", {}, {"created_at": "2026-01-01T00:00:00.000000Z"}, "said to be created"),
]


@pytest.mark.parametrize(
    ("kind", "having", "values", "told"), TOGETHER, ids=[f"{k} {v}"[:60] for k, _, v, _ in TOGETHER]
)
def test_rows_that_do_not_go_together_are_found(
    lines: list[str], kind: str, having: dict[str, object], values: dict[str, object], told: str
) -> None:
    """Though the checksum is right, a row that contradicts itself, or those of its entity, is told with its line."""
    if kind == "entity":  # cursors stand behind heads
        lines = [line for line in lines if not line.startswith('{"cursor"')]
    at = last_of(lines, kind, **having)
    row = {**json.loads(lines[at])[kind], **values}
    with pytest.raises(CheckFailed, match=f"^line {at + 1}: ") as raised:
        read(with_footer_of(lines, at, json.dumps({kind: row})))
    assert told in raised.value.message
    assert raised.value.details["line"] == at + 1


def test_versions_against_the_order_of_positions_are_found(lines: list[str]) -> None:
    """An entity's events come by version; so they do in the log."""
    second = next(at for at, line in enumerate(lines) if line.startswith('{"event"') and '"version":2' in line)
    entity_id = json.loads(lines[second])["event"]["entity_id"]
    first = next(at for at, line in enumerate(lines) if line.startswith('{"event"') and entity_id in line)
    rows = [json.loads(lines[at])["event"] for at in (first, second)]
    rows[0]["version"], rows[1]["version"] = rows[1]["version"], rows[0]["version"]
    changed = list(lines)
    changed[first], changed[second] = (json.dumps({"event": row}) + "\n" for row in rows)
    with pytest.raises(CheckFailed, match=f"^line {first + 1}: .* version 1 is missing: the next one is 2"):
        read(with_footer(changed))


def test_little_is_kept_at_hand(lines: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for one entity at hand only, what was told of the others is found again."""
    monkeypatch.setattr("pachyderm_cli.store.told._AT_HAND", 1)
    assert len(read(lines)) == len(lines) - 2
    at = last_of(lines, "fork")
    row = {**json.loads(lines[at])["fork"], "from_version": 1}
    with pytest.raises(CheckFailed, match=f"^line {at + 1}: .*and 2 were"):
        read(with_footer_of(lines, at, json.dumps({"fork": row})))


def test_heads_and_events_without_each_other_are_found(lines: list[str]) -> None:
    """An entity without a head, and a head twice or without events, is told with a line of it."""
    lines = [line for line in lines if line.startswith(('{"pachyderm"', '{"event"', '{"entity"'))]
    head = last_of(lines, "entity", type="porter")
    event = last_of(lines, "event", entity_type="porter")
    with pytest.raises(CheckFailed, match=f"^line {event + 1}: .* no such entity"):
        read(with_footer([*lines[:head], *lines[head + 1 :]]))
    with pytest.raises(CheckFailed, match=f"^line {head}: .* no events"):
        read(with_footer([*lines[:event], *lines[event + 1 :]]))
    with pytest.raises(CheckFailed, match=f"^line {head + 2}: .* a head already"):
        read(with_footer([*lines[: head + 1], *lines[head:]]))


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
