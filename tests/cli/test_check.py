"""`pachyderm check`: whether entity modules keep the contract, as commands to run and a test to paste."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pachyderm_cli.checks.findings import Property
from pachyderm_cli.domain.entity import EntityType
from tests.cli.running import ROOT, Command, lines

ZOO = ROOT / "tests" / "checks" / "zoo"
MENDED = ("sum(rated) / len(rated)", "sum(rated) / len(rated) if rated else 0.0")
PROPERTIES = [str(each) for each in Property]
AT = re.compile(r"  [✓✗-] (\w+) ")
COUNTED = re.compile(r"  (\d+) examples?$")

BROKEN = "def handle(:\n"
OPAQUE = """\
from pachyderm_cli import Event, Message

class Go(Message):
    path: type[int]

class Gone(Event):
    pass

def handle(message: Go, state: int) -> list[Gone]:
    return [Gone()]

def update(event: Gone, state: int) -> int:
    return 1
"""


@pytest.fixture
def entities(project: Path) -> Path:
    """Return the project's folder of entity modules: the counter, which is sound, and the ratings, which are not."""
    folder = project / "entities"
    for name in ("box", "no_start"):
        (folder / f"{name}.py").unlink()
    shutil.copy(ZOO / "faulty" / "division_by_zero.py", folder / "ratings.py")
    return folder


def test_a_sound_type_is_told(pachyderm: Command, entities: Path) -> None:
    """Each property has a line with how many sequences were tried; no store is made, and nothing is coloured."""
    result = pachyderm("check", "counter", "--max-examples", "12").done()
    head, *told = lines(result.out)
    assert head.startswith("counter  ")
    assert [AT.match(line).group(1) for line in told] == PROPERTIES  # type: ignore[union-attr]  # each matches
    assert [line[2] for line in told] == ["✓" if name != "invariant" else "-" for name in PROPERTIES]
    counts = [found.group(1) if (found := COUNTED.search(line)) else None for line in told]
    assert counts == [None if name in ("invariant", "reachable") else "12" for name in PROPERTIES]
    assert told[PROPERTIES.index("invariant")].endswith("  the module names none")
    assert "\x1b" not in result.out + result.err
    assert result.err == ""
    assert sorted(each.name for each in pachyderm.folder.iterdir() if each.name != "__pycache__") == [
        "entities",
        "pachyderm.toml",
    ]


def test_a_counterexample_is_commands_and_a_test(pachyderm: Command, entities: Path) -> None:
    """A broken property is told with what happened, the sends, the state, and the test; the exit status is 9."""
    result = pachyderm.quick("check", "ratings", "--seed", "0")
    assert result.status == 9
    assert result.err == "error: ratings does not keep the contract (the same again: --seed 0)\n"
    told = lines(result.out)
    at = next(number for number, line in enumerate(told) if line.startswith("  ✗ total "))
    assert f"ratings.py:{line_of_fault(entities)}: ZeroDivisionError: division by zero" in told[at + 1]
    assert told[at + 2 : at + 5] == [
        "        pachyderm send ratings:@check rate stars=1",
        "        pachyderm send ratings:@check retract",
        '      before  {"stars":[1],"average":1.0}',
    ]
    assert [line for line in told if line.startswith("  ✗")] == [told[at]]
    for send in told[at + 2 : at + 4]:
        answer = pachyderm.quick(*send.split()[1:])
    assert "ZeroDivisionError" in answer.err
    assert told[at + 5] == "      as a test:"
    pasted = told[at + 6 : next(number for number in range(at + 1, len(told)) if AT.match(told[number]))]
    tests = pachyderm.folder / "test_ratings.py"
    tests.write_text("\n".join(line.removeprefix(" " * 8) for line in pasted) + "\n")
    assert "1 failed" in pytest_in(pachyderm, 1)
    module = entities / "ratings.py"
    module.write_text(module.read_text().replace(*MENDED))
    assert "1 passed" in pytest_in(pachyderm, 0)


def line_of_fault(entities: Path) -> int:
    """Return the line of the division."""
    return 1 + next(n for n, line in enumerate((entities / "ratings.py").read_text().split("\n")) if MENDED[0] in line)


