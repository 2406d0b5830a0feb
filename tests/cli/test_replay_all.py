"""`pachyderm replay --all`: every entity folded with the code here, as a check before a deploy."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import update

from pachyderm_cli.domain.reference import named_id
from pachyderm_cli.store.schema import events
from tests.cli.running import Command, lines
from tests.support.raw import execute

pytestmark = pytest.mark.usefixtures("time_lab")

REDUCER = "state.balance + amount"


@pytest.fixture
def moved(on_store: Command) -> Command:
    """Return the command on a store whose purses `@a` and `@b` were put 1 and 2 in, and whose counter was counted."""
    for reference in ("purse:@a", "purse:@b"):
        for amount in "12":
            on_store.quick("send", reference, "put", f"amount={amount}").done()
    on_store.quick("send", "counter:@c", "increment").done()
    return on_store


def changed(folder: Path, old: str, new: str) -> None:
    """Change a text in the purse's module in that folder."""
    file = folder / "purse.py"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def branch(command: Command) -> Path:
    """Return a copy of the project's modules."""
    folder = command.folder / "branch"
    shutil.copytree(command.folder / "entities", folder)
    return folder


def test_what_comes_out_as_before_passes(moved: Command) -> None:
    """Where nothing differs there is no output, a note for people alone, and exit status 0; nothing is written."""
    moved.quick("snapshot", "--all").done()
    before = moved.log()
    result = moved("replay", "--all").done()
    assert (result.out, result.err) == ("", "3 entities replayed, and none comes out otherwise than before\n")
    as_json = moved.quick("replay", "--all", "--json").done()
    assert (as_json.out, as_json.err) == ("", "")
    assert moved.quick("replay", "--all", "--entities", "entities", "--jobs", "2").done().out == ""
    assert moved.log() == before


def test_a_changed_reducer_is_found_by_the_snapshots(moved: Command) -> None:
    """Each entity whose state differs from its snapshot is an object with version, event and error; exit status 9."""
    moved.quick("snapshot", "purse:@a").done()
    changed(moved.folder / "entities", REDUCER, "state.balance - amount")
    result = moved("replay", "--all", "--json")
    assert (result.status, result.error["code"], result.error["diverged"]) == (9, "check_failed", 1)
    found = result.document
    assert list(found) == ["entity", "version", "event", "error"]
    assert found["entity"] == {"type": "purse", "id": str(named_id("default", "purse", "a"))}
    assert (found["version"], found["event"]) == (2, "Moved")
    assert 'state.balance is "-3", and was "3"' in found["error"]


def test_a_changed_reducer_is_found_by_the_other_code(moved: Command) -> None:
    """With --entities the first version is told at which the two codes differ, without any snapshot."""
    other = branch(moved)
    changed(other, REDUCER, "state.balance + min(amount, 1)")
    for jobs in ("1", "2"):
        result = moved("replay", "--all", "--entities", other, "--jobs", jobs, "--json")
        assert (result.status, result.error["diverged"]) == (9, 2)
        assert {each["entity"]["type"] for each in result.documents} == {"purse"}
        assert {(each["version"], each["event"]) for each in result.documents} == {(2, "Moved")}


def test_an_event_whose_class_is_gone_is_found(moved: Command, store_url: str) -> None:
    """A stored event that the code has no class for is told with entity, version, type and the nearest class."""
    old = events.c.entity_id == str(named_id("default", "purse", "a"))
    execute(store_url, update(events).where(old, events.c.version == 2).values(type="Move"))
    result = moved.quick("replay", "--all", "--json")
    assert result.status == 9
    assert (result.document["version"], result.document["event"]) == (2, "Move")
    assert "Moved" in result.document["error"]


