"""Entity modules for tests, written as files: only so have they lines, sources and a package."""

from pathlib import Path
from textwrap import dedent

from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.engine.loader import FolderEntityTypes

COUNTER = """\
from collections.abc import Iterator

from pydantic import BaseModel, field_validator

from pachyderm_cli import Effect, Event, Message


class Increment(Message):
    amount: int = 1


class Increased(Event):
    amount: int


class State(BaseModel):
    count: int = 0


def init() -> State:
    return State()


def handle(message: Increment, state: State) -> Iterator[Increased]:
    yield Increased(amount=message.amount)


def update(event: Increased, state: State) -> State:
    return State(count=state.count + event.amount)
"""


def write(folder: Path, modules: dict[str, str]) -> Path:
    """Write modules (`billing.invoice` is billing/invoice.py) into the entities of a project; return their folder."""
    entities = folder / "entities"
    for name, source in modules.items():
        file = entities.joinpath(*name.split(".")).with_suffix(".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(source))
    return entities


def load(folder: Path, source: str, name: str = "entity") -> EntityType:
    """Return the entity type of a module with that source. It outlives its loader: the process ends first."""
    return FolderEntityTypes(write(folder, {name: source})).get(name)


def line_of(source: str, start: str) -> int:
    """Return the number of the first line that begins with `start`, indented or not."""
    lines = dedent(source).splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.strip().startswith(start))