def pytest_in(command: Command, status: int) -> str:
    """Run the tests of a project, which end so, and return what is said."""
    line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "."]
    environment = {**command.environment({}), "PYTHONPATH": os.pathsep.join([str(command.site), str(command.folder)])}
    done = subprocess.run(
        line, cwd=command.folder, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def test_json_has_everything(pachyderm: Command, entities: Path) -> None:
    """A document for each type; a module that cannot be checked hides no other, and its error is told beside theirs."""
    (entities / "broken.py").write_text(BROKEN)
    result = pachyderm.quick("check", "--json", "--seed", "3", "--max-examples", "60")
    assert (result.status, [each["code"] for each in result.errors]) == (9, ["entity_load_error", "check_failed"])
    assert result.errors[0]["file"].endswith("broken.py")
    assert result.errors[1]["types"] == ["ratings"]
    counter, ratings = result.documents
    keys = {"type": str, "file": str, "seed": int, "sound": bool, "properties": list, "hints": list, "notes": list}
    for each in (counter, ratings):
        assert {key: type(value) for key, value in each.items()} == keys
        assert [one["property"] for one in each["properties"]] == PROPERTIES
        assert each["seed"] == 3
    assert (counter["sound"], ratings["sound"]) == (True, False)
    assert Path(ratings["file"]).samefile(entities / "ratings.py")
    total, *others = ratings["properties"]
    assert list(total) == ["property", "holds", "examples", "counterexamples", "faults"]
    assert [one["holds"] for one in ratings["properties"]] == [False] + [True] * len(others)
    assert [one["examples"] for one in others] == [60, 60, 60, 60, None, None]
    (found,) = total["counterexamples"]
    assert [(one["message"], one["wait"]) for one in found["messages"]] == [("Rate", 0), ("Retract", 0)]
    assert found["messages"][0]["data"] in [{"stars": stars} for stars in range(1, 6)]
    assert found["line"] == line_of_fault(entities)
    assert list(found["before"]) == ["stars", "average"]
    assert found["after"] is None
    assert [type(found[key]) for key in ("problem", "file", "paths", "sends", "test")] == [str, str, list, list, str]
    compile(found["test"], "test", "exec")


def test_what_the_source_says_is_told(pachyderm: Command, entities: Path) -> None:
    """Its faults stand below their property, its hints below all, each with the line; a hint alone fails nothing."""
    shutil.copy(ZOO / "faulty" / "file_in_handle.py", entities / "guests.py")
    counter = entities / "counter.py"
    hint = "    if message.amount < 0:\n        message.read_text()\n    yield Increased"
    counter.write_text(counter.read_text().replace("    yield Increased", hint))
    result = pachyderm.quick("check", "counter", "guests", "--max-examples", "1")
    assert result.status == 9
    assert result.err.startswith("error: guests (1 of 2 entity types) does not keep the contract (")
    told = lines(result.out)
    (hinted,) = [line for line in told if line.startswith("  hint: ")]
    assert re.fullmatch(r"  hint: handle does I/O \(message\.read_text\(\)\): .*counter\.py:[0-9]+\)", hinted)
    at = next(number for number, line in enumerate(told) if line.startswith("  ✗ pure_handle "))
    assert at > told.index(hinted)
    assert re.fullmatch(r"      handle does I/O \(FORBIDDEN\..*\): .*guests\.py:[0-9]+\)", told[at + 1])


DICE = """\
from collections.abc import Iterator
from pachyderm_cli import Context, Event, Message

class Roll(Message):
    sides: int = 6

class Rolled(Event):
    eyes: int

def init() -> int:
    return 0

def handle(message: Roll, state: int, context: Context) -> Iterator[Rolled]:
    yield Rolled(eyes=context.random.randrange(100) + int(str(context.reference.id)[:2], 16))

def update(event: Rolled, state: int) -> int:
    return state + event.eyes

def invariant(state: int) -> bool:
    return state < 300
"""


def test_the_lines_draw_the_same_again(pachyderm: Command, entities: Path) -> None:
    """The sends of an entity that takes a context name their messages, on whose ids its chances depend."""
    (entities / "dice.py").write_text(DICE)
    (found,) = pachyderm.quick("check", "dice", "--json").document["properties"][5]["counterexamples"]
    for line in found["sends"]:
        if not line.startswith("#"):
            pachyderm.quick(*line.split()[1:]).done()
    assert pachyderm.quick("inspect", "dice:@check", "--json").document["state"] == found["after"]


def test_what_goes_wrong_with_one_type_hides_no_other(
    pachyderm: Command, entities: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it is that a module does, the types after it are checked, and all that went wrong is told."""
    (entities / "another.py").write_text("raise OSError('no')\n")
    (entities / "broken.py").write_text(BROKEN)
    (entities / "ratings.py").unlink()

    def hooks_of(entity_type: EntityType) -> dict[str, object]:
        if entity_type.name == "counter":
            raise AssertionError("what nobody thought of")
        return {}

    monkeypatch.setattr("pachyderm_cli.checks.check.hooks_of", hooks_of)
    (entities / "dice.py").write_text(DICE.replace("300", "3_000_000"))
    result = pachyderm.quick("check", "--max-examples", "2", "--json")
    assert result.status == 6
    assert [each["type"] for each in result.documents] == ["dice"]
    said = sorted(each["message"].rpartition(": ")[2] for each in result.errors)
    assert said == ["invalid syntax", "no", "what nobody thought of"]


def test_a_seed_repeats_a_check(pachyderm: Command, entities: Path) -> None:
    """The same seed has the same output, which names it; without one, it is another each time, and is said too."""
    first, second = (pachyderm.quick("check", "ratings", "--seed", "11", "--max-examples", "50") for _ in range(2))
    assert first == second
    assert first.err.endswith("(the same again: --seed 11)\n")
    seeds = {pachyderm.quick("check", "counter", "--max-examples", "1", "--json").document["seed"] for _ in range(2)}
    assert len(seeds) == 2


def test_another_folder_may_be_checked(pachyderm: Command, entities: Path, tmp_path: Path) -> None:
    """With --entities no project is needed; without either there is nothing to check."""
    outside = pachyderm.elsewhere(tmp_path)
    result = outside.quick("check", "counter", "--entities", entities, "--max-examples", "2").done()
    assert result.out.startswith("counter  ")
    assert outside.quick("check", "--json").error["code"] in ("config_error", "usage")
    empty = tmp_path / "empty"
    empty.mkdir()
    nothing = outside.quick("check", "--entities", empty).done()
    assert (nothing.out, nothing.err) == ("", f"there are no entity modules in {empty}\n")


def test_a_message_that_cannot_be_guessed_hides_no_other_type(pachyderm: Command, entities: Path) -> None:
    """The error names the field and the hook, and the types beside it are checked."""
    (entities / "alien.py").write_text(OPAQUE)
    (entities / "ratings.py").unlink()
    result = pachyderm.quick("check", "--max-examples", "1", "--json")
    assert (result.status, result.error["code"]) == (2, "usage")
    assert "no value of Go.path can be guessed" in result.error["message"]
    assert [each["type"] for each in result.documents] == ["counter"]


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        (("nothing",), 2, "unknown_entity_type"),
        (("counter", "--max-examples", "0"), 2, "usage"),
        (("counter", "--seed", "-1"), 2, "usage"),
        (("--entities", "nowhere"), 6, "config_error"),
    ],
)
def test_what_makes_no_sense_is_told(
    pachyderm: Command, entities: Path, arguments: tuple[str, ...], status: int, code: str
) -> None:
    """A type and a folder have to be there; numbers have to be numbers of examples and seeds."""
    result = pachyderm.quick("check", *arguments, "--json")
    assert (result.status, result.out, result.error["code"]) == (status, "", code)


def test_a_missing_hypothesis_is_told(pachyderm: Command, entities: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, the command says what to install."""
    monkeypatch.setattr("pachyderm_cli.checks.extra.find_spec", lambda _: None)
    result = pachyderm.quick("check", "counter", "--json")
    assert (result.status, result.error["code"]) == (2, "usage")
    assert "pip install 'pachyderm-cli[check]'" in result.error["message"]


def test_a_terminal_sees_the_progress_and_then_what_was_found(pachyderm: Command, entities: Path) -> None:
    """On a terminal the bar is gone when the results are shown."""
    shown = pachyderm.on_terminal("check", "counter", "--max-examples", "3")
    assert shown.rindex("checking") < shown.index("✓")
    assert "\x1b[" in shown


def test_its_help_has_an_example(pachyderm: Command) -> None:
    """`--help` shows how it is used, and what it needs."""
    text = " ".join(pachyderm.quick("check", "--help").done().out.split())
    assert "Example: pachyderm check account --max-examples 1000" in text
    assert "--seed" in text


def test_modules_of_the_current_folder_are_not_run(pachyderm: Command, tmp_path: Path) -> None:
    """The other process that a check compares with loads nothing from where the command happens to be called."""
    (tmp_path / "pydantic.py").write_text("open('run', 'w').close()\n", encoding="utf-8")
    elsewhere = pachyderm.elsewhere(tmp_path)
    elsewhere.quick("--project", pachyderm.folder, "check", "counter", "--max-examples", "1").done()
    assert not (tmp_path / "run").exists()
