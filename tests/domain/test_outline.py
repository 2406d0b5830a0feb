"""What an entity module's text says by itself: the same as its import would, or nothing."""

import sys
from pathlib import Path
from textwrap import dedent

import pytest

from pachyderm_cli.domain.outline import messages_in, questions_in
from pachyderm_cli.engine.loader import FolderEntityTypes
from tests.support.modules import COUNTER, load

ROOT = Path(__file__).resolve().parents[2]
CLASSES = "class Buy(Message):\n    pass\n\n\nclass Sell(Message):\n    pass\n\n\nclass Hold(Message):\n    pass\n"
ORDER = ["Buy", "Sell", "Hold"]

TOLD = {
    "one class": ("", "Sell", ["Sell"]),
    "a union": ("", "Buy | Sell | Hold", ORDER),
    "in another order": ("", "Hold | Buy | Sell", ["Hold", "Buy", "Sell"]),
    "in brackets": ("", "Buy | (Sell | Hold)", ORDER),
    "Union": ("", "Union[Buy, Sell, Hold]", ORDER),
    "Union of one": ("", "Union[Sell]", ["Sell"]),
    "a union in a Union": ("", "Union[Buy | Sell, Union[Hold, Buy]]", ORDER),
    "a member twice": ("", "Sell | Buy | Sell", ["Sell", "Buy"]),
    "an alias": ("Order = Buy | Sell | Hold", "Order", ORDER),
    "an alias of one class": ("Order = Sell", "Order", ["Sell"]),
    "an alias of a Union": ("Order = Union[Buy, Sell]", "Order", ["Buy", "Sell"]),
    "an alias in brackets, over lines": ("Order = (\n    Buy\n    | Sell\n    | Hold\n)", "Order", ORDER),
    "an alias in a union": ("Trade = Buy | Sell", "Hold | Trade", ["Hold", "Buy", "Sell"]),
    "nested aliases": ("Trade = Buy | Sell\nOrder = Trade | Hold", "Order", ORDER),
    "aliases that overlap": ("First = Buy | Sell\nLast = Sell | Hold", "First | Last", ORDER),
    "an annotated alias": ("Order: TypeAlias = Buy | Sell | Hold", "Order", ORDER),
}

UNTOLD = {
    "quoted": ("", '"Buy | Sell"'),
    "quoted in part": ("", '"Buy" | Sell'),
    "an imported class": ("from ._orders import Swap", "Buy | Swap"),
    "an imported alias": ("from ._orders import Order", "Order"),
    "the base of all messages": ("", "Message"),
    "of another module": ("from . import _orders", "_orders.Order"),
    "a call": ("", "union_of(Buy, Sell)"),
    "an alias of a call": ("Order = union_of(Buy, Sell)", "Order"),
    "a class that is replaced": ("Buy = wrapped(Buy)", "Buy | Sell"),
    "a class that is made": ('Swap = type("Swap", (Message,), {})', "Swap"),
    "a class below a condition": ("if True:\n    class Swap(Message):\n        pass", "Buy | Swap"),
    "Annotated": ("", 'Annotated[Buy | Sell, "orders"]'),
    "Optional": ("", "Optional[Buy]"),
    "None": ("", "Buy | None"),
    "another operator": ("", "Buy & Sell"),
    "a recursive alias": ("Order = Buy | Order", "Order"),
    "aliases of each other": ("First = Last | Buy\nLast = First | Sell", "First"),
    "an alias of itself": ("Order = Order", "Order"),
    "an alias without a value": ("Order: TypeAlias", "Order"),
    "two aliases at once": ("First = Last = Buy | Sell", "First | Hold"),
}


def module(before: str, annotation: str) -> str:
    """Return the text of a module whose `handle` takes what `annotation` says, with `before` ahead of it."""
    return f"{CLASSES}\n\n{before}\n\n\ndef handle(message: {annotation}, state: State) -> list[Done]:\n    return []\n"


@pytest.mark.parametrize(("before", "annotation", "messages"), TOLD.values(), ids=TOLD.keys())
def test_the_messages_are_told_in_the_annotations_order(before: str, annotation: str, messages: list[str]) -> None:
    """Classes of the module, joined by `|` or Union and behind aliases, are told in order, each once."""
    assert messages_in(module(before, annotation)) == messages


@pytest.mark.parametrize(("before", "annotation"), UNTOLD.values(), ids=UNTOLD.keys())
def test_what_only_the_import_can_tell_is_left_to_it(before: str, annotation: str) -> None:
    """Where a name is not a class that the text itself defines, or the annotation is computed, there is no answer."""
    assert messages_in(module(before, annotation)) is None


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the `type` statement came with Python 3.12")
def test_a_type_statement_is_an_alias() -> None:
    """`type X = A | B` is read as any alias, also through another one."""
    assert messages_in(module("type Trade = Buy | Sell", "Trade")) == ["Buy", "Sell"]
    assert messages_in(module("type Trade = Buy | Sell\ntype Order = Trade | Hold", "Order")) == ORDER
    assert messages_in(module("type Order = Buy | Order", "Order")) is None


