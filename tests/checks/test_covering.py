"""Whether the branches of `handle` and `update` take every class, told from the source alone."""

from pathlib import Path

import pytest

from pachyderm_cli.checks.findings import Property, Remark
from pachyderm_cli.checks.reading import remarks_on
from tests.support.modules import line_of, load

CLASSES = """\
import json
from collections.abc import Iterator

from pachyderm_cli import Event, Message


class Open(Message):
    pass


class Close(Message):
    pass


class Opened(Event):
    way: int = 0


class OpenedWide(Opened):
    pass


class Closed(Event):
    pass


def init() -> int:
    return 0
"""
HANDLE = """
def handle(message: Open | Close, state: int) -> Iterator[Opened | OpenedWide | Closed]:
    yield Opened()
"""


def read(tmp_path: Path, body: str) -> list[Remark]:
    """Return the remarks on an `update` with that body."""
    lines = "\n".join(f"    {line}" for line in body.strip("\n").split("\n"))
    head = "def update(event: Opened | OpenedWide | Closed, state: int) -> int:"
    return remarks_on(load(tmp_path, f"{CLASSES}{HANDLE}\n\n{head}\n{lines}\n"))


def test_a_class_without_a_case_is_a_fault(tmp_path: Path) -> None:
    """An update that ends with a match has to have a case for each event of its annotation."""
    (remark,) = read(tmp_path, "match event:\n    case Opened():\n        return 1")
    assert (remark.property, remark.certain) == (Property.TOTAL, True)
    assert remark.problem == "update has no case for Closed, which its annotation names"
    assert remark.line == line_of((tmp_path / "entities" / "entity.py").read_text(), "match event")


WHOLE = {
    "each by its class": """
match event:
    case OpenedWide():
        return 1
    case Opened():
        return 1
    case Closed():
        return 0
""",
    "alternatives": """
match event:
    case Opened() | Closed():
        return 1
""",
    "what it has": """
match event:
    case Opened(way=way):
        return way
    case Closed() as closed:
        return 0
""",
    "a wildcard": """
match event:
    case Opened(way=3):
        return 1
    case _:
        return 0
""",
    "a name": """
match event:
    case Closed():
        return 1
    case other:
        return 0
""",
    "a guard, and then all": """
match event:
    case Opened() if state > 3:
        return 1
    case Opened() | Closed():
        return 0
""",
    "asked before": """
if isinstance(event, Closed):
    return 0
match event:
    case Opened():
        return 1
""",
    "one of several": """
if isinstance(event, OpenedWide):
    return 0
if isinstance(event, (Opened, Closed)):
    return 1
""",
    "a chain": """
if isinstance(event, OpenedWide):
    return 0
elif isinstance(event, Opened | Closed):
    return 1
else:
    raise TypeError
""",
    "asked by its type": """
if type(event) is Closed:
    return 0
match event:
    case Opened():
        return 1
""",
    "another event": """
event = Closed() if isinstance(event, Opened) else event
match event:
    case Closed():
        return 0
""",
    "an alternative again": """
match event:
    case Opened():
        return 1
    case OpenedWide() | Closed():
        return 0
""",
    "a function of its own": """
def of(event: int) -> int:
    match event:
        case 1:
            return 2
    return 0
return of(1)
""",
    "another subject": """
match state:
    case 3:
        return 1
return 0
""",
    "a class that cannot be told": """
match event:
    case json.Decoder():
        return 1
    case Opened() | Closed():
        return 0
""",
}


@pytest.mark.parametrize("style", WHOLE)
def test_what_takes_every_class_passes(tmp_path: Path, style: str) -> None:
    """However it is written, there is no remark on what takes them all, each in its own branch."""
    assert read(tmp_path, WHOLE[style]) == []


HINTS = {
    "the match is not the end": (
        "match event:\n    case Opened():\n        state = 1\nreturn state",
        "update has no case for Closed, which its annotation names",
    ),
    "a return before": (
        "if state:\n    return 0\nmatch event:\n    case Opened():\n        return 1",
        "update has no case for Closed, which its annotation names",
    ),
    "a guard": (
        "match event:\n    case Opened():\n        return 1\n    case Closed() if state:\n        return 0",
        "update has no case for not every Closed, which its annotation names",
    ),
    "a value": (
        "match event:\n    case Opened(way=1):\n        return 1\n    case OpenedWide() | Closed():\n        return 0",
        "update has no case for not every Opened, which its annotation names",
    ),
}


