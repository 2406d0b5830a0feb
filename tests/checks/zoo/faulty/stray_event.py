"""A traffic light: it changes from red to green and back, and is switched off for repair."""

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict

from pachyderm_cli import Event, Message, Rejected


class Change(Message):
    pass


class SwitchOff(Message):
    pass


class TurnedRed(Event):
    pass


class TurnedGreen(Event):
    pass


class SwitchedOff(Event):
    pass


class Light(BaseModel):
    model_config = ConfigDict(frozen=True)

    colour: Literal["red", "green"] = "red"
    changes: int = 0


def init() -> Light:
    """Return the red light."""
    return Light()


def handle(message: Change | SwitchOff, state: Light) -> Iterator[Event]:
    """Change the colour, and switch off a light that is red."""
    match message:
        case Change():
            yield TurnedGreen() if state.colour == "red" else TurnedRed()
        case SwitchOff():
            if state.colour != "red":
                raise Rejected("wait until it is red")
            # FAULT: update does not take this event, and `Iterator[Event]` above hides that from the loader.
            yield SwitchedOff()


def update(event: TurnedRed | TurnedGreen, state: Light) -> Light:
    """Return the light after `event`."""
    match event:
        case TurnedRed():
            return Light(colour="red", changes=state.changes + 1)
        case TurnedGreen():
            return Light(colour="green", changes=state.changes + 1)