def test_former_names_and_older_versions_are_read(moved: Command, store_url: str) -> None:
    """What a class reads by its aliases and its upcast comes out well, and is not written back."""
    stored = {"type": "Filled", "data": '{"cents": 150}', "type_version": 1}
    execute(store_url, update(events).where(events.c.version == 2, events.c.type == "Moved").values(**stored))
    assert moved.quick("replay", "--all").done().out == ""
    assert moved.quick("replay", "purse:@a", "--json").done().document["state"]["balance"] == "2.5"
    kept = moved.quick("history", "purse:@a", "--from", "2", "--json").done().document
    assert (kept["type"], kept["data"], kept["type_version"]) == ("Filled", {"cents": 150}, 1)
    changed(moved.folder / "entities", '"Filled", ', "")
    assert moved.quick("replay", "--all").status == 9


def test_people_see_a_line_for_each(pachyderm: Command) -> None:
    """Without --json an entity that comes out otherwise is a line, and their number is the error."""
    pachyderm.quick("send", "purse:@a", "put", "amount=1").done()
    pachyderm.quick("snapshot", "--all").done()
    changed(pachyderm.folder / "entities", REDUCER, "amount * 2")
    result = pachyderm("replay", "--all")
    assert result.status == 9
    (line,) = lines(result.out)
    assert line.startswith(f"✗ purse:{named_id('default', 'purse', 'a')} at version 1 (Moved): differs from ")
    assert result.err == "error: 1 of 1 entity comes out otherwise than before\n"


def test_a_type_may_be_chosen(moved: Command) -> None:
    """`--type` replays the entities of one type."""
    result = moved.quick("replay", "--all", "--type", "counter").done()
    assert result.err == "1 entity replayed, and none comes out otherwise than before\n"
    nothing = moved.quick("replay", "--all", "--type", "no_start").done()
    assert nothing.err == "no entities of the type 'no_start' in the network 'default'\n"
    misspelt = moved.quick("replay", "--all", "--type", "countr")
    assert (misspelt.status, "did you mean counter?" in misspelt.err) == (2, True)


def test_a_module_that_is_gone_is_found(moved: Command) -> None:
    """An entity whose type has no module is one that cannot be folded any more."""
    (moved.folder / "entities" / "counter.py").unlink()
    result = moved.quick("replay", "--all", "--json")
    assert (result.status, result.document["entity"]["type"]) == (9, "counter")
    assert result.document["version"] is None
    assert "counter" in result.document["error"]


def test_a_terminal_sees_the_progress_and_then_what_was_found(pachyderm: Command) -> None:
    """On a terminal the bar is gone when the entities that differ are shown, each on a line of its own."""
    for name in "ab":
        pachyderm.quick("send", f"purse:@{name}", "put", "amount=1").done()
    pachyderm.quick("snapshot", "--all").done()
    changed(pachyderm.folder / "entities", REDUCER, "amount * 2")
    shown = pachyderm.on_terminal("replay", "--all")
    assert "replaying" in shown
    assert shown.rindex("replaying") < shown.index("✗")
    assert "replaying" not in pachyderm.on_terminal("replay", "--all", NO_COLOR="1")


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        (("counter:@c",), 2, "usage"),
        (("--steps",), 2, "usage"),
        (("--to-version", "1"), 2, "usage"),
        (("--at", "2026-01-31"), 2, "usage"),
        (("--jobs", "0"), 2, "usage"),
        (("--type", "no type"), 2, "usage"),
        (("--entities", "nowhere"), 6, "config_error"),
    ],
)
def test_what_makes_no_sense_is_told(pachyderm: Command, arguments: tuple[str, ...], status: int, code: str) -> None:
    """A reference, a version, a time or steps do not go with --all; a folder has to be there."""
    result = pachyderm.quick("replay", "--all", *arguments, "--json")
    assert (result.status, result.out, result.error["code"]) == (status, "", code)


@pytest.mark.parametrize("option", [("--type", "counter"), ("--jobs", "2")])
def test_its_options_go_with_all(pachyderm: Command, option: tuple[str, str]) -> None:
    """--type and --jobs without --all are usage errors."""
    result = pachyderm.quick("replay", "counter:@c", *option, "--json")
    assert (result.status, result.error["message"]) == (2, "--type and --jobs go with --all")
