"""The settings of a device: an untyped dict with nothing in it but what JSON keeps."""

from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, StrictInt

from pachyderm_cli import Event, Message, Rejected

Key = Literal["volume", "dark", "name", "alarm"]
Text = Annotated[str, Field(max_length=20)]
Volume = Annotated[StrictInt, Field(ge=0, le=11)]
Hours = Annotated[list[Volume], Field(max_length=3)]


class Set(Message):
    key: Key
    value: StrictBool | Volume | Text | Hours | None = None


class Reset(Message):
    key: Key | None = None


class Changed(Event):
    key: str
    value: Any


class Removed(Event):
    keys: tuple[str, ...]


def init() -> dict:
    """Return the device as it comes."""
    return {"name": "device", "changes": {"count": 0, "last": None}}


def handle(message: Set | Reset, state: dict) -> list[Changed | Removed]:
    """Change what is not so already; the name stays."""
    if isinstance(message, Set):
        if message.key == "name" and not isinstance(message.value, str):
            raise Rejected("a name is text")
        known = message.key in state and type(state[message.key]) is type(message.value)
        same = known and state[message.key] == message.value
        return [] if same else [Changed(key=message.key, value=message.value)]
    if message.key == "name":
        raise Rejected("the name stays")
    candidates = [message.key] if message.key else ["volume", "dark", "alarm"]
    present = tuple(key for key in candidates if key in state)
    return [Removed(keys=present)] if present else []


def update(event: Changed | Removed, state: dict) -> dict:
    """Return the settings after `event`."""
    changes = {"count": state["changes"]["count"] + 1, "last": type(event).__name__}
    match event:
        case Changed(key=key, value=value):
            return {**state, key: value, "changes": changes}
        case Removed(keys=keys):
            return {**{key: value for key, value in state.items() if key not in keys}, "changes": changes}
