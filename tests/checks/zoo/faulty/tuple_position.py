"""A drone: where it is on the map, and how often it has moved."""

from typing import Annotated, Any, Literal

from pydantic import Field

from pachyderm_cli import Event, Message, Rejected

Step = Annotated[int, Field(ge=-3, le=3)]


class Launch(Message):
    model: Literal["kite", "hawk"] = "kite"


class Fly(Message):
    east: Step
    north: Step


class Launched(Event):
    model: str


class Flown(Event):
    east: Step
    north: Step


def init() -> dict[str, Any]:
    """Return the drone on the ground."""
    return {"model": None, "position": [0, 0], "moves": 0}


def handle(message: Launch | Fly, state: dict[str, Any]) -> list[Launched | Flown]:
    """Launch it once, then fly."""
    if isinstance(message, Launch):
        if state["model"] is not None:
            raise Rejected("it is in the air")
        return [Launched(model=message.model)]
    if state["model"] is None:
        raise Rejected("it is on the ground")
    return [Flown(east=message.east, north=message.north)]


def update(event: Launched | Flown, state: dict[str, Any]) -> dict[str, Any]:
    """Return the drone after `event`."""
    if isinstance(event, Launched):
        return {**state, "model": event.model}
    x, y = state["position"]
    # FAULT: a tuple in an untyped state is a list when it comes back from a snapshot.
    return {**state, "position": (x + event.east, y + event.north), "moves": state["moves"] + 1}
