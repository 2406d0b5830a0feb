"""`pachyderm diff`: two states side by side."""

import json
from pathlib import Path

import pytest
from jsonpatch import apply_patch

from tests.cli.running import Command, lines

pytestmark = pytest.mark.usefixtures("time_lab")


@pytest.fixture
def moved(on_store: Command) -> Command:
    """Return the command on a store whose purse `@a` was put 1, 2, 3 and 4 in, and `@b` 1."""
    for reference, amount in (*(("purse:@a", amount) for amount in "1234"), ("purse:@b", "1")):
        on_store.quick("send", reference, "put", f"amount={amount}").done()
    return on_store


def test_two_versions_are_a_patch_beside_the_two_states(moved: Command) -> None:
    """`diff REF A B --json` has both states, as replay has them, and the JSON Patch that leads from left to right."""
    for left, right in (("1", "4"), ("4", "1"), ("0", "2"), ("3", "3")):
        found = moved.quick("diff", "purse:@a", left, right, "--json").done().document
        assert list(found) == ["left", "right", "changes"]
        for side, version in (("left", left), ("right", right)):
            replayed = moved.quick("replay", "purse:@a", "--to-version", version, "--json").done().document
            assert found[side] == replayed
        assert apply_patch(found["left"]["state"], found["changes"]) == found["right"]["state"]
        assert (found["changes"] == []) == (left == right)
    assert moved("diff", "purse:@a", "3", "3", "--json").done().document == found


def test_two_entities_are_compared_as_they_are_now(moved: Command) -> None:
    """`diff REF1 REF2` compares the newest states of two entities."""
    found = moved("diff", "purse:@a", "purse:@b", "--json").done().document
    for side, reference in (("left", "purse:@a"), ("right", "purse:@b")):
        assert found[side] == moved.quick("replay", reference, "--json").document
    assert apply_patch(found["left"]["state"], found["changes"]) == found["right"]["state"]


def test_people_see_what_goes_and_what_comes(moved: Command) -> None:
    """Without --json each change is a line that begins with - or +, below the two entities with their versions."""
    shown = lines(moved("diff", "purse:@a", "2", "4").done().out)
    identifier = moved.quick("inspect", "purse:@a", "--json").document["entity"]["id"]
    assert shown[:2] == [f"- purse:{identifier} at version 2", f"+ purse:{identifier} at version 4"]
    assert [line.strip() for line in shown[2:4]] == ['- /balance "3"', '+ /balance "10"']
    same = lines(moved.quick("diff", "purse:@a", "2", "2").done().out)
    assert same[2:] == ["  the states are the same"]


def test_a_removed_item_is_shown_as_what_it_was(moved: Command) -> None:
    """Where a change moves the items of a list, those after it are told by what then stands there."""
    shown = lines(moved.quick("diff", "purse:@a", "3", "1").done().out)
    gone = [json.loads(line.split()[-1]) for line in shown if line.strip().startswith("- /moves")]
    assert sorted(gone) == ["2", "3"]


def test_changes_are_coloured_on_a_terminal_alone(pachyderm: Command) -> None:
    """On a terminal what goes is red and what comes is green, unless NO_COLOR is set; piped it is plain."""
    for _ in range(2):
        pachyderm.quick("send", "counter:@a", "increment").done()
    shown = pachyderm.on_terminal("diff", "counter:@a", "1", "2")
    assert "\x1b[31m- /count 1\x1b[0m" in shown
    assert "\x1b[32m+ /count 2\x1b[0m" in shown
    assert "\x1b[" not in pachyderm.on_terminal("diff", "counter:@a", "1", "2", NO_COLOR="1")
    assert "\x1b[" not in pachyderm("diff", "counter:@a", "1", "2").done().out


@pytest.mark.parametrize(
    ("arguments", "status", "code", "told"),
    [
        (("purse:@a", "1", "9"), 3, "not_found", "it has 0 to 4"),
        (("purse:@a", "purse:@nobody"), 3, "not_found", "nobody"),
        (("purse:@a", "3"), 2, "usage", "diff REF 3 7"),
        (("purse:@a", "one", "3"), 2, "usage", "'one' is no version"),
        (("purse:@a", "1", "purse:@b"), 2, "usage", "'purse:@b' is no version"),
        (("purse:@a",), 2, "usage", "diff --help"),
    ],
)
def test_what_cannot_be_compared_is_told(
    moved: Command, arguments: tuple[str, ...], status: int, code: str, told: str
) -> None:
    """A version or entity that is not there is not found; one version alone is a usage error that shows the forms."""
    result = moved.quick("diff", *arguments, "--json")
    assert (result.status, result.out, result.error["code"]) == (status, "", code)
    assert told in result.error["message"]


def test_nothing_is_written(pachyderm: Command) -> None:
    """Comparing leaves the store's file as it is."""
    pachyderm.quick("send", "purse:@a", "put", "amount=1").done()
    before = _content(pachyderm.folder)
    pachyderm("diff", "purse:@a", "0", "1").done()
    assert _content(pachyderm.folder) == before


def _content(folder: Path) -> bytes:
    return (folder / "pachyderm.db").read_bytes()
