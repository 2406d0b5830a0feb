"""Entity modules that cannot be loaded: each told with file and line; what needs no module works all the same."""

import json

import pytest

from tests.cli.running import Command

GOOD = """from pachyderm_cli import Event, Message

class Go(Message):
    pass

class Went(Event):
    pass

def handle(message: Go, state: int) -> list[Went]:
    return [Went()]

def update(event: Went, state: int | None) -> int:
    return (state or 0) + 1
"""

BROKEN = {
    "syntax error": ("def f(:\n" + GOOD, 1, "syntax error"),
    "import error": (GOOD + "\nimport no_such_module\n", 15, "No module named 'no_such_module'"),
    "failing code": (GOOD + "\n1 / 0\n", 15, "ZeroDivisionError: division by zero"),
    "leaving": (GOOD + "\nraise SystemExit(0)\n", 15, "SystemExit"),
    "no handle": (GOOD.replace("def handle", "def handles"), 1, "has no handle"),
    "no update": (GOOD.replace("def update", "def updates"), 1, "has no update"),
    "no annotation": (GOOD.replace("message: Go", "message"), 9, "handle lacks the annotation of 'message'"),
    "no message": (GOOD.replace("message: Go", "message: int"), 9, "handle takes int, which is no Message"),
    "no event": (GOOD.replace("event: Went", "event: Go"), 12, "update takes Go, which is no Event"),
    "too few parameters": (GOOD.replace(", state: int)", ")"), 9, "handle takes 1 parameters"),
    "async": (GOOD.replace("def handle", "async def handle"), 9, "handle is async"),
    "no state": (GOOD.replace(" -> int:", ":"), 12, "update lacks the annotation of what it returns"),
    "event left out": (
        GOOD.replace("class Went", "class Came(Event):\n    pass\n\nclass Went").replace(
            "list[Went]", "list[Went | Came]"
        ),
        15,
        "update lacks the event Came",
    ),
    "unknown name": (GOOD.replace("message: Go", "message: Gone"), 9, "Gone"),
    "no text": ("\udcff", 1, "syntax error"),
}


