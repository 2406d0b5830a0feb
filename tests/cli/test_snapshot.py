"""`pachyderm snapshot`: take, list or drop snapshots."""

import re

import pytest
from sqlalchemy import update

from pachyderm_cli.store.schema import events
from tests.cli.running import Command, lines
from tests.support.raw import execute

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


@pytest.fixture
def three(on_store: Command) -> Command:
    """Return the command on a store with two counters and a box."""
    for reference, message in (("counter:@a", "increment"), ("counter:@b", "increment"), ("box:@c", "ring")):
        on_store.quick("send", reference, message).done()
    return on_store


def test_a_snapshot_has_the_documented_keys(three: Command) -> None:
    """`snapshot --json` takes one, and prints its entity, version, fingerprint and time."""
    taken = three("snapshot", "counter:@a", "--json").done().document
    assert taken.keys() >= {"entity", "version", "fingerprint", "taken_at"}
    assert (taken["entity"]["type"], taken["version"]) == ("counter", 1)
    assert re.fullmatch(r"[0-9a-f]{32,}", taken["fingerprint"])
    assert TIME.fullmatch(taken["taken_at"])
    assert three.quick("snapshot", "counter:@a", "--list", "--json").done().document == taken


def test_a_snapshot_is_one_line_for_people(three: Command) -> None:
    """Without --json a snapshot is a line."""
    (line,) = lines(three.quick("snapshot", "counter:@a").done().out)
    assert re.fullmatch(rf"counter:[0-9a-f-]{{36}}  version 1  {TIME.pattern}  [0-9a-f]+", line)


def test_all_takes_lists_and_drops_those_of_every_entity(three: Command) -> None:
    """--all is every entity of the network, --type narrows it, --list and --drop look and drop."""

    def shown(*options: str) -> list[str]:
        documents = three.quick("snapshot", "--all", "--json", *options).done().documents
        return [document["entity"]["type"] for document in documents]

    assert shown("--list") == []
    assert shown() == ["box", "counter", "counter"]
    assert shown("--list", "--type", "counter") == ["counter", "counter"]
    assert three.quick("snapshot", "counter:@a", "--drop", "--json").done().document == {"dropped": 1}
    assert three.quick("snapshot", "counter:@a", "--drop").done().out == "dropped 0\n"
    assert three.quick("snapshot", "--all", "--type", "box", "--drop", "--json").done().document == {"dropped": 1}
    assert shown("--list") == ["counter"]
    assert three.quick("snapshot", "--all", "--drop", "--json").done().document == {"dropped": 1}
    assert shown("--list") == []


def test_dropping_changes_no_state(three: Command) -> None:
    """With and without snapshots the state is the same."""
    three.quick("send", "counter:@a", "increment", "amount=4").done()
    three.quick("snapshot", "counter:@a").done()
    three.quick("send", "counter:@a", "increment", "amount=2", "--no-effects").done()
    with_one = three.quick("inspect", "counter:@a", "--json").done().document
    three.quick("snapshot", "--all", "--drop").done()
    without = three.quick("inspect", "counter:@a", "--json").done().document
    assert with_one["state"] == without["state"] == {"count": 7}
    assert (len(with_one["snapshots"]), len(without["snapshots"])) == (1, 0)


def test_snapshots_are_taken_as_often_as_the_project_says(on_store: Command) -> None:
    """`every` in pachyderm.toml is the number of events between snapshots, 0 for none."""
    file = on_store.folder / "pachyderm.toml"
    for every, expected in ((2, [6, 4]), (0, [])):
        file.write_text(f"[snapshots]\nevery = {every}\n", encoding="utf-8")
        line = f'{{"to": "counter:@every-{every}", "message": "increment"}}\n'
        on_store.quick("send", "--file", "-", stdin=line * 7).done()
        listed = on_store.quick("snapshot", f"counter:@every-{every}", "--list", "--json").done().documents
        assert [taken["version"] for taken in listed] == expected


def test_one_that_cannot_be_folded_does_not_hold_up_the_others(three: Command, store_url: str) -> None:
    """It is named at the end, with exit status 1."""
    execute(store_url, update(events).where(events.c.entity_type == "box").values(type="Gone"))
    result = three("snapshot", "--all", "--json")
    assert result.status == 1
    assert [document["entity"]["type"] for document in result.documents] == ["counter", "counter"]
    assert "3 entities, and no snapshot of one of them: box cannot read the event Gone" in result.err


def test_a_misspelt_type_is_an_error(three: Command) -> None:
    """It is not a network without entities."""
    result = three.quick("snapshot", "--all", "--type", "countr")
    assert (result.status, result.out) == (2, "")
    assert "did you mean counter?" in result.err
