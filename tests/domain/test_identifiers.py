"""Ids that pachyderm makes, and the fingerprint that binds a message id to its message."""

import os
import subprocess
import sys
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import ConfigDict, Field

from pachyderm_cli import Message
from pachyderm_cli.domain.codec import Unfaithful
from pachyderm_cli.domain.identifiers import effect_id, message_fingerprint, new_message_id

ROOT = Path(__file__).resolve().parents[2]
ENTITY = UUID(int=7)

_OF_SETS = """
from uuid import UUID
from pydantic import BaseModel, ConfigDict, RootModel
from pachyderm_cli import Message
from pachyderm_cli.domain.identifiers import message_fingerprint

class Part(BaseModel):
    model_config = ConfigDict(frozen=True)
    labels: frozenset[str]

class Parts(RootModel[set[str]]):
    pass

class Tag(Message):
    labels: set[str]
    parts: frozenset[Part]
    by_name: dict[str, set[str]]
    rooted: Parts

words = {f"word {number}" for number in range(20)}
tag = Tag(labels=words, parts=[Part(labels=words), Part(labels=[])], by_name={"a": words}, rooted=words)
print(message_fingerprint(UUID(int=7), tag))
"""


class Pay(Message):
    amount: Decimal
    note: str = ""
    tags: set[str] = Field(default_factory=set)
    extra: Any = None


class PayMore(Message):
    amount: Decimal
    note: str = ""


class Aliased(Message):
    model_config = ConfigDict(populate_by_name=True)

    amount: int = Field(default=0, alias="theAmount")


def test_message_ids_are_uuid7_in_time_order() -> None:
    """Ids are of version 7 and of the RFC's variant, are all different, and their first bits never go back."""
    made = [new_message_id() for _ in range(1000)]
    assert {identifier.version for identifier in made} == {7}
    assert {identifier.variant for identifier in made} == {"specified in RFC 4122"}
    assert len(set(made)) == 1000
    times = [identifier.int >> 80 for identifier in made]
    assert times == sorted(times)


def test_a_message_id_is_a_uuid_like_any_other() -> None:
    """It equals, hashes, prints and copies as the UUID that is read from its text."""
    made = new_message_id()
    read = UUID(str(made))
    assert (made, hash(made), repr(made), made.bytes, made.is_safe) == (
        read,
        hash(read),
        repr(read),
        read.bytes,
        read.is_safe,
    )
    assert deepcopy(made) == made
    assert made < UUID(int=2**128 - 1)


def test_a_forked_process_makes_ids_of_its_own() -> None:
    """A child does not go on where its parent's randomness stood: nothing of one's ids is in the other's."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writer, b"".join(new_message_id().bytes for _ in range(20)))
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(writer)
    told = os.read(reader, 1000)
    os.close(reader)
    of_child = {told[at + 6 : at + 16] for at in range(0, len(told), 16)}
    of_parent = {new_message_id().bytes[6:] for _ in range(20)}
    assert len(of_child) == len(of_parent) == 20
    assert not of_child & of_parent


def test_effect_ids_follow_from_message_and_place() -> None:
    """The same effect of the same message always has the same id, any other another."""
    message_id = uuid4()
    ids = [effect_id(message_id, index) for index in range(10)]
    assert ids == [effect_id(message_id, index) for index in range(10)]
    assert len({*ids, effect_id(uuid4(), 0)}) == 11


@pytest.mark.parametrize(
    "same",
    [
        Pay(amount=Decimal("1.50")),
        Pay.model_validate({"amount": "1.50"}),
        Pay.model_validate_json('{"amount": "1.50"}'),
    ],
)
def test_the_same_message_has_the_same_fingerprint(same: Pay) -> None:
    """A field at its default counts as left out."""
    assert message_fingerprint(ENTITY, same) == message_fingerprint(ENTITY, Pay(amount=Decimal("1.50")))


@pytest.mark.parametrize(
    "other",
    [
        Pay(amount=Decimal("1.51")),
        Pay(amount=Decimal("1.50"), note="x"),
        Pay(amount=Decimal("1.50"), tags={"x"}),
        PayMore(amount=Decimal("1.50")),
    ],
)
def test_another_message_has_another_fingerprint(other: Message) -> None:
    """Any field, and the class, count."""
    assert message_fingerprint(ENTITY, other) != message_fingerprint(ENTITY, Pay(amount=Decimal("1.50")))


def test_another_entity_has_another_fingerprint() -> None:
    """The same message to another entity is another send."""
    pay = Pay(amount=Decimal(1))
    assert message_fingerprint(ENTITY, pay) != message_fingerprint(UUID(int=8), pay)


def test_aliases_do_not_matter() -> None:
    """However the message was written, it is the same."""
    aliased = Aliased.model_validate({"theAmount": 3})
    assert message_fingerprint(ENTITY, aliased) == message_fingerprint(ENTITY, Aliased(amount=3))  # type: ignore[call-arg]  # by name


def test_equal_messages_have_equal_fingerprints() -> None:
    """The order of a mapping's keys is no part of the message."""
    one, two = Pay(amount=Decimal(1), extra={"a": 1, "b": 2}), Pay(amount=Decimal(1), extra={"b": 2, "a": 1})
    assert one == two
    assert message_fingerprint(ENTITY, one) == message_fingerprint(ENTITY, two)


def test_the_order_of_a_set_does_not_matter() -> None:
    """Processes order the members of a set differently, and make the same fingerprint: a retry is a retry."""
    made = {
        subprocess.run(
            [sys.executable, "-c", _OF_SETS],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(made) == 1


@pytest.mark.parametrize("value", ["\ud800", object(), 10**5000], ids=["surrogate", "object", "long"])
def test_a_message_that_json_cannot_hold_has_none(value: object) -> None:
    """It is refused with the path of what cannot be written."""
    with pytest.raises(Unfaithful):
        message_fingerprint(ENTITY, Pay(amount=Decimal(1), extra=[value]))
