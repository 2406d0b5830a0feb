"""The fingerprint of folding code: it changes when, and only when, what folds has changed."""

from pathlib import Path

import pytest

from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.engine.loader import FolderEntityTypes
from tests.support.modules import write

ENTITY = '''\
"""A tally."""

from collections.abc import Iterator
from functools import singledispatch

from pydantic import BaseModel, field_validator

from pachyderm_cli import Effect, Event, Message

import entities._dotted
from entities import _rates
from entities._limits import LIMIT, capped
from entities._star import *
from ._relative import OFFSET
from .nested import rates

STEP = 2
UNUSED = 3
TABLE = {"a": 1}
TABLE["b"] = 2


class Increment(Message):
    amount: int = 1


class Increased(Event):
    amount: int

    @field_validator("amount")
    @classmethod
    def positive(cls, amount: int) -> int:
        return abs(amount)

    def doubled(self) -> int:
        return self.amount + 0


class Alert(Effect):
    def dispatch(self, config: dict) -> None:
        print("alert")


class State(BaseModel):
    count: int = 0


def init() -> State:
    return State(count=0)


def handle(message: Increment, state: State) -> Iterator[Increased | Alert]:
    yield Increased(amount=message.amount)


def update(event: Increased, state: State) -> State:
    from entities._local import LOCAL

    added = scaled(event.amount) + OFFSET + STARRED + LOCAL + entities._dotted.DOTTED
    return State(count=capped(state.count + added + _rates.RATE + TABLE["a"], LIMIT) + described(event))


def scaled(amount: int) -> int:
    return amount * STEP


@singledispatch
def described(event: object) -> int:
    return 0


@described.register
def _(event: Increased) -> int:
    return 0


def unrelated() -> int:
    return UNUSED


FOLDS = {}


def on(kind):
    def register(function):
        FOLDS[kind] = function
        return function
    return register


@on(Increased)
def _increased(event):
    return event.amount * 0


def _set_up(registry):
    registry["x"] = 1


_done = _set_up(TABLE)
'''

OTHERS = {
    "_rates": "RATE = 1\nOTHER = base = 5\n\n\ndef rate() -> int:\n    return RATE\n",
    "_limits": "from entities._deep import FLOOR\n\nLIMIT = 100\nSPARE = 1\n\n\n"
    "def capped(count: int, limit: int) -> int:\n"
    "    return min(max(count, FLOOR), limit)\n",
    "_deep": "FLOOR = -100\n",
    "_relative": "OFFSET = 0\n",
    "_star": "STARRED = 0\n",
    "_dotted": "DOTTED = 0\n",
    "_local": "LOCAL = 0\n",
    "__init__": "SHARED = 1\n",
    "nested.rates": "NESTED = 1\n",
}


def loaded(folder: Path, modules: dict[str, str]) -> EntityType:
    """Return the tally of a project with these modules."""
    return FolderEntityTypes(write(folder, modules)).get("tally")


def fingerprint(folder: Path, module: str = "tally", replaced: str = "", by: str = "") -> str:
    """Return the fingerprint of the tally where `replaced` is another text."""
    sources = {"tally": ENTITY, **OTHERS}
    assert replaced in sources[module]
    sources[module] = sources[module].replace(replaced, by, 1)
    made = loaded(folder, sources).fingerprint
    assert made is not None
    return made


CHANGES = {
    "update": ("tally", "scaled(event.amount) +", "scaled(event.amount) + 1 +"),
    "init": ("tally", "return State(count=0)", "return State(count=1)"),
    "a helper": ("tally", "return amount * STEP", "return amount * STEP * 2"),
    "a constant of a helper": ("tally", "STEP = 2", "STEP = 3"),
    "what happens to a constant later": ("tally", 'TABLE["b"] = 2', 'TABLE["a"] = 2'),
    "the state": ("tally", "    count: int = 0\n\n\ndef init", "    count: int = 5\n\n\ndef init"),
    "an event's validator": ("tally", "return abs(amount)", "return amount"),
    "an event's field": (
        "tally",
        "class Increased(Event):\n    amount: int",
        "class Increased(Event):\n    amount: float",
    ),
    "a registered function": (
        "tally",
        "_(event: Increased) -> int:\n    return 0",
        "_(event: Increased) -> int:\n    return 1",
    ),
    "an imported module's constant": ("_rates", "RATE = 1", "RATE = 2"),
    "an imported constant": ("_limits", "LIMIT = 100", "LIMIT = 200"),
    "an imported helper": ("_limits", "return min(", "return 1 + min("),
    "a constant of an imported helper": ("_deep", "FLOOR = -100", "FLOOR = 0"),
    "a constant imported relatively": ("_relative", "OFFSET = 0", "OFFSET = 1"),
    "a constant imported by a star": ("_star", "STARRED = 0", "STARRED = 1"),
    "a constant of a dotted import": ("_dotted", "DOTTED = 0", "DOTTED = 1"),
    "a constant imported inside a function": ("_local", "LOCAL = 0", "LOCAL = 1"),
    "what a decorator registers": ("tally", "return event.amount * 0", "return event.amount * 1"),
    "a method of an event": ("tally", "return self.amount + 0", "return self.amount + 1"),
    "what a call at the beginning sets up": ("tally", 'registry["x"] = 1', 'registry["x"] = 2'),
    "a package's own module": ("__init__", "SHARED = 1", "SHARED = 2"),
    "a module of a nested folder": ("nested.rates", "NESTED = 1", "NESTED = 2"),
}