@pytest.mark.parametrize(("source", "line", "problem"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_module_is_told_with_file_and_line(pachyderm: Command, source: str, line: int, problem: str) -> None:
    """Sending to a type whose module is broken ends with 6, names file and line, and writes nothing."""
    file = pachyderm.folder / "entities/broken.py"
    file.write_bytes(source.encode("utf-8", "surrogateescape"))
    result = pachyderm.quick("send", "broken:new", "go", "--json")
    assert (result.status, result.out, result.error["code"]) == (6, "", "entity_load_error")
    assert (result.error["file"], result.error["line"]) == (str(file), line)
    assert result.error["message"].startswith(f"{file}:{line}: ")
    assert problem in result.error["message"]
    assert not (pachyderm.folder / "pachyderm.db").exists()


def test_history_and_list_need_no_module(on_store: Command) -> None:
    """What was written can be looked at when no module can be loaded any more."""
    on_store.quick("send", "counter:@a", "increment").done()
    on_store.quick("snapshot", "counter:@a").done()
    before = on_store.log()
    for file in (on_store.folder / "entities").glob("*.py"):
        file.write_text("syntax error", encoding="utf-8")
    assert on_store("history", "counter:@a", "--json").done().documents == before[0][1]
    assert on_store("list", "--json").done().documents == [before[0][0]]
    assert len(on_store.quick("snapshot", "counter:@a", "--list", "--json").done().documents) == 1
    assert on_store.quick("snapshot", "--all", "--drop", "--json").done().document == {"dropped": 1}
    for command in ("inspect", "replay", "snapshot"):
        result = on_store.quick(command, "counter:@a", "--json")
        assert (result.status, result.error["code"]) == (6, "entity_load_error")


def test_one_broken_module_does_not_hide_the_others(pachyderm: Command) -> None:
    """`describe` shows every type, tells what is wrong with the broken one, and ends with its status."""
    (pachyderm.folder / "entities/broken.py").write_text("def f(:\n", encoding="utf-8")
    as_json = pachyderm("describe", "--json")
    assert as_json.status == 6
    told = {summary["type"]: summary["error"] for summary in as_json.documents}
    assert [name for name, error in told.items() if error] == ["broken"]
    assert set(told) == {"box", "broken", "counter", "no_start"}
    assert as_json.error["message"] == told["broken"]
    assert "broken  cannot be loaded: " in pachyderm.quick("describe").out
    pachyderm.quick("send", "counter:new", "increment").done()


def test_an_event_that_the_module_can_no_longer_read_is_named(on_store: Command) -> None:
    """Where a module lacks a stored event, the entity fails by name, with 1, and all else goes on."""
    on_store.quick("send", "counter:@a", "increment").done()
    on_store.quick("send", "box:@b", "ring").done()
    before = on_store.log()
    file = on_store.folder / "entities/counter.py"
    file.write_text(file.read_text(encoding="utf-8").replace("Increased", "WentUp"), encoding="utf-8")
    for arguments in (("send", "counter:@a", "increment"), ("replay", "counter:@a"), ("inspect", "counter:@a")):
        result = on_store.quick(*arguments, "--json")
        assert (result.status, result.error["code"]) == (1, "entity_failed")
        assert "cannot read the event Increased at version 1" in result.error["message"]
        assert result.error["file"] == str(file)
    on_store.quick("inspect", "box:@b").done()
    assert on_store.log() == before


CHECKED = """    number: Annotated[int, AfterValidator(lambda number: 6 // number and number)] = 1
    other: int = 1

    @field_validator("other")
    @classmethod
    def check(cls, value: int) -> int:
        return 6 // value and value
"""


@pytest.mark.parametrize(
    "data", [("number=0",), ("other=0",), ("--data", '{"number": 0}'), ("--data", '{"other": 0}')], ids=" ".join
)
def test_a_fault_in_a_messages_own_validator_is_the_entitys(pachyderm: Command, data: tuple[str, ...]) -> None:
    """An exception out of a validator of the project's is told as the module's, with file and line."""
    file = pachyderm.folder / "entities/checked.py"
    imports = "from typing import Annotated\nfrom pydantic import AfterValidator, field_validator\n"
    file.write_text(imports + GOOD.replace("    pass\n", CHECKED, 1), encoding="utf-8")
    result = pachyderm.quick("send", "checked:new", "go", *data, "--json")
    assert (result.status, result.out, result.error["code"]) == (1, "", "entity_failed")
    assert result.error["file"] == str(file)
    assert "ZeroDivisionError" in result.error["message"]
    assert pachyderm.quick("send", "checked:new", "go", "number=2", "--json").done().document["version"] == 1


def test_an_event_that_its_own_validator_stumbles_over_is_named(pachyderm: Command) -> None:
    """An exception out of a stored event's validator is told as the module's, with the version."""
    pachyderm.quick("send", "counter:@a", "increment").done()
    file = pachyderm.folder / "entities/counter.py"
    source = file.read_text(encoding="utf-8").replace("import BaseModel", "import model_validator, BaseModel")
    check = '    @model_validator(mode="before")\n    def check(cls, data):\n        return data["gone"]\n\n'
    file.write_text(source.replace("    amount: PositiveInt\n", check + "    amount: PositiveInt\n"), encoding="utf-8")
    result = pachyderm.quick("replay", "counter:@a", "--json")
    assert (result.status, result.error["code"], result.error["file"]) == (1, "entity_failed", str(file))
    assert "the event Increased at version 1 failed at " in result.error["message"]


def test_another_module_may_take_an_entity_over(on_store: Command) -> None:
    """A second module that reads the same events goes on with the history, and is then the type."""
    sent = on_store.quick("send", "counter:new", "increment", "--json").done().document
    identifier = sent["entity"]["id"]
    source = (on_store.folder / "entities/counter.py").read_text(encoding="utf-8")
    (on_store.folder / "entities/tally.py").write_text(source, encoding="utf-8")
    sent = on_store.quick("send", f"tally:{identifier}", "increment", "--json").done().document
    assert (sent["version"], sent["state"]) == (2, {"count": 2})
    assert [head["entity"]["type"] for head in on_store.quick("list", "--json").documents] == ["tally"]
    events = on_store.quick("history", identifier, "--json").documents
    assert [event["entity"]["type"] for event in events] == ["counter", "tally"]


def test_modules_in_folders_are_types_with_dots(pachyderm: Command) -> None:
    """entities/billing/invoice.py is the type billing.invoice."""
    folder = pachyderm.folder / "entities/billing"
    folder.mkdir()
    (folder / "invoice.py").write_text(GOOD, encoding="utf-8")
    sent = pachyderm("send", "billing.invoice:@x", "go", "--json").done().document
    assert sent["entity"]["type"] == "billing.invoice"
    described = pachyderm.quick("describe", "billing.invoice", "--json").done().document
    assert json.loads(json.dumps(described["messages"])).keys() == {"Go"}
