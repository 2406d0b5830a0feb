"""`pachyderm replay`: the state folded from the events alone, up to any version or time."""

import json
import shutil
import sqlite3
from typing import Any

import pytest
from jsonpatch import apply_patch

from tests.cli.running import Command, lines


@pytest.fixture
def counted(on_store: Command) -> Command:
    """Return the command on a store whose counter `@a` was counted on by 1, 2 and 3."""
    for amount in (1, 2, 3):
        on_store.quick("send", "counter:@a", "increment", f"amount={amount}").done()
    return on_store


def test_replay_prints_the_documented_keys_at_every_version(counted: Command) -> None:
    """`replay --json` prints the state at any version, 0 being the initial state, and the newest without one."""
    for version, count in enumerate((0, 1, 3, 6)):
        replayed = counted.quick("replay", "counter:@a", "--to-version", str(version), "--json").done().document
        assert replayed.keys() >= {"entity", "network", "version", "state"}
        assert (replayed["network"], replayed["version"], replayed["state"]) == ("default", version, {"count": count})
    assert counted("replay", "counter:@a", "--json").done().document == replayed


def test_replay_shows_the_state_to_people(pachyderm: Command) -> None:
    """Without --json there are the entity with its version, and the state."""
    sent = pachyderm.quick("send", "counter:@a", "increment", "--json").done().document
    assert lines(pachyderm("replay", "counter:@a").done().out) == [
        f"counter:{sent['entity']['id']} at version 1",
        '  state     {"count":1}',
    ]


def test_steps_show_every_event_and_what_it_changed(counted: Command) -> None:
    """A step is an event as in history, the state after it, and a JSON Patch from the state before."""
    steps: list[dict[str, Any]] = counted("replay", "counter:@a", "--steps", "--json").done().documents
    assert [step["event"] for step in steps] == counted.quick("history", "counter:@a", "--json").documents
    state = {"count": 0}
    for version, step in enumerate(steps, 1):
        assert step.keys() >= {"version", "event", "state", "changes"}
        assert step["version"] == version
        state = apply_patch(state, step["changes"])
        assert step["state"] == state
    assert state == {"count": 6}
    shorter = counted.quick("replay", "counter:@a", "--steps", "--to-version", "2", "--json").done().documents
    assert shorter == steps[:2]


def test_steps_for_people_show_the_change(pachyderm: Command) -> None:
    """Without --json a step is the event's line, a line per change, and the state."""
    pachyderm.quick("send", "counter:@a", "increment").done()
    event, gone, come, state = lines(pachyderm.quick("replay", "counter:@a", "--steps").done().out)
    assert event.endswith('Increment -> Increased {"amount":1}')
    assert (gone.strip(), come.strip()) == ("- /count 0", "+ /count 1")
    assert state.split() == ["state", '{"count":1}']


def test_steps_are_a_coloured_diff_on_a_terminal(pachyderm: Command) -> None:
    """On a terminal what goes is red and what comes is green, unless NO_COLOR is set."""
    pachyderm.quick("send", "counter:@a", "increment").done()
    shown = pachyderm.on_terminal("replay", "counter:@a", "--steps")
    assert "\x1b[31m- /count 0\x1b[0m" in shown
    assert "\x1b[32m+ /count 1\x1b[0m" in shown
    assert "\x1b[" not in pachyderm.on_terminal("replay", "counter:@a", "--steps", NO_COLOR="1")


@pytest.mark.usefixtures("time_lab")
def test_a_step_names_what_caused_it(on_store: Command) -> None:
    """The message that an entity sent is told as the cause of what came of it."""
    sent = on_store.quick("send", "purse:@a", "remember", "to=purse:@b")
    assert sent.status == 8  # for another effect, which always fails
    [cause] = on_store.quick("history", "purse:@a", "--json").done().documents
    [step] = on_store.quick("replay", "purse:@b", "--steps", "--json").done().documents
    assert step["event"]["caused_by"] == cause["message_id"]
    shown = lines(on_store.quick("replay", "purse:@b", "--steps").done().out)
    assert shown[0].endswith(f"  because of {cause['message_id']}")


def test_steps_may_begin_later(counted: Command) -> None:
    """`--from-version` begins the steps there, with what that event changed in the state before it."""
    steps = counted.quick("replay", "counter:@a", "--steps", "--json").done().documents
    options = ("--steps", "--from-version", "2", "--json")
    assert counted("replay", "counter:@a", *options).done().documents == steps[1:]
    assert counted.quick("replay", "counter:@a", *options, "--to-version", "2").done().documents == steps[1:2]
    alone = counted.quick("replay", "counter:@a", "--from-version", "2", "--json")
    assert (alone.status, alone.error["message"]) == (2, "--from-version goes with --steps")


def test_other_code_may_fold(counted: Command) -> None:
    """`--entities DIR` folds with the code in that folder."""
    other = counted.folder / "branch"
    shutil.copytree(counted.folder / "entities", other)
    counter = other / "counter.py"
    counter.write_text(counter.read_text(encoding="utf-8").replace("state.count +", "10 +"), encoding="utf-8")
    replayed = counted.quick("replay", "counter:@a", "--entities", other, "--json").done().document
    assert (replayed["version"], replayed["state"]) == (3, {"count": 13})
    missing = counted.quick("replay", "counter:@a", "--entities", "nowhere", "--json")
    assert (missing.status, missing.error["code"]) == (6, "config_error")


def test_a_time_is_a_place_in_the_history(counted: Command) -> None:
    """--at takes what was recorded up to that time, with any offset, and the initial state before the first event."""
    events = counted.quick("history", "counter:@a", "--json").documents
    for version, event in enumerate(events, 1):
        for moment in (event["recorded_at"], event["recorded_at"].replace("Z", "+00:00")):
            replayed = counted.quick("replay", "counter:@a", "--at", moment, "--json").done().document
            assert replayed["version"] == version
    for moment in ("2000-01-01", "2000-01-01T10:00", "2000-01-01T10:00:00+02:00"):
        replayed = counted.quick("replay", "counter:@a", "--at", moment, "--json").done().document
        assert (replayed["version"], replayed["state"]) == (0, {"count": 0})
    assert counted.quick("replay", "counter:@a", "--at", "2999-01-01", "--json").done().document["version"] == 3


@pytest.mark.parametrize(
    "moment", ["", "now", "2026", "2026-13-01", "2026-01-31T25:00", "12:00", "0001-01-01T00:00+14:00"]
)
def test_a_malformed_time_is_told(pachyderm: Command, moment: str) -> None:
    """What is no time is an error that shows how to write one."""
    result = pachyderm.quick("replay", "counter:@a", "--at", moment, "--json")
    assert (result.status, result.error["code"]) == (2, "usage")
    assert "2026-01-31T10:00:00Z" in result.error["message"]


def test_replay_trusts_no_snapshot(pachyderm: Command) -> None:
    """What a snapshot says makes no difference to a replay."""
    pachyderm.quick("send", "counter:@a", "increment").done()
    pachyderm.quick("snapshot", "counter:@a").done()
    connection = sqlite3.connect(pachyderm.folder / "pachyderm.db")
    with connection:
        connection.execute("UPDATE pachyderm_snapshots SET state = ?", [json.dumps({"count": 99})])
    connection.close()
    assert pachyderm.quick("inspect", "counter:@a", "--json").document["state"] == {"count": 99}
    assert pachyderm.quick("replay", "counter:@a", "--json").done().document["state"] == {"count": 1}
