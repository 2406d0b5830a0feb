"""`pachyderm list`: the entities of the network."""

import re
from typing import Any

from tests.cli.running import Command, lines

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def ids(command: Command, *options: str) -> list[str]:
    """Return the ids of the entities listed."""
    return [head["entity"]["id"] for head in command.quick("list", "--json", *options).done().documents]


def send(command: Command, reference: str, message: str) -> Any:
    """Send a message, and return the entity's id."""
    return command.quick("send", reference, message, "--json").done().document["entity"]["id"]


def test_each_entity_is_one_object_with_the_documented_keys(on_store: Command) -> None:
    """`list --json` prints an object per entity with what cli.md documents, in its form."""
    for _ in range(2):
        identifier = send(on_store, "counter:@a", "increment")
    (head,) = on_store("list", "--json").done().documents
    assert head.keys() >= {"entity", "version", "created_at", "updated_at"}
    assert (head["entity"], head["version"]) == ({"type": "counter", "id": identifier}, 2)
    events = on_store.quick("history", identifier, "--json").documents
    assert [head["created_at"], head["updated_at"]] == [event["recorded_at"] for event in events]


def test_entities_come_last_written_first(on_store: Command) -> None:
    """The order is that of the last write; --type and --limit choose."""
    a, b, c = (send(on_store, f"counter:@{name}", "increment") for name in "abc")
    box = send(on_store, "box:@d", "ring")
    assert send(on_store, "counter:@b", "increment") == b
    assert ids(on_store) == [b, box, c, a]
    assert ids(on_store, "--limit", "2") == [b, box]
    assert ids(on_store, "-n", "0") == []
    assert ids(on_store, "--limit", "9" * 30) == [b, box, c, a]
    assert ids(on_store, "--type", "counter") == [b, c, a]
    assert ids(on_store, "--type", "counter", "--limit", "1") == [b]
    assert ids(on_store, "--type", "gone") == []


def test_an_entity_is_one_line_for_people(pachyderm: Command) -> None:
    """Without --json an entity is a line, and that there is none is a note on standard error."""
    none = pachyderm("list").done()
    assert (none.out, none.err) == ("", "no entities in the network 'default'\n")
    of_type = pachyderm.quick("list", "--type", "box").done()
    assert (of_type.out, of_type.err) == ("", "no entities of the type 'box' in the network 'default'\n")
    identifier = send(pachyderm, "counter:@a", "increment")
    (line,) = lines(pachyderm.quick("list").done().out)
    assert re.fullmatch(rf"counter:{identifier}  version 1  {TIME.pattern}", line)
