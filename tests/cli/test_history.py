"""`pachyderm history`: every event of an entity."""

import re
from typing import Any
from uuid import UUID

import pytest

from tests.cli.running import Command, lines

KEYS = {"version", "position", "type", "data", "entity", "message", "message_id", "caused_by", "recorded_at"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


@pytest.fixture
def counted(on_store: Command) -> Command:
    """Return the command on a store whose counter `@a` stands at version 5, counted on by 1, 2, … 5."""
    for amount in range(1, 6):
        on_store.quick("send", "counter:@a", "increment", f"amount={amount}", "--no-effects").done()
    return on_store


def amounts(command: Command, *options: str) -> list[int]:
    """Return the amounts of the events shown."""
    shown = command.quick("history", "counter:@a", "--json", *options).done().documents
    return [event["data"]["amount"] for event in shown]


def test_each_event_is_one_object_with_the_documented_keys(on_store: Command) -> None:
    """`history --json` prints an object per event, oldest first, with what cli.md documents, in its form."""
    sent = [
        on_store.quick("send", "counter:@a", "increment", f"amount={amount}", "--json").done().document
        for amount in (1, 2)
    ]
    events: list[dict[str, Any]] = on_store("history", "counter:@a", "--json").done().documents
    assert [event["version"] for event in events] == [1, 2]
    assert events[0]["position"] < events[1]["position"]
    for event, send in zip(events, sent, strict=True):
        assert event.keys() >= KEYS
        assert (event["type"], event["message"], event["caused_by"]) == ("Increased", "Increment", None)
        assert event["data"] == send["events"][0]["data"]
        assert event["entity"] == send["entity"]
        assert event["message_id"] == send["message_id"] == str(UUID(event["message_id"]))
        assert TIME.fullmatch(event["recorded_at"])


def test_each_event_is_one_line_for_people(counted: Command) -> None:
    """Without --json an event's line has its version, time, message, type and data."""
    shown = lines(counted("history", "counter:@a").done().out)
    assert len(shown) == 5
    assert re.fullmatch(rf' +1  {TIME.pattern}  Increment -> Increased {{"amount":1}}', shown[0])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), [1, 2, 3, 4, 5]),
        (("--from", "3"), [3, 4, 5]),
        (("--to", "2"), [1, 2]),
        (("--from", "2", "--to", "4"), [2, 3, 4]),
        (("--limit", "2"), [1, 2]),
        (("-n", "0"), []),
        (("--reverse",), [5, 4, 3, 2, 1]),
        (("-r", "--limit", "2"), [5, 4]),
        (("--reverse", "--from", "2", "--to", "4", "--limit", "2"), [4, 3]),
        (("--from", "6"), []),
        (("--to", "0"), []),
        (("--from", "4", "--to", "2"), []),
        (("--to", "9" * 30), [1, 2, 3, 4, 5]),
        (("--from", "9" * 30), []),
        (("--limit", "9" * 30), [1, 2, 3, 4, 5]),
        (("--limit", "9" * 30, "--reverse", "--to", "9" * 30), [5, 4, 3, 2, 1]),
    ],
)
def test_a_part_of_the_history_can_be_asked_for(
    counted: Command, options: tuple[str, ...], expected: list[int]
) -> None:
    """--from, --to, --limit and --reverse choose events, however large the numbers."""
    assert amounts(counted, *options) == expected


def test_a_long_history_comes_whole(on_store: Command) -> None:
    """More events than are read at a time come in order, in both directions."""
    line = '{"to": "counter:@a", "message": "increment"}\n'
    on_store.quick("send", "--file", "-", "--no-effects", stdin=line * 1100).done()
    versions = [event["version"] for event in on_store.quick("history", "counter:@a", "--json").done().documents]
    assert versions == list(range(1, 1101))
    backwards = on_store.quick("history", "counter:@a", "--json", "--reverse").done().documents
    assert [event["version"] for event in backwards] == versions[::-1]


def test_networks_never_see_one_another(on_store: Command) -> None:
    """An entity of one network has no history in another, and neither is it listed there."""
    sent = on_store.quick("send", "counter:new", "increment", "--json").done().document
    identifier = sent["entity"]["id"]
    assert on_store.quick("--network", "other", "history", identifier).status == 3
    assert on_store.quick("--network", "other", "list", "--json").done().documents == []
    on_store.quick("--network", "other", "send", f"counter:{identifier}", "increment", "amount=5").done()
    assert len(on_store.quick("history", identifier, "--json").documents) == 1
