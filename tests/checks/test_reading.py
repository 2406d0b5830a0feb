"""What the source of a module says without being run."""

from pathlib import Path

import pytest

from pachyderm_cli.checks.findings import Property, Remark
from pachyderm_cli.checks.reading import remarks_on
from tests.support.modules import line_of, load

MODULE = """\
import datetime as dt
import itertools
import os
import os.path
import random
import secrets
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import time
import urllib.request
import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from os import environ
from pathlib import Path
from random import Random, choice
from time import monotonic
from typing import Any
from uuid import uuid4, uuid5

from pydantic import BaseModel, Field

from pachyderm_cli import Context, Event, Message

FILE = Path("names.txt")
NAMES = ["a", "b"]
TABLE = {{}}
NESTED = {{"a": {{}}}}
KNOWN = set()
LAST = deque()
NUMBERS = itertools.count()
DICE = Random(3)
TOTAL = 0
LIMIT = 10


class Go(Message):
    amount: int = 1


class Gone(Event):
    amount: int = 1


class State(BaseModel):
    count: int = 0
    names: list[str] = []


class Register:
    last = None

    @staticmethod
    def read() -> str:
        return open("x").read()

    @classmethod
    def ask(cls) -> str:
        return input()


class Dated(BaseModel):
    day: date = Field(default_factory=date.today)


@dataclass
class Named:
    text: str
    id: uuid.UUID = field(default_factory=uuid4)


def logged(gone: Any, state: Any) -> Any:
    print(gone)
    return state


STEPS = {{"Gone": logged}}
OTHERS = {{"gone": logged}}


def init() -> State:
    return State()


def helper(value: Any = None) -> Any:
    return helped(value)


def helped(value: Any) -> Any:
    {helped}


@cache
def cached(value: int) -> int:
    return value + 1


def handle(message: Go, state: State, context: Context) -> Iterator[Gone]:
    {handle}
    yield Gone(amount=message.amount)


def update(event: Gone, state: State) -> State:
    {update}
    return State(count=state.count + event.amount)
"""


def read(tmp_path: Path, *, handle: str = "pass", update: str = "pass", helped: str = "return value") -> list[Remark]:
    """Return the remarks on a module whose functions begin so; lines that go on are indented by four."""
    return remarks_on(load(tmp_path, MODULE.format(handle=handle, update=update, helped=helped)))


TOUCHES = {
    "does I/O": [
        "open('x')",
        "print(event)",
        "input()",
        "FILE.read_text()",
        "FILE.exists()",
        "os.listdir('.')",
        "os.getenv('HOME')",
        "os.environ['HOME']",
        "environ.get('HOME')",
        "os.path.exists('x')",
        "subprocess.run(['true'])",
        "socket.socket()",
        "sqlite3.connect('x')",
        "shutil.rmtree('x')",
        "tempfile.mkdtemp()",
        "urllib.request.urlopen('x')",
        "import glob; glob.glob('*')",
        "from shutil import rmtree as gone; gone('x')",
        "import sys; sys.stdout.write('x')",
        "from sys import stderr; stderr.write('x')",
    ],
    "reads the clock": [
        "time.time()",
        "monotonic()",
        "time.localtime()",
        "time.strftime('%H')",
        "datetime.now(UTC)",
        "dt.datetime.utcnow()",
        "date.today()",
        "dt.date.today()",
        "from datetime import date as day; day.today()",
        "import time as clock; clock.time()",
        "Dated()",
    ],
    "draws by chance": [
        "random.random()",
        "choice(NAMES)",
        "random.shuffle(state.names)",
        "random.Random().random()",
        "Random()",
        "random.SystemRandom()",
        "DICE.randint(1, 6)",
        "secrets.token_hex()",
        "uuid4()",
        "uuid.uuid1()",
        "os.urandom(3)",
        "Named(text='a')",
    ],
    "changes what belongs to the module": [
        "global TOTAL; TOTAL = 1",
        "NAMES.append('c')",
        "TABLE[1] = 2",
        "del TABLE[1]",
        "TABLE[1] += 2",
        "NESTED['a']['b'] = 1",
        "NESTED['a'].update(b=1)",
        "KNOWN.add(3)",
        "LAST.popleft()",
        "next(NUMBERS)",
        "Register.last = event",
        "update.calls = 1",
        "dt.limit = 3",
    ],
}


