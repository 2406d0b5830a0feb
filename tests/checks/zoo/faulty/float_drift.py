"""A tank of heating oil: what is in it, in litres."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_serializer

from pachyderm_cli import Event, Message, Rejected

Litres = Annotated[float, Field(ge=0.125, le=50, allow_inf_nan=False)]

CAPACITY = 1000.0


class Fill(Message):
    litres: Litres


class Burn(Message):
    litres: Litres


class Filled(Event):
    litres: Litres


class Burnt(Event):
    litres: Litres


class Tank(BaseModel):
    model_config = ConfigDict(frozen=True)

    litres: float = 0.0

    @field_serializer("litres")
    def _short(self, litres: float) -> float:
        # FAULT: what is shown nicely is what the snapshot keeps: the rest of the digits is lost.
        return round(litres, 1)


def init() -> Tank:
    """Return the empty tank."""
    return Tank()


def handle(message: Fill | Burn, state: Tank) -> Iterator[Filled | Burnt]:
    """Let in what fits, let out what is there."""
    match message:
        case Fill(litres=litres):
            if state.litres + litres > CAPACITY:
                raise Rejected("it would run over")
            yield Filled(litres=litres)
        case Burn(litres=litres):
            if litres > state.litres:
                raise Rejected(f"there are only {state.litres} litres")
            yield Burnt(litres=litres)


def update(event: Filled | Burnt, state: Tank) -> Tank:
    """Return the tank after `event`."""
    match event:
        case Filled(litres=litres):
            return Tank(litres=state.litres + litres)
        case Burnt(litres=litres):
            return Tank(litres=state.litres - litres)
