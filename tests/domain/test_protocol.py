"""Reading entity modules: every right style is understood, every wrong one named with file and line."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from pachyderm_cli import Event, Message
from pachyderm_cli.domain.protocol import read_entity
from pachyderm_cli.errors import EntityLoadError
from tests.support.modules import COUNTER, line_of, load

CLASSES = """\
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias, Union
from pydantic import BaseModel
from pachyderm_cli import Context, Effect, Event, Message, Question

class Go(Message):
    pass

class Stop(Message):
    pass

class Gone(Event):
    pass

class Stopped(Event):
    pass

class Ring(Effect):
    def dispatch(self, config: dict) -> None:
        pass

class State(BaseModel):
    going: bool = False

def init() -> State:
    return State()
"""

RIGHT = {
    "a union with |": """
def handle(message: Go | Stop, state: State) -> Iterator[Gone | Stopped | Ring]:
    yield Gone()

def update(event: Gone | Stopped, state: State) -> State:
    return state
""",
    "Union": """
def handle(message: Union[Go, Stop], state: State) -> Iterator[Union[Gone, Stopped, Ring]]:
    yield Gone()

def update(event: Union[Gone, Stopped], state: State) -> State:
    return state
""",
    "aliases": """
Messages: TypeAlias = Go | Stop
Events = Gone | Stopped
Emitted = Events | Ring

def handle(message: Messages, state: State) -> Iterable[Emitted]:
    return [Gone()]

def update(event: Events, state: State) -> State:
    return state
""",
    "Annotated": """
def handle(message: Annotated[Go | Stop, "in"], state: State) -> list[Annotated[Gone | Stopped | Ring, "out"]]:
    return [Gone()]

def update(event: Annotated[Gone, "a"] | Annotated[Stopped, "b"], state: State) -> State:
    return state
""",
    "strings": """
def handle(message: "Go | Stop", state: "State") -> "Iterator[Gone | Stopped | Ring]":
    yield Gone()

def update(event: "Gone | Stopped", state: "State") -> "State":
    return state
""",
    "the base classes": """
def handle(message: Message, state: State) -> Iterator[Event | Effect]:
    yield Gone()

def update(event: Event, state: State) -> State:
    return state
""",
    "no return annotation of handle": """
def handle(message: Go | Stop, state: State):
    return (Gone(),)

def update(event: Gone | Stopped, state: State) -> State:
    return state
""",
    "a context": """
def handle(message: Go | Stop, state: State, context: Context) -> tuple[Gone | Stopped | Ring, ...]:
    return (Gone(),)

def update(event: Gone | Stopped, state: State) -> State:
    return state
""",
}


@pytest.mark.parametrize("first_line", ["", "from __future__ import annotations\n"])
@pytest.mark.parametrize("style", RIGHT)
def test_every_right_style_is_read(tmp_path: Path, style: str, first_line: str) -> None:
    """The same protocol is found, however the annotations are written."""
    entity = load(tmp_path, first_line + CLASSES + RIGHT[style])
    assert set(entity.messages) == {"Go", "Stop"}
    assert set(entity.events) == {"Gone", "Stopped"}
    assert set(entity.effects) == {"Ring"}
    assert entity.takes_context == (style == "a context")
    assert entity.state_type.__name__ == "State"


def test_the_order_is_that_of_the_annotation(tmp_path: Path) -> None:
    """Messages are listed as `handle` names them."""
    source = CLASSES + RIGHT["a union with |"].replace("Go | Stop", "Stop | Go")
    assert list(load(tmp_path, source).messages) == ["Stop", "Go"]


def test_without_init_the_state_is_none(tmp_path: Path) -> None:
    """`init` is optional: the state begins as None, and is of the type that `update` returns, or None."""
    source = CLASSES.partition("def init")[0] + RIGHT["a union with |"].replace("state: State", "state: State | None")
    entity = load(tmp_path, source)
    assert entity.initial() is None
    assert entity.state_adapter.validate_json("null") is None
    assert entity.state_adapter.validate_json('{"going":true}').going


@pytest.mark.parametrize("state", ["int", "dict[str, int]", "list[str]", "None", "Any"])
def test_a_state_is_anything_that_pydantic_knows(tmp_path: Path, state: str) -> None:
    """A number, a mapping, a list or nothing at all will do."""
    source = CLASSES.replace("def init() -> State", f"def init() -> {state}") + RIGHT["a union with |"]
    assert load(tmp_path, source).state_adapter.json_schema() is not None


def test_questions_and_description_are_read(tmp_path: Path) -> None:
    """`query`'s union is what callers may ask; the module's docstring is the type's."""
    source = (
        f'"""A bell.\n\n    Rings."""\n{CLASSES}{RIGHT["Union"]}'
        """
class HowLong(Question):
    pass

def query(question: HowLong, state: State) -> int:
    return 1
"""
    )
    entity = load(tmp_path, source)
    assert list(entity.questions) == ["HowLong"]
    assert entity.doc == "A bell.\n\nRings."