@pytest.mark.parametrize(("said", "code"), [(said, code) for said, codes in TOUCHES.items() for code in codes])
def test_what_update_may_not_do_is_a_fault(tmp_path: Path, said: str, code: str) -> None:
    """I/O, clock, chance and writing to what outlives the call are certain faults of update, told with their line."""
    source = MODULE.format(handle="pass", update=code, helped="pass")
    remarks = read(tmp_path, update=code)
    assert remarks
    assert {(each.property, each.certain) for each in remarks} == {(Property.PURE_UPDATE, True)}
    assert remarks[0].problem.startswith(f"update {said} (")
    assert {each.line for each in remarks} == {line_of(source, code)}
    assert remarks[0].file == str(tmp_path / "entities" / "entity.py")


@pytest.mark.parametrize("said", TOUCHES)
def test_it_is_found_behind_a_call_too(tmp_path: Path, said: str) -> None:
    """What update calls in its project is read as well, however far away, and named."""
    (remark,) = read(tmp_path, update="helper(state)", helped=TOUCHES[said][0].replace("event", "value"))
    assert remark.certain
    assert remark.problem.startswith(f"helped {said} (")
    assert read(tmp_path / "other", helped=TOUCHES[said][0].replace("event", "value")) == []


def test_it_is_found_in_another_module_of_the_project(tmp_path: Path) -> None:
    """A function that update imports from beside it is read in the file where it stands."""
    folder = tmp_path / "entities"
    folder.mkdir()
    (folder / "_ticking.py").write_text("import time\n\n\ndef tick(value):\n    return time.time()\n")
    source = MODULE.format(handle="pass", update="tick(event)", helped="pass")
    (remark,) = remarks_on(load(tmp_path, f"from ._ticking import tick\n{source}"))
    assert (remark.file, remark.line, remark.certain) == (str(folder / "_ticking.py"), 5, True)


PASSES = [
    "Random(event.amount).random()",
    "random.Random(event.amount).shuffle(list(state.names))",
    "cached(event.amount)",
    "names = list(state.names); names.append('c'); names[0] = 'd'; del names[0]",
    "table = {{}}; table.update(a=1); table['b'] = 2",
    "NAMES = []; NAMES.append('c')",
    "print = str; print(event)",
    "len(NAMES); TABLE.get(1); NAMES.index('a'); LIMIT + 1",
    "datetime.fromisoformat('2026-01-01'); datetime(2026, 1, 1, tzinfo=UTC); date.fromordinal(3)",
    "time.strptime('1', '%H'); time.gmtime(3); time.strftime('%H', time.gmtime(3))",
    "uuid5(uuid.NAMESPACE_URL, 'x'); uuid.UUID(int=3)",
    "os.path.join('a', 'b'); os.fspath('a'); os.sep; Path('a').name; FILE.suffix; FILE.with_name('x')",
    "event.amount.bit_length(); state.model_copy(update={{'count': 1}})",
    "state.names.append('c')",
    "helper(state)",
    "from http import HTTPStatus; HTTPStatus(404)",
    "import glob; glob.escape('a*')",
    "socket.inet_aton('1.2.3.4'); shutil.ignore_patterns('a')",
    "import io; io.StringIO().write('x')",
    "Dated(day=date(2026, 1, 1)); Named('a', uuid.UUID(int=3))",
    "def inner():\n        NAMES = []\n        NAMES.append('c')",
    "[time.time for time in (event,)]; list(map(lambda TABLE: TABLE.update(a=1), [{{}}]))",
]


@pytest.mark.parametrize("code", PASSES)
def test_what_is_pure_passes(tmp_path: Path, code: str) -> None:
    """A seeded generator, a cache, what is update's own, and reading constants are none of these."""
    assert read(tmp_path, update=code.replace("{{", "{").replace("}}", "}")) == []


CALLED = {
    "a static method": ("Register.read()", "read does I/O (open('x'))", True),
    "a class method": ("Register.ask()", "ask does I/O (input())", True),
    "a table of events": ("STEPS['Gone'](event, state)", "logged does I/O (print(gone))", True),
    "a table of something else": ("OTHERS['gone'](event, state)", "logged does I/O (print(gone))", False),
    "a function that is handed on": ("list(map(helper, [1]))", "helped draws by chance (random.random())", True),
}


@pytest.mark.parametrize("way", CALLED)
def test_it_is_found_whichever_way_it_is_called(tmp_path: Path, way: str) -> None:
    """Methods of classes, functions in tables and functions that are handed on are read; another table is a hint."""
    code, said, certain = CALLED[way]
    (remark,) = read(tmp_path, update=code, helped="random.random()")
    assert (remark.property, remark.certain) == (Property.PURE_UPDATE, certain)
    assert remark.problem.startswith(said)


