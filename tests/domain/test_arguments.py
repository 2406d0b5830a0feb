"""Messages from what people write: names, mappings, JSON and FIELD=VALUE."""

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from types import SimpleNamespace
from typing import Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, PositiveInt

from pachyderm_cli import Event, Message
from pachyderm_cli.domain.arguments import message_from_fields, message_from_json, message_from_mapping
from pachyderm_cli.domain.protocol import read_entity
from pachyderm_cli.errors import InvalidMessage, UnknownMessage


class Colour(Enum):
    RED = "red"


class Address(BaseModel):
    city: str


class SendOut(Message):
    text: str = ""
    count: int = 0
    positive: PositiveInt = 1
    share: float = 0.0
    flag: bool = False
    money: Decimal = Decimal(0)
    day: date | None = None
    at: datetime | None = None
    identifier: UUID | None = None
    colour: Colour | None = None
    kind: Literal["a", "b"] = "a"
    items: list[int] = Field(default_factory=list)
    mapping: dict[str, int] = Field(default_factory=dict)
    address: Address | None = None
    maybe: str | None = "x"
    anything: Any = None
    two_words: int = 0
    renamed: int = Field(default=0, alias="otherName")


class Required(Message):
    amount: int
    name: str


class Sent(Event):
    pass


def handle(_message: SendOut | Required, _state: int) -> list[Sent]:
    """Decide nothing."""
    return []


def update(_event: Sent, state: int) -> int:
    """Fold nothing."""
    return state


ENTITY = read_entity("post", SimpleNamespace(handle=handle, update=update))


@pytest.mark.parametrize(
    ("field", "attribute", "value"),
    [
        ("text=", "text", ""),
        ("text=a=b", "text", "a=b"),
        ("text=12", "text", "12"),
        ("text=null", "text", "null"),
        ("text=[1]", "text", "[1]"),
        ("text= spaced ", "text", " spaced "),
        ("count=-3", "count", -3),
        ("positive=5", "positive", 5),
        ("share=0.1", "share", 0.1),
        ("flag=true", "flag", True),
        ("flag=no", "flag", False),
        ("flag=0", "flag", False),
        ("money=10.50", "money", Decimal("10.50")),
        ("day=2026-01-31", "day", date(2026, 1, 31)),
        ("at=2026-01-31T10:00:00Z", "at", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("identifier=00000000-0000-0000-0000-000000000007", "identifier", UUID(int=7)),
        ("colour=red", "colour", Colour.RED),
        ("kind=b", "kind", "b"),
        ("items=[1, 2]", "items", [1, 2]),
        ('mapping={"a": 1}', "mapping", {"a": 1}),
        ('address={"city": "Rome"}', "address", Address(city="Rome")),
        ("maybe=y", "maybe", "y"),
        ("anything=text", "anything", "text"),
        ("two_words=1", "two_words", 1),
        ("two-words=1", "two_words", 1),
        ("otherName=4", "renamed", 4),
    ],
)
def test_a_value_is_read_by_its_field_s_type(field: str, attribute: str, value: object) -> None:
    """Plain text where the type reads that, JSON where it does not."""
    message = message_from_fields(ENTITY, "send-out", [field])
    read = getattr(message, attribute)
    assert (read, type(read)) == (value, type(value))


def test_several_fields_make_one_message() -> None:
    """Fields go together in any order."""
    assert message_from_fields(ENTITY, "required", ["name=x", "amount=2"]) == Required(amount=2, name="x")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (["amount"], "'amount' is not FIELD=VALUE"),
        (["=1"], "'=1' is not FIELD=VALUE"),
        (["amunt=1"], "Required has no field 'amunt'; did you mean amount?"),
        (["amount=1", "amount=2"], "the field amount is given twice"),
        (["amount=many", "name=x"], "Required.amount: Input should be a valid integer"),
        (["amount=many", "name=x"], "not 'many'"),
        (["amount=1.5", "name=x"], "Required.amount: Input should be a valid integer"),
        (["amount=null", "name=x"], "Required.amount: "),
        (["amount=1"], "Required.name: Field required"),
        ([], "Required.amount: Field required; Required.name: Field required"),
    ],
)
def test_bad_fields_are_refused(fields: list[str], said: str) -> None:
    """The error names the message, the field, what is wrong and what was given."""
    with pytest.raises(InvalidMessage) as caught:
        message_from_fields(ENTITY, "required", fields)
    assert said in caught.value.message


@pytest.mark.parametrize("name", ["send-out", "SendOut", "sendout", "SEND_OUT"])
def test_a_message_is_found_in_any_spelling(name: str) -> None:
    """The name is the class's, written as on the command line or as in Python."""
    assert message_from_mapping(ENTITY, name, {"text": "x"}) == SendOut(text="x")
    assert message_from_json(ENTITY, name, '{"text": "x"}') == SendOut(text="x")


def test_an_unknown_message_is_told_what_there_is() -> None:
    """The nearest name is suggested, in the command's spelling."""
    with pytest.raises(UnknownMessage, match="did you mean send-out") as caught:
        message_from_mapping(ENTITY, "sendoff", {})
    assert caught.value.details == {"entity_type": "post", "name": "sendoff"}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"amount": 1, "name": "x", "nmae": "y"}, "Required.nmae: there is no such field; did you mean name?"),
        ({"amount": "many", "name": "x"}, "Required.amount: "),
        ({"amount": [1], "name": "x"}, "Required.amount: "),
    ],
)
def test_bad_data_are_refused(data: dict[str, Any], said: str) -> None:
    """Unknown and ill-typed fields are named with their path."""
    with pytest.raises(InvalidMessage) as caught:
        message_from_mapping(ENTITY, "required", data)
    assert said in caught.value.message


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", '{"amount": 1', b"\xff", '{"amount": NaN, "name": ""}'])
def test_bad_json_is_refused(text: str | bytes) -> None:
    """What is no JSON object, or not whole, is an invalid message."""
    with pytest.raises(InvalidMessage):
        message_from_json(ENTITY, "required", text)


def test_many_problems_are_counted() -> None:
    """Three are told, the others are numbered; a long value is cut."""
    with pytest.raises(InvalidMessage, match=r"and 2 more$") as caught:
        message_from_mapping(ENTITY, "required", {"amount": "x" * 500, "a": 1, "b": 2, "c": 3})
    assert len(caught.value.message) < 500


@pytest.mark.parametrize("literal", ["12345678901234567.891", "0.12345678901234567891", "1e400"])
def test_a_number_that_a_decimal_would_not_get_exactly_is_refused(literal: str) -> None:
    """JSON numbers pass through binary floats; what would lose digits there is to be written as text."""
    with pytest.raises(InvalidMessage, match="more digits"):
        message_from_json(ENTITY, "send-out", f'{{"money": {literal}}}')
    if "e" not in literal:
        exact = message_from_json(ENTITY, "send-out", f'{{"money": "{literal}"}}')
        assert exact == SendOut(money=Decimal(literal))


@pytest.mark.parametrize("literal", ["10.10", "0.1", "3", "1e3", "-0.25"])
def test_a_number_of_usual_length_is_taken(literal: str) -> None:
    """Numbers that a float keeps are the same as a Decimal."""
    sent = message_from_json(ENTITY, "send-out", f'{{"money": {literal}}}')
    assert isinstance(sent, SendOut)
    assert sent.money == Decimal(literal)