WRONG = {
    # what is wrong: (replaced, by, said, the line that is named begins with)
    "no handle": ("def handle(", "def handel(", "has no handle: an entity module defines def handle(", None),
    "no update": ("def update(", "def updat(", "has no update", None),
    "handle is no function": ("def handle(", "handle = 3\ndef _handle(", "handle is int, not a function", None),
    "handle is a class": ("def handle(", "class handle: pass\ndef _handle(", "not a function", None),
    "no annotation of the message": (
        "(message: Increment,",
        "(message,",
        "lacks the annotation of 'message'",
        "def handle",
    ),
    "no annotation of the event": ("(event: Increased,", "(event,", "lacks the annotation of 'event'", "def update"),
    "no annotation of init": ("def init() -> State", "def init()", "init lacks the annotation", "def init"),
    "an annotation that names nothing": (
        "(message: Increment,",
        "(message: 'Incremnt',",
        "'Incremnt' is not",
        "def handle",
    ),
    "an annotation that fails": ("(event: Increased,", "(event: '1/0',", "division by zero", "def update"),
    "a state that pydantic does not know": (
        "def init() -> State",
        "def init() -> 'Opaque'",
        "the type of the state",
        "def init",
    ),
    "handle takes one": (
        ", state: State) -> Iterator",
        ") -> Iterator",
        "takes 1 parameters, where 2 or 3",
        "def handle",
    ),
    "handle takes four": (
        ", state: State) -> Iterator",
        ", state, a, b) -> Iterator",
        "takes 4 parameters",
        "def handle",
    ),
    "handle takes any": (", state: State) -> Iterator", ", *state) -> Iterator", "takes 2 parameters", "def handle"),
    "update takes three": (
        ", state: State) -> State",
        ", state, a) -> State",
        "takes 3 parameters, where 2",
        "def update",
    ),
    "update by keyword": (", state: State) -> State", ", *, state) -> State", "update takes", "def update"),
    "init takes one": ("def init()", "def init(x)", "init takes 1 parameters, where 0", "def init"),
    "handle is async": ("def handle(", "async def handle(", "handle is async", "async def handle"),
    "update is async": ("def update(", "async def update(", "update is async", "async def update"),
    "init is async": ("def init(", "async def init(", "init is async", "async def init"),
    "no message": (
        "class Increment(Message)",
        "class Increment(BaseModel)",
        "Increment, which is no Message",
        "def handle",
    ),
    "no event": ("class Increased(Event)", "class Increased(BaseModel)", "Increased, which is no Event", "def update"),
    "one that is no message": (
        "(message: Increment,",
        "(message: Increment | int,",
        "takes int, which is no",
        "def handle",
    ),
    "an event for a message": (
        "(message: Increment,",
        "(message: Increased,",
        "Increased, which is no Message",
        "def handle",
    ),
    "none may be a message": (
        "(message: Increment,",
        "(message: Increment | None,",
        "NoneType, which is no",
        "def handle",
    ),
    "no messages at all": (
        "class Increment(Message):\n    amount: int = 1\n\n\n",
        "Increment = Message\n",
        "takes no Message at all",
        "def handle",
    ),
    "update lacks an event": (
        "-> Iterator[Increased]",
        "-> 'Iterator[Increased | Reset]'",
        "update lacks the event Reset, which handle's annotation names",
        "def update",
    ),
    "an effect without dispatch": (
        "-> Iterator[Increased]",
        "-> 'Iterator[Increased | Alert]'",
        "the effect Alert has no dispatch",
        "class Alert",
    ),
    "two classes of one name": (
        "(event: Increased,",
        "(event: Increased | renamed(),",
        "takes two classes called Increased",
        "def update",
    ),
    "a query of no argument": ("def update(", "def query(): pass\n\ndef update(", "query takes 0", "def query"),
}

