"""`pachyderm try`: what a message would lead to."""

import shutil
from typing import Any

import pytest

from tests.cli.running import Command, lines

pytestmark = pytest.mark.usefixtures("time_lab")


@pytest.fixture
def moved(on_store: Command) -> Command:
    """Return the command on a store whose purse `@a` was put 1, 2 and 3 in."""
    for amount in "123":
        on_store.quick("send", "purse:@a", "put", f"amount={amount}").done()
    return on_store


def test_a_try_is_what_the_send_then_does(moved: Command) -> None:
    """`try --json` gives version, state and events as `send` then does, and writes nothing."""
    before = moved.log()
    tried = moved("try", "purse:@a", "put", "amount=4.50", "--json").done().document
    assert moved.log() == before
    sent = moved.quick("send", "purse:@a", "put", "amount=4.50", "--json").done().document
    assert list(tried) == ["entity", "network", "version", "state", "decided_at", "timers", "events", "effects"]
    for key in ("entity", "network", "version", "state", "events"):
        assert tried[key] == sent[key]
    assert (tried["decided_at"], tried["timers"], tried["effects"]) == (3, 0, [])


def test_effects_are_shown_and_not_carried_out(moved: Command) -> None:
    """An effect has type and data, a message its receiver as well, a timer its name and time; none of them happens."""
    before = moved.log()
    tried = moved("try", "purse:@a", "remember", "to=purse:@b", "--json").done().document
    tell, send, timer = tried["effects"]
    assert tell == {**_effect("Tell"), "data": {"whom": "purse:@b"}}
    assert send == {**_effect("Send"), "data": {"amount": "6"}, "to": send["to"], "message": "Put"}
    assert send["to"]["type"] == "purse"
    to_itself = {"to": tried["entity"], "message": "Put", "timer": "tomorrow", "after": 86400.0}
    assert timer == {**_effect("Timer"), "data": {"amount": "1"}, **to_itself}
    assert moved.log() == before
    assert moved.quick("effects", "list", "--json").done().out == ""
    assert moved.quick("timers", "list", "--json").done().out == ""


def _effect(name: str) -> dict[str, Any]:
    return {"type": name, **dict.fromkeys(("data", "to", "message", "timer", "at", "after"))}


def test_an_earlier_version_may_decide(moved: Command) -> None:
    """`--at-version` decides on the state of then; 0 is before anything was sent."""
    for version, balance in (("0", "5"), ("1", "6"), ("3", "11")):
        tried = moved.quick("try", "purse:@a", "put", "amount=5", "--at-version", version, "--json").done().document
        assert (tried["decided_at"], tried["version"]) == (int(version), int(version) + 1)
        assert tried["state"]["balance"] == balance


def test_an_entity_may_be_new(on_store: Command) -> None:
    """A message can be tried on an entity that is not there, which is not there afterwards either."""
    for reference in ("purse:new", "purse:@nobody"):
        tried = on_store.quick("try", reference, "put", "amount=5", "--json").done().document
        assert (tried["decided_at"], tried["version"]) == (0, 1)
    assert on_store("list", "--json").done().out == ""


def test_other_code_may_decide(moved: Command) -> None:
    """`--entities DIR` decides with the code in that folder."""
    other = moved.folder / "branch"
    shutil.copytree(moved.folder / "entities", other)
    purse = other / "purse.py"
    purse.write_text(purse.read_text(encoding="utf-8").replace("amount == 13", "amount == 4"), encoding="utf-8")
    moved.quick("try", "purse:@a", "put", "amount=4").done()
    result = moved.quick("try", "purse:@a", "put", "amount=4", "--entities", other)
    assert (result.status, result.err) == (5, "error: thirteen is unlucky\n")
    assert moved.quick("try", "purse:@a", "put", "amount=13").status == 5
    missing = moved.quick("try", "purse:@a", "put", "amount=4", "--entities", "nowhere", "--json")
    assert (missing.status, missing.error["code"]) == (6, "config_error")


def test_people_see_events_state_and_effects(pachyderm: Command) -> None:
    """Without --json it reads as a send's result, in the conditional."""
    sent = pachyderm.quick("send", "purse:@a", "put", "amount=1", "--json").done().document
    shown = lines(pachyderm("try", "purse:@a", "remember", "to=purse:@a").done().out)
    identifier = sent["entity"]["id"]
    assert shown[:2] == [f"purse:{identifier} would be at version 2, decided at 1", "     2  Remembered {}"]
    assert shown[2].startswith('  state     {"balance":"1"')
    assert shown[3:] == [
        '  effect    Tell {"whom":"purse:@a"}',
        f'  effect    Send Put {{"amount":"1"}} to purse:{identifier}',
        f'  effect    Timer tomorrow Put {{"amount":"1"}} to purse:{identifier} after 1 day, 0:00:00',
    ]
    (nothing, _) = lines(pachyderm.quick("try", "box:new", "look").done().out)
    assert nothing.endswith(" would be at version 0, decided at 0 (no events)")


@pytest.mark.parametrize(
    ("arguments", "status", "code", "told"),
    [
        (("put", "amount=13"), 5, "rejected", "thirteen is unlucky"),
        (("putt",), 2, "unknown_message", "did you mean put?"),
        (("put",), 2, "invalid_message", "Put.amount"),
        (("put", "amount=x"), 2, "invalid_message", "valid decimal"),
        (("put", "--data", "{"), 2, "invalid_message", "JSON"),
        (("put", "amount=1", "--at-version", "9"), 3, "not_found", "it has 0 to 3"),
        (("put", "amount=1", "--at-version", "-1"), 2, "usage", "--at-version"),
    ],
)
def test_what_comes_to_nothing_is_told_as_by_send(
    moved: Command, arguments: tuple[str, ...], status: int, code: str, told: str
) -> None:
    """A rejection has exit status 5; what could not be sent has the status that `send` has for it."""
    result = moved.quick("try", "purse:@a", *arguments, "--json")
    assert (result.status, result.out, result.error["code"]) == (status, "", code)
    assert told in result.error["message"]


def test_a_fault_of_the_entity_is_told_with_its_file(pachyderm: Command) -> None:
    """What breaks in the entity's code has exit status 1, and names the line."""
    result = pachyderm.quick("try", "box:new", "crash", "where=handle", "--json")
    assert (result.status, result.error["code"]) == (1, "entity_failed")
    assert result.error["file"].endswith("box.py")


def test_data_may_be_given_whole(pachyderm: Command) -> None:
    """`--data` gives the message as JSON, from standard input as well."""
    tried = pachyderm.quick("try", "purse:new", "put", "--data", "-", "--json", stdin='{"amount": "1.50"}').done()
    assert tried.document["state"]["balance"] == "1.50"
