"""A water meter: its state is one integer, which only grows until the meter is exchanged."""

from collections.abc import Iterator

from pydantic import Field

from pachyderm_cli import Event, Message, Rejected


class Report(Message):
    reading: int = Field(ge=0, le=99_999)


class Exchange(Message):
    pass


class Consumed(Event):
    litres: int = Field(gt=0)


class Exchanged(Event):
    pass


def init() -> int:
    """Return what a new meter shows."""
    return 0


def invariant(state: int) -> bool:
    """Whether the meter shows what it can show."""
    return 0 <= state <= 99_999


def handle(message: Report | Exchange, state: int) -> Iterator[Consumed | Exchanged]:
    """Take readings in their order; the same again is no news."""
    match message:
        case Report(reading=reading):
            if reading < state:
                raise Rejected(f"the meter showed {state} before")
            if reading > state:
                yield Consumed(litres=reading - state)
        case Exchange():
            yield Exchanged()


def update(event: Consumed | Exchanged, state: int) -> int:
    """Return what the meter shows after `event`."""
    match event:
        case Consumed(litres=litres):
            return state + litres
        case Exchanged():
            return 0
