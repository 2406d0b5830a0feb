"""A game of dice: the context's dice and clock, a timer that ends a turn, and a shuffle with the event's seed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from pachyderm_cli import CancelTimer, Context, Event, Message, Rejected, Timer

Player = Literal["ann", "bob", "cyd", "dan"]
Die = Annotated[int, Field(ge=1, le=6)]

TURN = timedelta(seconds=30)


class Join(Message):
    player: Player


class Start(Message):
    pass


class Roll(Message):
    count: Annotated[int, Field(ge=1, le=3)] = 2


class Pass(Message):
    pass


class Joined(Event):
    player: str


class Started(Event):
    seed: int
    at: AwareDatetime


class Rolled(Event):
    dice: tuple[Die, ...]


class Passed(Event):
    pass


@dataclass(frozen=True)
class Game:
    order: tuple[str, ...] = ()
    scores: tuple[int, ...] = ()
    turn: int = 0
    started_at: datetime | None = None


def init() -> Game:
    """Return the game that nobody has joined."""
    return Game()


def invariant(state: Game) -> bool:
    """Whether every player has a score, and it is somebody's turn."""
    return len(state.order) == len(state.scores) and (not state.order or state.turn < len(state.order))


def handle(
    message: Join | Start | Roll | Pass, state: Game, context: Context
) -> Iterator[Joined | Started | Rolled | Passed | Timer | CancelTimer]:
    """Let join, start with two at least, then let roll or pass."""
    match message:
        case Join(player=player):
            if state.started_at or player in state.order:
                raise Rejected("too late, or there already")
            yield Joined(player=player)
        case Start():
            if state.started_at or len(state.order) < 2:
                raise Rejected("started already, or too few players")
            yield Started(seed=context.random.getrandbits(32), at=context.now)
            yield Timer("turn", after=TURN, message=Pass())
        case Roll() | Pass() if state.started_at is None:
            raise Rejected("not started")
        case Roll(count=count):
            dice = tuple(context.random.randint(1, 6) for _ in range(count))
            yield Rolled(dice=dice)
            if points(dice):
                yield Timer("turn", after=TURN, message=Pass())
            else:
                yield CancelTimer("turn")
        case Pass():
            yield Passed()
            yield Timer("turn", at=context.now + TURN, message=Pass())


@cache
def points(dice: tuple[int, ...]) -> int:
    """Return what the dice are worth: nothing with a one among them."""
    return 0 if 1 in dice else sum(dice)


def update(event: Joined | Started | Rolled | Passed, state: Game) -> Game:
    """Return the game after `event`."""
    match event:
        case Joined(player=player):
            return replace(state, order=(*state.order, player), scores=(*state.scores, 0))
        case Started(seed=seed, at=at):
            order = list(state.order)
            Random(seed).shuffle(order)  # noqa: S311 - a fair game, no secret
            return replace(state, order=tuple(order), started_at=at)
        case Rolled(dice=dice):
            scores = list(state.scores)
            scores[state.turn] += points(dice)
            return replace(_next(state), scores=tuple(scores))
        case Passed():
            return _next(state)


def _next(state: Game) -> Game:
    return replace(state, turn=(state.turn + 1) % len(state.order))
