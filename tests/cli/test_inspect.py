"""`pachyderm inspect`: all that is known of an entity now."""

import re

import pytest

from pachyderm_cli.domain.reference import named_id
from tests.cli.running import Command, lines

KEYS = {"entity", "network", "version", "state", "created_at", "updated_at", "snapshots", "effects", "timers"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def test_inspect_prints_the_documented_keys(on_store: Command) -> None:
    """`inspect --json` prints one document with what cli.md documents, and the snapshots that there are."""
    for _ in range(3):
        on_store.quick("send", "counter:@a", "increment").done()
    taken = on_store.quick("snapshot", "counter:@a", "--json").done().document
    inspected = on_store("inspect", "counter:@a", "--json").done().document
    assert inspected.keys() >= KEYS
    assert (inspected["network"], inspected["version"], inspected["events"]) == ("default", 3, 3)
    assert inspected["state"] == {"count": 3}
    assert (inspected["effects"], inspected["timers"]) == ([], [])
    events = on_store.quick("history", "counter:@a", "--json").documents
    assert inspected["created_at"] == events[0]["recorded_at"]
    assert inspected["updated_at"] == events[-1]["recorded_at"]
    assert inspected["entity"] == events[0]["entity"] == taken["entity"]
    assert inspected["snapshots"] == [{key: taken[key] for key in ("version", "fingerprint", "taken_at")}]


def test_inspect_shows_the_same_to_people(pachyderm: Command) -> None:
    """Without --json the same is shown in lines with labels."""
    sent = pachyderm.quick("send", "counter:@a", "increment", "--json").done().document
    shown = lines(pachyderm("inspect", "counter:@a").done().out)
    assert shown[0] == f"counter:{sent['entity']['id']} at version 1"
    labelled = {line.split()[0]: line.split(maxsplit=1)[1] for line in shown[1:]}
    assert labelled.keys() >= {"state", "network", "events", "created", "updated", "snapshots"}
    assert (labelled["state"], labelled["network"], labelled["events"]) == ('{"count":1}', "default", "1")
    assert (labelled["snapshots"], bool(TIME.fullmatch(labelled["created"]))) == ("none", True)


def test_a_left_out_reference_is_the_entity_written_to_last(on_store: Command) -> None:
    """Without a reference it is the entity that the network wrote to last, and standard error names it."""
    for name in ("a", "b", "a"):
        on_store.quick("send", f"counter:@{name}", "increment").done()
    on_store.quick("--network", "other", "send", "counter:@c", "increment").done()
    named, left_out = on_store.quick("inspect", "counter:@a", "--json"), on_store("inspect", "--json").done()
    assert left_out.document == named.document
    identifier = named.document["entity"]["id"]
    assert left_out.err == f"the entity written to last: counter:{identifier}\n"


def test_a_left_out_type_is_the_one_that_handled_it_last(on_store: Command) -> None:
    """An id or a prefix of it is enough to name an existing entity."""
    entity = on_store.quick("send", "counter:@a", "increment", "--json").done().document["entity"]
    for reference in (entity["id"], entity["id"][:8], entity["id"][:4].upper(), f"counter:{entity['id'][:13]}"):
        assert on_store.quick("inspect", reference, "--json").done().document["entity"] == entity


@pytest.mark.usefixtures("outbox_lab")
def test_effects_not_done_and_timers_are_shown(on_store: Command) -> None:
    """`inspect --json` has what is pending or parked, apart from that the timers, with the documented keys."""
    on_store.quick("send", "courier:@a", "risk", "text=x")
    on_store.quick("send", "courier:@a", "forward", "to=courier:@b", "text=y", "--no-effects").done()
    on_store.quick("send", "courier:@a", "post", "text=done").done()
    on_store.quick("send", "courier:@a", "remind", "name=tea", "seconds=600").done()
    on_store.quick("send", "courier:@a", "later", "to=courier:@b", "seconds=900").done()
    inspected = on_store("inspect", "courier:@a", "--json").done().document
    risk, sending = inspected["effects"]
    assert list(risk) == list(sending) == ["id", "type", "status", "error", "to", "attempts", "next_attempt_at"]
    assert (risk["type"], risk["status"], risk["to"], risk["attempts"]) == ("RiskyLetter", "parked", None, 1)
    assert risk["error"].startswith("OSError: no ink")
    assert risk["next_attempt_at"] is None
    receiver = {"type": "courier", "id": str(named_id("default", "courier", "b"))}
    assert (sending["type"], sending["status"], sending["to"], sending["attempts"]) == ("Send", "pending", receiver, 0)
    assert TIME.fullmatch(sending["next_attempt_at"])
    tea, later = inspected["timers"]
    assert list(tea) == ["id", "name", "message", "to", "due_at", "status", "error"]
    assert (tea["name"], tea["message"], tea["to"]) == ("tea", "Post", inspected["entity"])
    assert (later["name"], later["to"], later["status"]) == (None, receiver, "pending")
    assert TIME.fullmatch(later["due_at"])


@pytest.mark.usefixtures("outbox_lab")
def test_effects_not_done_and_timers_are_shown_to_people(pachyderm: Command) -> None:
    """Without --json they are lines with labels: what it is, its status, when it is next tried, its error."""
    pachyderm.quick("send", "courier:@a", "risk", "text=x")
    pachyderm.quick("send", "courier:@a", "post", "text=y", "--no-effects").done()
    pachyderm.quick("send", "courier:@a", "remind", "name=tea", "seconds=600").done()
    risk, letter, tea = lines(pachyderm("inspect", "courier:@a").done().out)[-3:]
    assert risk.startswith("  effect    RiskyLetter parked, tried once: OSError: no ink (")
    assert re.fullmatch(rf"  effect    Letter pending, next {TIME.pattern}", letter)
    assert re.fullmatch(rf"  timer     {TIME.pattern}  Timer tea: Post", tea)
