"""The zoo: every faulty module is caught by the property that it breaks, and nothing is found in a sound one.

Each module is checked on one seed; with PACHYDERM_ZOO=all in the environment on ten.
"""

import os
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pachyderm_cli.checks.check import EXAMPLES, Wish, check
from pachyderm_cli.checks.findings import Property, Report
from pachyderm_cli.engine.loader import FolderEntityTypes
from pachyderm_cli.testing import hold
from tests.checks.zoo.expected import FAULTY, SOUND

ZOO = Path(__file__).parent / "zoo"
SEEDS = range(10)

READINGS = [("Report", '{"reading":40}'), ("Report", '{"reading":39}'), ("Exchange", "{}"), ("Report", '{"reading":7}')]
"""What a sound module, the water meter, takes."""


def cases(names: Collection[str]) -> list[tuple[str, int]]:
    """Return each module's name with the seeds that it is checked on."""
    if os.environ.get("PACHYDERM_ZOO") == "all":
        return [(name, seed) for name in names for seed in SEEDS]
    return [(name, index % len(SEEDS)) for index, name in enumerate(names)]


def checked(folder: Path, name: str, seed: int) -> Report:
    """Check a module within the default budget."""
    with closing(FolderEntityTypes(folder)) as types:
        return check(types.get(name), Wish(EXAMPLES, seed), folder=folder)


def messages_that_break(wanted: Property, report: Report) -> list[tuple[Any, ...]] | None:
    """Return the messages of a counterexample; None if the source alone has told."""
    found = (one.steps for one in report.counterexamples if one.fault.property is wanted)
    steps = next(found, None)
    return None if steps is None else [tuple(step) for step in steps]


@pytest.mark.parametrize(("name", "seed"), cases(FAULTY))
def test_a_faulty_module_is_caught(name: str, seed: int) -> None:
    """The property that it breaks is named, and its counterexample breaks it again when it is held against it."""
    broken = Property(FAULTY[name])
    report = checked(ZOO / "faulty", name, seed)
    assert broken in report.failed(), report
    messages = messages_that_break(broken, report)
    if messages is not None:
        with pytest.raises(AssertionError):
            hold(ZOO / "faulty" / f"{name}.py", broken, messages)


@pytest.mark.parametrize(("name", "seed"), cases(SOUND))
def test_nothing_is_found_in_a_sound_module(name: str, seed: int) -> None:
    """No property fails, and the source gives rise to no remark, not even to a hint."""
    report = checked(ZOO / "sound", name, seed)
    assert (report.failed(), report.counterexamples, report.remarks) == (set(), [], [])


@pytest.mark.parametrize("kept", [Property.TOTAL, Property.INVARIANT])
def test_a_sound_module_holds(kept: Property, capfd: pytest.CaptureFixture[str]) -> None:
    """A sequence that a module keeps every property on can be held against it without a word."""
    hold(ZOO / "sound" / "water_meter.py", kept, READINGS)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("kind", "names", "least"), [("faulty", FAULTY, 25), ("sound", SOUND, 10)])
def test_every_module_is_expected(kind: str, names: Collection[str], least: int) -> None:
    """What is expected are the modules that are there, each once, and there are enough of both."""
    assert sorted(names) == sorted(file.stem for file in (ZOO / kind).glob("*.py"))
    assert len(names) >= least
