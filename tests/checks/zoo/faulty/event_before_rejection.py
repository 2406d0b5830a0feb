"""A cash card: it is blocked after three wrong PINs in a row."""

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict

from pachyderm_cli import Event, Message, Rejected

Pin = Literal["0000", "1234", "4711"]


class SetPin(Message):
    pin: Pin


class LogIn(Message):
    pin: Pin


class PinSet(Event):
    pin: str


class LoggedIn(Event):
    pass


class LogInFailed(Event):
    pass


class Card(BaseModel):
    model_config = ConfigDict(frozen=True)

    pin: str | None = None
    failed: int = 0


def init() -> Card:
    """Return the card that has no PIN yet."""
    return Card()


def handle(message: SetPin | LogIn, state: Card) -> Iterator[PinSet | LoggedIn | LogInFailed]:
    """Set the PIN once, and let in who knows it."""
    match message:
        case SetPin(pin=pin):
            if state.pin is not None:
                raise Rejected("there is a PIN")
            yield PinSet(pin=pin)
        case LogIn(pin=pin):
            if state.pin is None or state.failed >= 3:
                raise Rejected("there is no PIN, or the card is blocked")
            if pin != state.pin:
                # FAULT: the rejection takes the event with it: nobody ever counts the wrong PINs.
                yield LogInFailed()
                raise Rejected("the PIN is wrong")
            yield LoggedIn()


def update(event: PinSet | LoggedIn | LogInFailed, state: Card) -> Card:
    """Return the card after `event`."""
    match event:
        case PinSet(pin=pin):
            return Card(pin=pin)
        case LoggedIn():
            return state.model_copy(update={"failed": 0})
        case LogInFailed():
            return state.model_copy(update={"failed": state.failed + 1})
