"""`pachyderm export`, `import` and `copy`: from one database to the other and back, all of it or nothing."""

import json
from pathlib import Path

import pytest

from tests.cli.outbox import parked, post
from tests.cli.running import Command, lines

pytestmark = pytest.mark.usefixtures("outbox_lab")


@pytest.fixture
def furnished(on_store: Command) -> Command:
    """Return the command on a store with something of everything in it."""
    on_store.quick("send", "counter:@a", "increment", "amount=2").done()
    post(on_store)
    parked(on_store)
    on_store.quick("send", "courier:@a", "remind", "name=later", "seconds=3600").done()
    on_store.quick("send", "courier:@a", "offer", "to=courier:@b").done()
    on_store.quick("fork", "counter:@a").done()
    on_store.quick("send", "counter:@gone", "increment").done()
    on_store.quick("erase", "counter:@gone", "--yes", "--why", "asked for it \U0001f418").done()
    on_store.quick("follow", "--cursor", "c", "--once").done()
    on_store.quick("send", "counter:@a", "increment").done()
    return on_store


@pytest.fixture
def other(pachyderm: Command, tmp_path: Path) -> Command:
    """Return the command on a SQLite store that is not there yet."""
    return pachyderm.store(f"sqlite:///{tmp_path / 'other.db'}")


def test_there_and_back_it_is_the_same(furnished: Command, other: Command, tmp_path: Path) -> None:
    """A second export has the same bytes, from the same store and from what was imported or copied elsewhere."""
    text = furnished.quick("export").done().out
    assert furnished.quick("export").done().out == text
    kinds = [next(iter(json.loads(line))) for line in lines(text)]
    assert set(kinds) == {"pachyderm", "event", "entity", "cursor", "fork", "effect", "end"}
    file = tmp_path / "all.jsonl"
    furnished.quick("export", "-o", file, "--json").done()
    assert file.read_text(encoding="utf-8") == text
    assert file.stat().st_mode & 0o777 == 0o600
    other.quick("import", file).done()
    assert other.quick("export").done().out == text
    third = other.store(f"sqlite:///{tmp_path / 'third.db'}")
    other.quick("copy", "--to", third.settings["PACHYDERM_STORE"]).done()
    assert third.quick("export").done().out == text
    for each in (other, third):
        assert each.quick("store", "verify", "--json").done().documents[-1]["findings"] == 0


def test_what_was_moved_goes_on(furnished: Command, other: Command) -> None:
    """Versions, effects that wait, message ids, cursors and erasures are there as they were."""
    other.quick("import", "-", stdin=furnished.quick("export").done().out).done()
    assert other.quick("send", "counter:@a", "increment", "--json").done().document["version"] == 3
    assert other.quick("send", "counter:@gone", "increment").status == 3
    assert [
        each["data"]["amount"] for each in other.quick("follow", "--cursor", "c", "--once", "--json").documents
    ] == [
        1,
        1,
    ]
    assert [each["name"] for each in other.quick("timers", "list", "--json").documents] == ["later"]
    assert [each["type"] for each in other.quick("effects", "list", "--status", "parked", "--json").documents] == [
        "RiskyLetter"
    ]


def test_nothing_is_written_where_something_is_there(furnished: Command, other: Command) -> None:
    """An entity that the store has already is a collision; the store stays as it was."""
    text = furnished.quick("export").done().out
    other.quick("send", "counter:@other", "increment").done()
    other.quick("send", "counter:@a", "increment").done()
    before = other.quick("export").done().out
    refused = other.quick("import", "-", "--json", stdin=text)
    assert (refused.status, refused.error["code"]) == (4, "collision")
    assert other.quick("export").done().out == before


def test_into_a_store_with_others_it_comes_after_them(furnished: Command, other: Command) -> None:
    """Positions are new, in their order, and the cursor stands before the same events."""
    other.quick("send", "counter:@first", "increment", "amount=7").done()
    other.quick("import", "-", stdin=furnished.quick("export").done().out).done()
    there = [(each["entity"], each["version"]) for each in followed(furnished)]
    assert [(each["entity"], each["version"]) for each in followed(other)][1:] == there
    assert other.quick("cursors", "list", "--json").done().document["behind"] == 1


def followed(command: Command) -> list[dict[str, object]]:
    """Return the whole log."""
    return command.quick("follow", "--from-start", "--once", "--json").done().documents


@pytest.mark.parametrize("damage", ["cut", "changed", "without its end", "another's"])
def test_a_file_that_is_not_whole_is_refused(furnished: Command, other: Command, damage: str) -> None:
    """Whatever was lost or changed on the way is found, and nothing is written."""
    text = furnished.quick("export").done().out
    damaged = {
        "cut": text[: len(text) // 2],
        "changed": text.replace('\\"amount\\":2', '\\"amount\\":3'),
        "without its end": "".join(text.splitlines(keepends=True)[:-1]),
        "another's": '{"some": "json"}\n',
    }[damage]
    assert damaged != text
    refused = other.quick("import", "-", "--json", stdin=damaged)
    assert (refused.status, refused.out) == (2 if damage == "another's" else 9, "")
    assert other.quick("list", "--json").done().out == ""


def test_an_import_in_parts_is_the_same(furnished: Command, other: Command, tmp_path: Path) -> None:
    """With --resumable it comes to the same, and is not taken twice."""
    file = tmp_path / "all.jsonl"
    furnished.quick("export", "-o", file).done()
    other.quick("import", file, "--resumable").done()
    assert other.quick("export").done().out == file.read_text(encoding="utf-8")
    assert other.quick("import", file, "--resumable").status == 4


def test_some_of_a_network_is_exported(furnished: Command, other: Command) -> None:
    """One entity or one type, with its effects; an existing file is not replaced unasked."""
    one = furnished.quick("export", "--entity", "counter:@a").done().out
    other.quick("import", "-", stdin=one).done()
    assert [each["version"] for each in other.quick("list", "--json").done().documents] == [2]
    furnished.quick("export", "--type", "courier", "-o", "couriers.jsonl").done()
    assert furnished.quick("export", "-o", "couriers.jsonl").status == 2
    furnished.quick("export", "-o", "couriers.jsonl", "--force").done()
