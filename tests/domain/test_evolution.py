"""What a module says of its events' past: read with it, and refused where it is wrong."""

from pathlib import Path

import pytest

from pachyderm_cli.errors import EntityLoadError
from tests.support.modules import COUNTER, line_of, load

WRONG = {
    "a name that is no tuple": ('aliases = "Grown"', 'write a tuple of names, aliases = ("FormerName",)'),
    "no names": ("aliases = (1, 2)", "write a tuple of names"),
    "a number": ("aliases = 5", "write a tuple of names"),
    "None": ("aliases = None", "write a tuple of names"),
    "version 0": ("version = 0", "has version = 0: write a whole number from 1"),
    "a text": ('version = "2"', "write a whole number from 1"),
    "a boolean": ("version = True", "write a whole number from 1"),
    "no upcast": ("version = 2", "no upcast(data, version)"),
    "an upcast that is no function": ("version = 2\n    upcast = 3", "no upcast(data, version)"),
    "an upcast of an event": (
        "version = 2\n\n    def upcast(self, data, version):\n        return data",
        "write it with @staticmethod or @classmethod",
    ),
}


def with_past(past: str, source: str = COUNTER) -> str:
    """Return the counter whose event says that of its past."""
    past = past.replace("upcast = 3", "upcast: ClassVar[int] = 3")
    head = "from typing import ClassVar\n\n"
    return head + source.replace("class Increased(Event):\n", f"class Increased(Event):\n    {past}\n\n")


@pytest.mark.parametrize(("past", "told"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_refused(tmp_path: Path, past: str, told: str) -> None:
    """The module does not load; the error names file, line, class, and what to write."""
    source = with_past(past)
    with pytest.raises(EntityLoadError) as caught:
        load(tmp_path, source)
    assert told in caught.value.message
    assert "Increased" in caught.value.message
    assert (caught.value.details["line"]) == line_of(source, "class Increased")
    assert str(caught.value.details["file"]).endswith("entity.py")


def test_a_former_name_belongs_to_one_class(tmp_path: Path) -> None:
    """Two classes with the same former name are refused: which of them is meant, nobody could tell."""
    source = with_past('aliases = ("Grown",)').replace(
        "\n\ndef handle", '\n\nclass Reset(Event):\n    aliases = ("Grown", "Zero")\n\n\ndef handle'
    )
    source = source.replace("event: Increased,", "event: Increased | Reset,")
    with pytest.raises(EntityLoadError, match="the event Reset has the former name 'Grown'") as caught:
        load(tmp_path, source)
    assert caught.value.details["line"] == line_of(source, "class Reset")


def test_a_name_of_its_own_wins(tmp_path: Path) -> None:
    """Where a new class took a former name, events of that name are read as the new class."""
    source = with_past('aliases = ("Reset",)').replace(
        "\n\ndef handle", "\n\nclass Reset(Event):\n    pass\n\n\ndef handle"
    )
    source = source.replace("event: Increased,", "event: Increased | Reset,")
    entity = load(tmp_path, source)
    assert type(entity.read_event("Reset", "{}", 1)).__name__ == "Reset"


def test_lists_and_former_names_are_read(tmp_path: Path) -> None:
    """A list of names is as good as a tuple, and each name is one that an event may be stored under."""
    entity = load(tmp_path, with_past('aliases = ["Grown", "Risen"]').replace("aliases", "aliases: ClassVar"))
    assert set(entity.event_names) == {"Increased", "Grown", "Risen"}
    assert entity.read_event("Risen", '{"amount":1}', 1) == entity.read_event("Increased", '{"amount":1}', 1)
