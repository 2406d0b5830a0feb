"""What is put back before each sequence: the values of the modules that a type can reach, and no others."""

from importlib import import_module
from pathlib import Path
from textwrap import dedent

import pytest

from pachyderm_cli.checks.pristine import Pristine, project_modules
from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.engine.loader import ModuleEntityTypes

ENTITY = """
from pydantic import BaseModel
from pachyderm_cli import Event, Message
from {package}.counting import count
from {package} import settings

calls = []

class State(BaseModel): ...

class Go(Message): ...

class Gone(Event): ...

def init() -> State: return State()

def handle(message: Go, state: State) -> None:
    calls.append(count())
    settings.limit += 1

def update(event: Gone, state: State) -> State: return state
"""
COUNTING = """
from {package}.tables import add

def count(): return add(1)
"""
TABLES = """
added = [0]

class Broken:
    def __getattr__(self, name): raise RuntimeError(name)

broken = Broken()

def add(number, before=[]):
    added.append(number)
    before.append(number)
    return len(before)
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a package in which an entity uses some modules and others are there beside it."""
    name = f"pristine_{tmp_path.name}"
    folder = tmp_path / name
    folder.mkdir()
    files = {"__init__": "", "entity": ENTITY, "counting": COUNTING, "tables": TABLES, "settings": "limit = 3"}
    for module, text in {**files, "other": "rows = list(range(1000))"}.items():
        (folder / f"{module}.py").write_text(dedent(text.replace("{package}", name)), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


@pytest.fixture
def entity_type(package: str) -> EntityType:
    """Return the entity type of the package, with everything in the package loaded."""
    import_module(f"{package}.other")
    return ModuleEntityTypes({"entity": import_module(f"{package}.entity")}).get("entity")


def test_what_the_type_uses_is_looked_into_and_nothing_else(package: str, entity_type: EntityType) -> None:
    """Its own module, and what that names, directly or through another; not the rest of the package."""
    names = {module.__name__.removeprefix(package) for module in project_modules(entity_type)}
    assert names == {".entity", ".counting", ".tables", ".settings"}


def test_what_a_call_changed_there_is_put_back(package: str, entity_type: EntityType) -> None:
    """Values of modules, containers in place, and defaults are what they were before the call."""
    entity, tables, settings = (import_module(f"{package}.{name}") for name in ("entity", "tables", "settings"))
    pristine = Pristine(project_modules(entity_type))
    for _ in range(2):
        entity.handle(entity.Go(), entity.init())
        assert (entity.calls, tables.added, settings.limit) == ([1], [0, 1], 4)
        pristine.restore()
        assert (entity.calls, tables.added, settings.limit) == ([], [0], 3)
