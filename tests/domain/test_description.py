"""Describing a type: its protocol as JSON Schema, and how its messages are written."""

from pathlib import Path
from typing import Any

import pytest

from pachyderm_cli.domain.description import EffectDelivery, EventPast, Usage, describe, question_usages, usages
from tests.support.modules import load

SOURCE = '''\
"""A till.

For tests."""

from decimal import Decimal
from typing import Any

from pydantic import BaseModel, Field

from pachyderm_cli import Effect, Event, Message, Question


class TopUp(Message):
    """Put money in.

    As much as you like."""

    amount: Decimal
    note: str = Field("", alias="theNote")


class Empty(Message):
    count: int | None = None


class Filled(Event):
    amount: Decimal


class Ring(Effect):
    loud: bool = True

    def dispatch(self, config: dict) -> None:
        pass


class HowMuch(Question):
    pass


class State(BaseModel):
    total: Decimal = Decimal(0)


def init() -> State:
    return State()


def handle(message: TopUp | Empty, state: State) -> list[Filled | Ring]:
    return []


def update(event: Filled, state: State) -> State:
    return state


def query(question: HowMuch, state: State) -> Decimal:
    return state.total
'''


def test_a_description_has_every_schema(tmp_path: Path) -> None:
    """Messages, events, effects, queries and state are there by name, with their fields."""
    description = describe(load(tmp_path, SOURCE, "till"))
    assert (description.type, description.doc) == ("till", "A till.\n\nFor tests.")
    assert description.file == str(tmp_path / "entities" / "till.py")
    assert list(description.messages) == ["TopUp", "Empty"]
    assert set(description.messages["TopUp"]["properties"]) == {"amount", "theNote"}
    assert description.messages["TopUp"]["required"] == ["amount"]
    assert description.messages["TopUp"]["additionalProperties"] is False
    assert list(description.events) == ["Filled"]
    assert list(description.effects["Ring"]["properties"]) == ["loud"]
    assert list(description.deliveries) == ["Ring"]
    assert list(description.queries) == ["HowMuch"]
    assert description.state["title"] == "State"


@pytest.mark.parametrize(
    ("attributes", "delivery"),
    [
        ("", ("at_most_once", 1, None)),
        ("max_attempts = 3; timeout = 2", ("at_most_once", 1, 2)),
        ("delivery = 'at_least_once'", ("at_least_once", 8, None)),
        ("delivery = 'at_least_once'; max_attempts = 3; timeout = 0.5", ("at_least_once", 3, 0.5)),
    ],
)
def test_a_description_says_how_each_effect_is_delivered(
    tmp_path: Path, attributes: str, delivery: tuple[Any, ...]
) -> None:
    """How often it may be tried, which is once for what is delivered at most once, and how long each time."""
    source = SOURCE.replace("    loud: bool = True", f"    {attributes}\n    loud: bool = True")
    assert describe(load(tmp_path, source, "till")).deliveries == {"Ring": EffectDelivery(*delivery)}


def test_a_type_without_schema_is_described_as_far_as_it_goes(tmp_path: Path) -> None:
    """A state that JSON Schema has no words for is None; the rest is there."""
    source = SOURCE.replace(
        "total: Decimal = Decimal(0)", "model_config = {'arbitrary_types_allowed': True}\n    x: object = None"
    )
    description = describe(load(tmp_path, source.replace("x: object", "x: type(lambda: 0)")))
    assert description.state is None
    assert list(description.messages) == ["TopUp", "Empty"]


def test_usages_are_how_messages_are_written(tmp_path: Path) -> None:
    """Spelling, fields with their types (optional ones in brackets), and the first line of what they do."""
    assert usages(load(tmp_path, SOURCE)) == [
        Usage("top-up", ("amount=Decimal", "[theNote=str, default ]"), "Put money in."),
        Usage("empty", ("[count=int | None, default None]",), ""),
    ]


def test_usages_of_questions_are_how_they_are_written(tmp_path: Path) -> None:
    """A question has a usage as a message has."""
    source = SOURCE.replace("class HowMuch(Question):\n    pass", "class HowMuch(Question):\n    times: int = 1")
    assert question_usages(load(tmp_path, source)) == [Usage("how-much", ("[times=int, default 1]",), "")]


def test_a_description_says_how_each_event_was_called_before(tmp_path: Path) -> None:
    """Of each event there are the version that is written and its former names."""
    assert describe(load(tmp_path / "old", SOURCE)).past == {"Filled": EventPast(1, ())}
    changed = """class Filled(Event):
    aliases = ("PaidIn", "Put")
    version = 3

    @staticmethod
    def upcast(data: dict[str, Any], version: int) -> dict[str, Any]:
        return data
"""
    source = SOURCE.replace("class Filled(Event):\n", changed)
    assert describe(load(tmp_path / "new", source)).past == {"Filled": EventPast(3, ("PaidIn", "Put"))}


def test_a_description_says_whether_states_are_kept_for_lookup(tmp_path: Path) -> None:
    """By the module, or by who describes it, since pachyderm.toml may name types as well."""
    plain = load(tmp_path / "plain", SOURCE)
    assert describe(plain).lookup is False
    assert describe(plain, lookup=True).lookup is True
    assert describe(load(tmp_path / "kept", SOURCE.replace("class TopUp", "lookup = True\n\n\nclass TopUp"))).lookup