DECORATED = """\
def traced(function):
    @functools.wraps(function)
    def inner(event, state):
        {}
        return function(event, state)

    return inner


@traced
def update"""


def test_a_decorator_is_read_and_so_is_what_it_wraps(tmp_path: Path) -> None:
    """Both the wrapper and the function within it are update."""
    source = MODULE.format(handle="pass", update="print(event)", helped="pass")
    decorated = "import functools\n" + source.replace("def update", DECORATED.format("time.time()"))
    assert [each.problem.partition(":")[0] for each in remarks_on(load(tmp_path, decorated))] == [
        "update reads the clock (time.time())",
        "update does I/O (print(event))",
    ]


@pytest.mark.parametrize("code", ["event.read_text()", "Path('x').write_text('y')", "state.names.unlink()"])
def test_what_may_be_something_else_is_a_hint(tmp_path: Path, code: str) -> None:
    """A method that is called like a file's, of something that cannot be told, is a hint and no fault."""
    (remark,) = read(tmp_path, update=code)
    assert (remark.property, remark.certain) == (Property.PURE_UPDATE, False)


HANDLE = [
    ("FILE.read_text()", True, "does I/O (FILE.read_text()): that belongs into an effect"),
    ("print(message)", True, "does I/O (print(message)): that belongs into an effect"),
    ("datetime.now(UTC)", False, "context.now is the same when the decision is made again"),
    ("random.random()", False, "context.random is the same when the decision is made again"),
    ("TABLE[1] = 2", False, "what it decides must not depend on what it was asked before"),
    ("message.read_text()", False, "that belongs into an effect"),
]


@pytest.mark.parametrize(("code", "certain", "said"), HANDLE)
def test_handle_may_do_no_io(tmp_path: Path, code: str, said: str, *, certain: bool) -> None:
    """I/O in handle is a fault; clock, chance and the module's values are hints, with what to use."""
    (remark,) = read(tmp_path, handle=code)
    assert (remark.property, remark.certain) == (Property.PURE_HANDLE, certain)
    assert remark.problem.startswith("handle ")
    assert remark.problem.endswith(said)


def test_the_context_s_time_and_chance_pass(tmp_path: Path) -> None:
    """What a handle gets from its context is the same again."""
    assert read(tmp_path, handle="context.now; context.random.random(); context.random.choice(NAMES)") == []


def test_an_init_is_read_like_an_update(tmp_path: Path) -> None:
    """The first state is folded again as well, so that it must not depend on anything."""
    source = MODULE.format(handle="pass", update="pass", helped="pass").replace(
        "State()", "State(count=time.time_ns())"
    )
    (remark,) = remarks_on(load(tmp_path, source))
    assert (remark.property, remark.certain) == (Property.PURE_UPDATE, True)
    assert remark.problem.startswith("init reads the clock")


STATES = {
    "a function": "Callable[[int], int] | None",
    "an iterator": "Iterable[int] | None",
    "a class": "type[int] | None",
}


@pytest.mark.parametrize("kind", STATES)
def test_a_state_that_json_cannot_hold_is_a_fault(tmp_path: Path, kind: str) -> None:
    """A function, an iterator or a class in the state's type cannot be written into a snapshot."""
    source = MODULE.format(handle="pass", update="pass", helped="pass")
    (remark,) = remarks_on(
        load(tmp_path, source.replace("count: int = 0", f"count: int = 0\n    more: {STATES[kind]} = None"))
    )
    assert (remark.property, remark.certain) == (Property.FAITHFUL, True)
    assert remark.problem == f"the type of the state has {kind} in it, which JSON cannot hold"


def test_writing_to_an_outer_function_s_variable_is_a_fault(tmp_path: Path) -> None:
    """A nonlocal of the function around update outlives the call; one of update itself does not."""
    for nested in (NESTED, f"def outer():\n        {NESTED.replace(LINE, LINE + '    ')}\n    outer()"):
        assert read(tmp_path, update=nested) == []
    source = MODULE.format(handle="pass", update="pass", helped="pass").partition("def update")[0] + OUTER
    (remark,) = remarks_on(load(tmp_path / "other", source))
    assert (remark.property, remark.certain) == (Property.PURE_UPDATE, True)


LINE = "\n    "
NESTED = "count = 0\n    def more():\n        nonlocal count\n        count += 1\n    more()"
OUTER = """\
def counting():
    calls = 0

    def update(event: Gone, state: State) -> State:
        nonlocal calls
        calls += 1
        return State(count=calls)

    return update


update = counting()
"""