MORE = """
class Opaque:
    pass


class Reset(Event):
    pass


class Alert(Effect):
    pass
"""

RENAMED = """
def renamed():
    return type("Increased", (Event,), {"__module__": __name__})


def handle("""


@pytest.mark.parametrize("first_line", ["", "from __future__ import annotations\n"])
@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_module_is_named_with_its_line(tmp_path: Path, wrong: str, first_line: str) -> None:
    """The error says what is wrong and where, and stands at the beginning of its message."""
    replaced, by, said, start = WRONG[wrong]
    source = first_line + COUNTER.replace("\ndef handle(", RENAMED, 1).replace(replaced, by, 1) + MORE
    with pytest.raises(EntityLoadError) as caught:
        load(tmp_path, source)
    error = caught.value
    line = 1 if start is None else line_of(source, start)
    assert said in error.message
    assert error.details == {"file": str(tmp_path / "entities" / "entity.py"), "line": line}
    assert error.message.startswith(f"{tmp_path}/entities/entity.py:{line}: ")


def test_an_update_without_annotation_of_the_state_is_wrong_where_there_is_no_init(tmp_path: Path) -> None:
    """Without `init`, what `update` returns is the state's type, and has to be said."""
    source = CLASSES.partition("def init")[0] + RIGHT["a union with |"].replace(") -> State:", "):")
    with pytest.raises(EntityLoadError, match="update lacks the annotation of what it returns") as caught:
        load(tmp_path, source)
    assert caught.value.details["line"] == line_of(source, "def update")


def test_an_entity_need_not_be_a_module() -> None:
    """Any object that has the functions is one, for tests and for embedding."""

    class Go(Message):
        pass

    class Gone(Event):
        pass

    def handle(message: Go, state: int) -> list[Gone]:
        return [Gone()]

    def update(event: Gone, state: int) -> int:
        return 1

    entity = read_entity("thing", SimpleNamespace(handle=handle, update=update))
    assert list(entity.messages) == ["Go"]
    assert entity.file == __file__


WRONG_EFFECTS = {
    'delivery = "exactly_once"': "has delivery = 'exactly_once': write 'at_most_once' or 'at_least_once'",
    "delivery = None": "has delivery = None",
    "delivery: str = 'at_least_once'": "has a field 'delivery', which is a class attribute's name",
    "max_attempts = 0": "has max_attempts = 0: write a whole number from 1",
    "max_attempts = -1": "has max_attempts = -1",
    "max_attempts = 2.0": "has max_attempts = 2.0",
    "max_attempts = True": "has max_attempts = True",
    "max_attempts = '3'": "has max_attempts = '3'",
    "max_attempts: int = 3": "has a field 'max_attempts', which is a class attribute's name",
    "timeout = 0": "has timeout = 0: write seconds, more than 0, or None",
    "timeout = -0.5": "has timeout = -0.5",
    'timeout = "1"': "has timeout = '1'",
    "timeout = True": "has timeout = True",
    "timeout = float('inf')": "has timeout = inf",
    "timeout = float('nan')": "has timeout = nan",
    "timeout: float = 1.0": "has a field 'timeout', which is a class attribute's name",
    "def dispatch(self): pass": "has a dispatch with other parameters: define dispatch(self, config)",
    "def dispatch(self, config, context, more): pass": "has a dispatch with other parameters",
    "def dispatch(self, config, *, context): pass": "has a dispatch with other parameters",
    "def dispatch(*everything): pass": "has a dispatch with other parameters",
}