@pytest.mark.parametrize("style", HINTS)
def test_what_may_take_it_is_a_hint(tmp_path: Path, style: str) -> None:
    """Where the code goes on after the match, or takes some instances of a class, it may be right all the same."""
    body, said = HINTS[style]
    (remark,) = read(tmp_path, body)
    assert (remark.property, remark.certain, remark.problem) == (Property.TOTAL, False, said)


def test_what_was_taken_has_a_branch_somewhere(tmp_path: Path) -> None:
    """An event that was folded when it came is no gap, however the function looks; nor is None where a state may be."""
    update = "def update(event: Opened | Closed, state: {0}) -> {0}:\n    match event:\n        case Opened():\n"
    source = f"{CLASSES}{HANDLE}\n\n{update}            return {{1}}\n".replace("OpenedWide | ", "")
    entity_type = load(tmp_path / "one", source.format("int", "1"))
    assert len(remarks_on(entity_type)) == 1
    assert remarks_on(entity_type, {"Closed"}) == []
    nothing = source.replace("def init() -> int:\n    return 0\n", "")
    assert remarks_on(load(tmp_path / "two", nothing.format("None", "None"))) == []


def test_parameters_may_be_positional_only(tmp_path: Path) -> None:
    """A function whose parameters have a position alone is read like any other."""
    update = "def update(event: Opened | OpenedWide | Closed, state: int, /) -> int:\n    match event:\n"
    source = f"{CLASSES}{HANDLE}\n\n{update}        case Opened():\n            return 1\n"
    (remark,) = remarks_on(load(tmp_path, source))
    assert remark.problem == "update has no case for Closed, which its annotation names"


def test_a_handle_may_leave_a_message_without_an_answer(tmp_path: Path) -> None:
    """A handle that does nothing for a message answers it, so that a missing case is a hint."""
    handle = HANDLE.replace(
        "    yield Opened()", "    match message:\n        case Open():\n            yield Opened()"
    )
    update = "def update(event: Opened | OpenedWide | Closed, state: int) -> int:\n    return 1\n"
    (remark,) = remarks_on(load(tmp_path, f"{CLASSES}{handle}\n\n{update}"))
    assert (remark.property, remark.certain) == (Property.TOTAL, False)
    assert remark.problem == "handle has no case for Close, which its annotation names"


SHADOWED = {
    "a case": (
        """
match event:
    case Opened():
        return 1
    case OpenedWide():
        return 2
    case Closed():
        return 0
""",
        "case OpenedWide()",
    ),
    "an alternative": (
        """
match event:
    case Opened():
        return 1
    case OpenedWide(way=3) | Opened(way=4):
        return 2
    case Closed():
        return 3
""",
        "case OpenedWide(way=3) | Opened(way=4)",
    ),
    "below a wildcard": (
        """
match event:
    case Opened() if state:
        return 1
    case _ if True:
        return 3
    case Opened() | Closed():
        return 2
    case OpenedWide():
        return 4
""",
        "case OpenedWide()",
    ),
    "a branch of a chain": (
        """
if isinstance(event, Opened):
    return 1
elif isinstance(event, OpenedWide):
    return 2
return 0
""",
        "the branch `isinstance(event, OpenedWide)`",
    ),
    "a branch after several": (
        """
if isinstance(event, (Closed, Opened)):
    return 1
elif state > 2:
    return 3
elif isinstance(event, Closed):
    return 2
return 0
""",
        "the branch `isinstance(event, Closed)`",
    ),
}


@pytest.mark.parametrize("style", SHADOWED)
def test_a_branch_that_stands_below_a_wider_one_is_a_fault(tmp_path: Path, style: str) -> None:
    """What is never reached because what stands above takes everything is certain, and told with its line."""
    body, head = SHADOWED[style]
    (remark,) = read(tmp_path, body)
    assert (remark.property, remark.certain) == (Property.REACHABLE, True)
    assert remark.problem.startswith(f"{head} is never reached: what stands above takes every ")
    text = (tmp_path / "entities" / "entity.py").read_text().split("\n")
    assert head.removeprefix("the branch ").strip("`") in text[remark.line - 1]