@pytest.mark.parametrize(
    "handle",
    [
        "",
        "def handle(): pass",
        "def handle(message, state): pass",
        "def handle(*messages: Buy): pass",
        "async def handle(message: Buy, state: State): pass",
        "handle = decide",
        "if True:\n    def handle(message: Buy, state: State): pass",
        "def handle(message: Buy, state: State): pass\n\ndef handle(message: Sell, state: State): pass",
    ],
)
def test_without_one_plain_handle_there_is_no_answer(handle: str) -> None:
    """No `handle`, two of them, one of another kind, or one whose message has no annotation: nothing is told."""
    assert messages_in(f"{CLASSES}\n\n{handle}\n") is None


@pytest.mark.parametrize("parameters", ["message: Buy, /, state: Sell", "message: Buy, state: Sell, /"])
def test_the_message_is_the_first_parameter_of_any_kind(parameters: str) -> None:
    """A message that is given by its place alone is the first parameter all the same."""
    assert messages_in(f"{CLASSES}\n\ndef handle({parameters}): pass\n") == ["Buy"]


@pytest.mark.parametrize("text", ["def f(:\n", "\0", "x = (" * 500, b"\xff\xfe", b"# coding: no-such-thing\n"])
def test_a_text_that_is_no_python_tells_nothing(text: str | bytes) -> None:
    """A module that is being written, or is none, has no answer and no exception."""
    assert messages_in(text) is None


def test_the_files_bytes_are_read_as_python_reads_them() -> None:
    """A byte order mark and a declared encoding are a module's own, as when it is imported."""
    text = module("#: größer", "Buy | Sell")
    assert messages_in(text.encode("utf-8-sig")) == ["Buy", "Sell"]
    assert messages_in(f"# coding: latin-1\n{text}".encode("latin-1")) == ["Buy", "Sell"]


def test_what_python_would_warn_of_is_not_told_at_the_prompt() -> None:
    """A text with an escape that Python knows not is read without a warning, which here would be an error."""
    assert messages_in(module('PATTERN = "\\d"', "Buy | Sell")) == ["Buy", "Sell"]


@pytest.mark.parametrize(("before", "annotation", "questions"), TOLD.values(), ids=TOLD.keys())
def test_questions_are_told_in_the_same_manner(before: str, annotation: str, questions: list[str]) -> None:
    """What `query` takes is told as what `handle` takes, each by itself."""
    text = module("", "Hold") + f"\n\n{before}\n\n\ndef query(question: {annotation}, state: State) -> int: ...\n"
    assert questions_in(text) == questions
    assert messages_in(text) == ["Hold"]


def test_a_module_that_answers_nothing_tells_no_question() -> None:
    """Without `query` the text leaves it to the import, which has no questions either."""
    assert questions_in(module("", "Buy | Sell")) is None


FOLDERS = [
    ROOT / "entities",
    ROOT / "tests/cli/time_lab",
    ROOT / "tests/cli/lab/entities",
    ROOT / "pachyderm_cli/cli/template/entities",
]
MODULES = [file for folder in FOLDERS for file in sorted(folder.glob("[!_]*.py"))]


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(ROOT)))
def test_the_text_says_what_the_module_says(file: Path) -> None:
    """For every module at hand the answer is what its import tells: the same messages in the same order.

    One that takes messages of another module leaves it to the import.
    """
    types = FolderEntityTypes(file.parent)
    try:
        messages = types.get(file.stem).messages
        is_told = len({each.__module__ for each in messages.values()}) == 1
        assert messages_in(file.read_bytes()) == (list(messages) if is_told else None)
    finally:
        types.close()


PROTOCOLS = {
    name: (before, annotation) for name, (before, annotation, _) in TOLD.items() if name != "an annotated alias"
}


@pytest.mark.parametrize(("before", "annotation"), PROTOCOLS.values(), ids=PROTOCOLS.keys())
def test_every_answer_is_the_imports(tmp_path: Path, before: str, annotation: str) -> None:
    """What is told of a protocol however written is what the loaded module takes, in the same order."""
    head, increment, rest = COUNTER.partition("class Increment(")
    text = f"from typing import Union\n{head}{CLASSES}\n\n{before}\n\n\n{increment}{rest}"
    text = text.replace("handle(message: Increment,", f"handle(message: {annotation},")
    assert messages_in(text) == list(load(tmp_path, dedent(text)).messages)