@pytest.mark.filterwarnings("ignore:Field name")  # pydantic warns of the field before it is refused
@pytest.mark.parametrize("wrong", WRONG_EFFECTS)
def test_a_wrong_effect_is_named_with_its_line(tmp_path: Path, wrong: str) -> None:
    """What could not be carried out is found out when the module is loaded."""
    lines = ["class Alert(Effect):", "    def dispatch(self, config): pass", f"    {wrong}", "", ""]
    source = COUNTER.replace("-> Iterator[Increased]", "-> 'Iterator[Increased | Alert]'") + "\n\n" + "\n".join(lines)
    with pytest.raises(EntityLoadError) as caught:
        load(tmp_path, source)
    assert f"the effect Alert {WRONG_EFFECTS[wrong]}" in caught.value.message
    assert caught.value.details["line"] == line_of(source, "class Alert")


@pytest.mark.parametrize("own", ["Send", "Timer", "CancelTimer"])
def test_an_effect_derived_from_pachyderm_s_own_is_refused(tmp_path: Path, own: str) -> None:
    """What carries it out would not know it."""
    source = f"from pachyderm_cli import {own}\n" + COUNTER + f"\nclass Alert({own}):\n    pass\n"
    source = source.replace("-> Iterator[Increased]", "-> 'Iterator[Increased | Alert]'")
    with pytest.raises(EntityLoadError, match="the effect Alert is derived from one of pachyderm's own") as caught:
        load(tmp_path, source)
    assert caught.value.details["line"] == line_of(source, "class Alert")


@pytest.mark.parametrize("annotated", [False, True])
@pytest.mark.parametrize("returned", ["Increased | Alert", "Increased | Alert | Send | Timer | CancelTimer", "Effect"])
def test_how_an_effect_is_delivered_is_read_from_its_class(tmp_path: Path, returned: str, *, annotated: bool) -> None:
    """From attributes that are no fields, annotated as the class's or not at all."""
    kinds = (": ClassVar[str]", ": ClassVar[int]", ": ClassVar[float]") if annotated else ("", "", "")
    lines = [
        "class Alert(Effect):",
        f"    delivery{kinds[0]} = 'at_least_once'",
        f"    max_attempts{kinds[1]} = 1",
        f"    timeout{kinds[2]} = 2",
        "    def dispatch(self, config): pass",
        "",
    ]
    source = COUNTER.replace("-> Iterator[Increased]", f"-> 'Iterator[{returned}]'") + "\n\n" + "\n".join(lines)
    first = "from typing import ClassVar\nfrom pachyderm_cli import CancelTimer, Send, Timer\n"
    [alert] = load(tmp_path, first + source).effects.values()
    assert (alert.__name__, alert.delivery, alert.max_attempts, alert.timeout) == ("Alert", "at_least_once", 1, 2)
    assert list(alert.model_fields) == []


def test_pachyderm_s_own_effects_need_no_annotation(tmp_path: Path) -> None:
    """Send, Timer and CancelTimer are none of the type's own effects, whether or not the module knows them."""
    source = "from pachyderm_cli import CancelTimer, Send, Timer\n" + COUNTER
    assert dict(load(tmp_path, source).effects) == {}