SAME = {
    "comments": ("tally", "STEP = 2", "# how far it goes\nSTEP = 2  # at once"),
    "formatting": ("tally", "return amount * STEP", "return (\n        amount\n        * STEP\n    )"),
    "blank lines": ("tally", "def scaled", "\n\n\ndef scaled"),
    "the module's docstring": ("tally", '"""A tally."""', '"""Another."""'),
}


@pytest.mark.parametrize("change", CHANGES)
def test_it_changes_with_what_folds(tmp_path: Path, change: str) -> None:
    """Code that could make another state of the same events has another fingerprint."""
    assert fingerprint(tmp_path / "after", *CHANGES[change]) != fingerprint(tmp_path / "before")


@pytest.mark.parametrize("change", SAME)
def test_it_stays_with_what_does_not_fold(tmp_path: Path, change: str) -> None:
    """What cannot change a state leaves snapshots valid."""
    assert fingerprint(tmp_path / "after", *SAME[change]) == fingerprint(tmp_path / "before")


def test_it_is_the_same_wherever_the_project_is(tmp_path: Path) -> None:
    """Folder and process do not matter: a snapshot taken on one machine is valid on the next."""
    made = fingerprint(tmp_path / "one")
    assert made == fingerprint(tmp_path / "two")
    assert len(made) == 32


STYLES = {
    "a lambda": "update = lambda event, state: state + event.amount * {n}\nupdate.__annotations__ = ANNOTATIONS\n",
    "a decorated function": (
        "@traced\ndef update(event: Increased, state: int) -> int:\n    return state + event.amount * {n}\n"
    ),
    "a decorated function that keeps its name": (
        "@wrapped\ndef update(event: Increased, state: int) -> int:\n    return state + event.amount * {n}\n"
    ),
    "a made function": "update = made({n})\n",
}

STYLED = """\
import functools
from pachyderm_cli import Event, Message

class Increment(Message):
    pass

class Increased(Event):
    amount: int

ANNOTATIONS = {"event": Increased, "state": int, "return": int}

def traced(function):
    def wrapper(event: Increased, state: int) -> int:
        return function(event, state)
    return wrapper

def wrapped(function):
    @functools.wraps(function)
    def wrapper(event: Increased, state: int) -> int:
        return function(event, state)
    return wrapper

def made(factor):
    def update(event: Increased, state: int) -> int:
        return state + event.amount * factor
    return update

def init() -> int:
    return 0

def handle(message: Increment, state: int) -> list[Increased]:
    return [Increased(amount=1)]

"""


@pytest.mark.parametrize("style", STYLES)
def test_it_sees_an_update_that_is_no_plain_function(tmp_path: Path, style: str) -> None:
    """However `update` came about, a change of it is seen."""
    one = loaded(tmp_path / "1", {"tally": STYLED + STYLES[style].replace("{n}", "1")})
    two = loaded(tmp_path / "2", {"tally": STYLED + STYLES[style].replace("{n}", "2")})
    again = loaded(tmp_path / "3", {"tally": STYLED + STYLES[style].replace("{n}", "1")})
    assert one.fingerprint is not None
    assert one.fingerprint == again.fingerprint
    assert one.fingerprint != two.fingerprint


def test_an_update_made_elsewhere_is_seen(tmp_path: Path) -> None:
    """A wrapper of another module, which hides what it wraps, does not hide a change of the entity's own module."""
    traced = "def traced(function):\n    def wrapper(event: object, state: int) -> int:\n"
    traced += "        return function(event, state)\n    wrapper.__annotations__ = function.__annotations__\n"
    traced += "    return wrapper\n"
    source = STYLED.replace("import functools", "from entities._tracing import traced as seen\nimport functools")
    source += STYLES["a decorated function"].replace("@traced", "@seen")
    one, two = (
        loaded(tmp_path / number, {"tally": source.replace("{n}", number), "_tracing": traced}).fingerprint
        for number in "12"
    )
    assert None not in (one, two)
    assert one != two


def test_it_is_of_the_code_that_runs(tmp_path: Path) -> None:
    """A file that was edited since it was loaded does not lend its fingerprint to the code that still runs."""
    before = fingerprint(tmp_path / "before")
    sources = {"tally": ENTITY, **OTHERS}
    entity = loaded(tmp_path / "edited", sources)
    write(tmp_path / "edited", {"tally": ENTITY.replace("STEP = 2", "STEP = 3")})
    assert entity.fingerprint == before


def test_two_projects_do_not_lend_one_another_their_constants(tmp_path: Path) -> None:
    """Modules of one name in two open projects are each their own project's."""
    one, two = tmp_path / "one", tmp_path / "two"
    changed = {"tally": ENTITY, **OTHERS, "_limits": OTHERS["_limits"].replace("LIMIT = 100", "LIMIT = 5")}
    first, second = loaded(one, {"tally": ENTITY, **OTHERS}), loaded(two, changed)
    assert first.fingerprint == fingerprint(tmp_path / "first")
    assert second.fingerprint != first.fingerprint
