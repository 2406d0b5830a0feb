"""Malformed references: each told, by every command that takes one."""

import pytest

from tests.cli.running import Command

UUID = "0190f5fc-0000-7000-8000-000000000001"
MALFORMED = [
    "",
    ":",
    "box:",
    ":new",
    f":{UUID}",
    "box::new",
    "box:new:new",
    "1box:@a",
    "bo x:@a",
    "../box:@a",
    "box/x:@a",
    ".box:@a",
    "box.:@a",
    "bo-x:@a",
    "böx:@a",
    "box\n:@a",
    "@a",
    "new",
    "box:@",
    "box:@a\nb",
    "box:@a\x00b",
    "box:@\x1b[2J",
    "box:@\udcff",
    "abc",
    "box:abc",
    "box:xyzw",
    "box:NEW",
    "box:abcd-",
    "box:abcd0-000",
    "box:-abcd",
    f"box:{UUID}0",
    f"box:{UUID}-",
    f"box:{UUID[:-1]}g",
    f"box:{{{UUID}}}",
    f"box: {UUID}",
    f"box:urn:uuid:{UUID}",
    "box:\uff41\uff42\uff43\uff44",  # full-width letters
    "box:" + "a" * 10_000,
    "b" * 10_000 + ":!",
]


@pytest.mark.parametrize("reference", MALFORMED, ids=lambda reference: ascii(reference[:40]))
@pytest.mark.parametrize("command", ["send", "history", "inspect", "replay", "snapshot"])
def test_a_malformed_reference_is_told(pachyderm: Command, command: str, reference: str) -> None:
    """A malformed reference ends with 2 and one short line that shows it harmlessly, and nothing is written."""
    arguments = (command, "--json", "--", reference, *(["ring"] if command == "send" else []))
    result = pachyderm.quick(*arguments)
    assert (result.status, result.out, result.error["code"]) == (2, "", "invalid_reference")
    message = result.error["message"]
    assert len(message) < 400
    assert message.isprintable()
    assert not (pachyderm.folder / "pachyderm.db").exists()


@pytest.mark.parametrize("command", ["history", "inspect", "replay", "snapshot"])
def test_new_is_for_send_alone(pachyderm: Command, command: str) -> None:
    """`TYPE:new` names no existing entity."""
    result = pachyderm.quick(command, "box:new", "--json")
    assert (result.status, result.error["code"]) == (2, "invalid_reference")
    assert "'new' goes with send only" in result.error["message"]
