"""One entity module as it changes over time, written as files, and engines for each state of it."""

from pathlib import Path
from textwrap import dedent
from typing import Any

from pachyderm_cli import Pachyderm
from pachyderm_cli.engine.loader import FolderEntityTypes
from tests.support.modules import write

_HEAD = """\
from collections.abc import Iterator

from pydantic import BaseModel

from pachyderm_cli import Event, Message, Question


class Put(Message):
    amount: int


class Take(Message):
    amount: int


class State(BaseModel, frozen=True):
    balance: int = 0
    taken: int = 0


def init() -> State:
    return State()


def handle(message: Put | Take, state: State) -> Iterator[Event]:
    match message:
        case Put(amount=amount):
            yield PutIn(amount=amount)
        case Take(amount=amount):
            yield TakenOut(amount=amount)
"""

EVENTS = """
class PutIn(Event):
    amount: int


class TakenOut(Event):
    amount: int
"""

UPDATE = """
def update(event: PutIn | TakenOut, state: State) -> State:
    match event:
        case PutIn(amount=amount):
            return State(balance=state.balance + amount, taken=state.taken)
        case TakenOut(amount=amount):
            return State(balance=state.balance - amount, taken=state.taken + 1)
"""


def till(events: str = EVENTS, update: str = UPDATE, more: str = "") -> str:
    """Return the source of a till with those events and that reducer."""
    return f"{_HEAD}\n{dedent(events)}\n{dedent(update)}\n{dedent(more)}"


class Versions:
    """Folders of one module's versions, and engines on one store."""

    def __init__(self, store_url: str, home: Path) -> None:
        self.store_url = store_url
        self._home = home

    def folder(self, name: str, source: str | None = None) -> Path:
        """Write a version of the till under a name, as it is at first unless told otherwise; return its folder."""
        return write(self._home / name, {"till": till() if source is None else source})

    def engine(self, name: str, source: str | None = None, **options: Any) -> Pachyderm:
        """Return an engine with that version of the code."""
        return Pachyderm(self.store_url, FolderEntityTypes(self.folder(name, source)), **options)
