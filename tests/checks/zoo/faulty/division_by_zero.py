"""The ratings of a hotel: their number, their sum, and their average."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from pachyderm_cli import Event, Message, Rejected

Stars = Annotated[int, Field(ge=1, le=5)]


class Rate(Message):
    stars: Stars


class Retract(Message):
    """Retract the latest rating."""


class Rated(Event):
    stars: Stars


class Retracted(Event):
    stars: Stars


class Ratings(BaseModel):
    model_config = ConfigDict(frozen=True)

    stars: tuple[int, ...] = ()
    average: float = 0.0


def init() -> Ratings:
    """Return the hotel that nobody has rated."""
    return Ratings()


def handle(message: Rate | Retract, state: Ratings) -> Iterator[Rated | Retracted]:
    """Take every rating, retract one that was given."""
    match message:
        case Rate(stars=stars):
            yield Rated(stars=stars)
        case Retract():
            if not state.stars:
                raise Rejected("nobody has rated")
            yield Retracted(stars=state.stars[-1])


def update(event: Rated | Retracted, state: Ratings) -> Ratings:
    """Return the ratings after `event`."""
    match event:
        case Rated(stars=stars):
            rated = (*state.stars, stars)
        case Retracted():
            rated = state.stars[:-1]
    # FAULT: once the only rating is retracted there is none to divide by.
    return Ratings(stars=rated, average=sum(rated) / len(rated))
