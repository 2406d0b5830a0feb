"""`pachyderm fork`: a copy of a history, to play on from there."""

import re

import pytest

from pachyderm_cli.domain.reference import named_id
from tests.cli.running import Command, lines

pytestmark = pytest.mark.usefixtures("time_lab")

A = {"type": "purse", "id": str(named_id("default", "purse", "a"))}
COPY = {"type": "purse", "id": str(named_id("default", "purse", "copy"))}
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"


@pytest.fixture
def moved(on_store: Command) -> Command:
    """Return the command on a store whose purse `@a` was put 1, 2 and 3 in."""
    for amount in "123":
        on_store.quick("send", "purse:@a", "put", f"amount={amount}").done()
    return on_store


def test_a_fork_prints_the_documented_keys(moved: Command) -> None:
    """`fork --json` has the new entity, its state, and where it came from; inspect shows that too."""
    forked = moved("fork", "purse:@a", "--to-version", "2", "--to", "purse:@copy", "--json").done().document
    assert list(forked) == ["entity", "network", "version", "state", "forked_from"]
    assert (forked["entity"], forked["network"], forked["version"]) == (COPY, "default", 2)
    assert forked["state"]["balance"] == "3"
    origin = forked["forked_from"]
    assert (origin["entity"], origin["version"], list(origin)) == (A, 2, ["entity", "version", "forked_at"])
    assert re.fullmatch(TIME, origin["forked_at"])
    inspected = moved.quick("inspect", "purse:@copy", "--json").done().document
    assert inspected["forked_from"] == origin
    assert moved.quick("inspect", "purse:@a", "--json").done().document["forked_from"] is None


def test_events_are_copied_and_each_names_its_cause(moved: Command) -> None:
    """The copies have type, data and time of the originals, and the message that led to each as its cause."""
    moved.quick("fork", "purse:@a", "--to", "purse:@copy").done()
    originals = moved.quick("history", "purse:@a", "--json").done().documents
    copies = moved.quick("history", "purse:@copy", "--json").done().documents
    for key in ("version", "type", "data", "message", "recorded_at", "type_version"):
        assert [each[key] for each in copies] == [each[key] for each in originals]
    assert [each["caused_by"] for each in copies] == [each["message_id"] for each in originals]
    assert {each["message_id"] for each in copies}.isdisjoint(each["message_id"] for each in originals)


def test_the_copy_goes_its_own_way(moved: Command) -> None:
    """What is sent to the copy leaves the original as it was, and the other way round."""
    before = moved.quick("history", "purse:@a", "--json").done().out
    moved.quick("fork", "purse:@a", "--to-version", "1", "--to", "purse:@copy").done()
    sent = moved.quick("send", "purse:@copy", "put", "amount=9", "--json").done().document
    assert (sent["version"], sent["state"]["balance"]) == (2, "10")
    assert moved.quick("history", "purse:@a", "--json").done().out == before
    assert moved.quick("replay", "--all").done().out == ""


def test_without_a_target_the_copy_has_a_new_id(moved: Command) -> None:
    """`--to new`, which is left out as well, copies into a fresh entity of the same type."""
    ids = {A["id"]}
    for options in ((), ("--to", "new"), ("--to", "purse:new")):
        forked = moved.quick("fork", "purse:@a", *options, "--json").done().document
        assert (forked["entity"]["type"], forked["version"]) == ("purse", 3)
        ids.add(forked["entity"]["id"])
    assert len(ids) == 4


def test_effects_and_timers_stay_with_the_original(on_store: Command) -> None:
    """A copy of an entity with a timer and messages on their way has none of them."""
    on_store.quick("send", "purse:@a", "remember", "to=purse:@b", "--no-effects").done()
    queued = on_store.quick("effects", "list", "--json").done().out
    assert queued
    on_store.quick("fork", "purse:@a", "--to", "purse:@copy").done()
    assert on_store.quick("effects", "list", "--json").done().out == queued
    assert on_store.quick("timers", "list", "purse:@copy", "--json").done().out == ""


def test_a_copy_is_found_by_its_state(moved: Command) -> None:
    """Where states are kept for lookup, that of the copy is from the start."""
    moved.quick("fork", "purse:@a", "--to-version", "2", "--to", "purse:@copy").done()
    listed = moved.quick("list", "--type", "purse", "--where", "balance=3", "--json").done().document
    assert listed["entity"] == COPY


def test_people_see_the_copy_and_its_origin(pachyderm: Command) -> None:
    """Without --json there are the new entity, the old one and the state; inspect has a line for the origin."""
    pachyderm.quick("send", "counter:@a", "increment").done()
    a, copy = (named_id("default", "counter", name) for name in ("a", "copy"))
    assert lines(pachyderm("fork", "counter:@a", "--to", "counter:@copy").done().out) == [
        f"counter:{copy} at version 1, copied from counter:{a}",
        '  state     {"count":1}',
    ]
    shown = lines(pachyderm.quick("inspect", "counter:@copy").done().out)
    assert f"  forked    counter:{a} at version 1" in shown


def test_a_left_out_reference_is_the_entity_written_to_last(pachyderm: Command) -> None:
    """Without a reference the entity written to last is copied, and named on standard error."""
    pachyderm.quick("send", "counter:@a", "increment").done()
    result = pachyderm.quick("fork").done()
    assert result.err == f"the entity written to last: counter:{named_id('default', 'counter', 'a')}\n"


@pytest.mark.parametrize(
    ("arguments", "status", "code", "told"),
    [
        (("purse:@a", "--to", "purse:@a"), 4, "version_conflict", "is there already"),
        (("purse:@a", "--to-version", "9"), 3, "not_found", "it has 0 to 3"),
        (("purse:@a", "--to-version", "0"), 2, "usage", "--to-version"),
        (("purse:@nobody",), 3, "not_found", "nobody"),
        (("purse:@a", "--to", "prse:@b"), 2, "unknown_entity_type", "did you mean purse?"),
        (("purse:@a", "--to", "counter:@b"), 1, "entity_failed", "Moved"),
    ],
)
def test_what_cannot_be_copied_is_told(
    moved: Command, arguments: tuple[str, ...], status: int, code: str, told: str
) -> None:
    """A target that is there, an origin or version that is not, and a type that cannot read the events are errors."""
    before = moved.log()
    result = moved.quick("fork", *arguments, "--json")
    assert (result.status, result.out, result.error["code"]) == (status, "", code)
    assert told in result.error["message"]
    assert moved.log() == before
