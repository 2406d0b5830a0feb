"""An entity for tests whose every answer depends on its state: it takes up to a limit, rejects, and may do nothing."""

from collections.abc import Iterator

from pydantic import BaseModel

from pachyderm_cli import Event, Message, Rejected


class Take(Message):
    """Take one, or be rejected when all are taken."""


class TakeFirst(Message):
    """Take one if nothing is taken; lead to nothing otherwise."""


class GiveBack(Message):
    """Give back all that is taken, or be rejected when nothing is."""


class Taken(Event):
    pass


class GivenBack(Event):
    pass


class State(BaseModel, frozen=True):
    taken: int = 0


LIMIT = 3


def init() -> State:
    """Return the state in which nothing is taken."""
    return State()


def handle(message: Take | TakeFirst | GiveBack, state: State) -> Iterator[Taken | GivenBack]:
    """Do what the message's own description says."""
    match message:
        case Take():
            if state.taken == LIMIT:
                raise Rejected("all are taken")
            yield Taken()
        case TakeFirst():
            if state.taken == 0:
                yield Taken()
        case GiveBack():
            if state.taken == 0:
                raise Rejected("nothing is taken")
            yield GivenBack()


def update(event: Taken | GivenBack, state: State) -> State:
    """Return the state after `event`."""
    match event:
        case Taken():
            return State(taken=state.taken + 1)
        case GivenBack():
            return State()
