"""A repair shop: devices come in, get a job number, and go out repaired."""

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict

from pachyderm_cli import Event, Message, Rejected

_last_number = 0


class TakeIn(Message):
    device: Literal["phone", "watch", "radio"]


class HandOut(Message):
    pass


class TakenIn(Event):
    number: int
    device: str


class HandedOut(Event):
    number: int


class Shop(BaseModel):
    model_config = ConfigDict(frozen=True)

    jobs: dict[int, str] = {}


def init() -> Shop:
    """Return the empty shop."""
    return Shop()


def handle(message: TakeIn | HandOut, state: Shop) -> Iterator[TakenIn | HandedOut]:
    """Take everything in, hand out the oldest."""
    global _last_number  # noqa: PLW0603
    match message:
        case TakeIn(device=device):
            # FAULT: a number of the process's own, which every retry of the decision counts on.
            _last_number += 1
            yield TakenIn(number=_last_number, device=device)
        case HandOut():
            if not state.jobs:
                raise Rejected("there is nothing to hand out")
            yield HandedOut(number=min(state.jobs))


def update(event: TakenIn | HandedOut, state: Shop) -> Shop:
    """Return the shop after `event`."""
    match event:
        case TakenIn(number=number, device=device):
            return Shop(jobs={**state.jobs, number: device})
        case HandedOut(number=out):
            return Shop(jobs={number: device for number, device in state.jobs.items() if number != out})
