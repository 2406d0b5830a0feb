"""Checking small modules that a test writes."""

from contextlib import closing
from pathlib import Path

from pachyderm_cli.checks.check import Wish, check
from pachyderm_cli.checks.findings import Counterexample, Property, Report
from pachyderm_cli.engine.loader import FolderEntityTypes
from tests.support.modules import write

TALLY = """\
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from pachyderm_cli import Context, Event, Message, Rejected, invariant


class Add(Message):
    amount: int = Field(ge=0, le=9)


class Reset(Message):
    pass


class Added(Event):
    amount: int


class Emptied(Event):
    pass


def init() -> int:
    return 0


def handle(message: Add | Reset, state: int) -> Iterator[Added | Emptied]:
    match message:
        case Add(amount=amount):
            yield Added(amount=amount)
        case Reset():
            yield Emptied()


def update(event: Added | Emptied, state: int) -> int:
    match event:
        case Added(amount=amount):
            return state + amount
        case Emptied():
            return 0
"""
"""A sound module, to change."""


def tally(*changes: tuple[str, str], more: str = "") -> str:
    """Return the tally's source with each first text replaced by its second, and with `more` below."""
    source = TALLY
    for old, new in changes:
        assert old in source
        source = source.replace(old, new)
    return f"{source}\n\n{more}"


def checked(tmp_path: Path, source: str, *, examples: int = 40, seed: int = 0) -> Report:
    """Return what is found about a module with that source."""
    folder = write(tmp_path, {"entity": source})
    with closing(FolderEntityTypes(folder)) as types:
        return check(types.get("entity"), Wish(examples, seed), folder=folder)


def found(report: Report, broken: Property) -> Counterexample:
    """Return the one counterexample of a property."""
    (one,) = [each for each in report.counterexamples if each.fault.property is broken]
    return one
