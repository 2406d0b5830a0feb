"""What is to be sent, from what a caller says: held to the entity's protocol however it was written."""

from pathlib import Path

import pytest

from pachyderm_cli import Pachyderm
from pachyderm_cli.engine.loader import FolderEntityTypes
from pachyderm_cli.errors import UnknownMessage
from tests.support.modules import write

STRAYING = """
from typing import Any

from pydantic import model_validator

from pachyderm_cli import Event, Message


class Hidden(Message):
    x: int


class Stray(Message):
    x: int

    @model_validator(mode="wrap")
    @classmethod
    def otherwise(cls, value: Any, handler: Any) -> Any:
        return Hidden(x=7) if handler(value).x else 5


class Done(Event):
    pass


def handle(message: Stray, state: None) -> list[Done]:
    return [Done()]


def update(event: Done, state: None) -> None:
    return None
"""


@pytest.mark.parametrize(("x", "said"), [(1, "takes no message of the class .*Hidden"), (0, "not int")])
@pytest.mark.parametrize("as_text", [False, True])
def test_what_a_validator_makes_of_a_message_is_held_to_the_protocol(
    tmp_path: Path, x: int, said: str, *, as_text: bool
) -> None:
    """A message by name is refused where its class's own validator returns something that `handle` does not take."""
    types = FolderEntityTypes(write(tmp_path, {"stray": STRAYING}))
    with Pachyderm(f"sqlite:///{tmp_path / 'a.db'}", types) as engine:
        data = f'{{"x": {x}}}' if as_text else {"x": x}
        with pytest.raises(UnknownMessage, match=said):
            engine.request("stray:@a", "stray", data)
        with pytest.raises(UnknownMessage, match=said):
            engine.send("stray:@a", "stray", data)
        assert list(engine.entities()) == []
