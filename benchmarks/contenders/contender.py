"""What every contender can do."""

from typing import Protocol

from benchmarks.rounds import rate


class Contender(Protocol):
    """Sends messages to entities 0, 1, … of one database; one acknowledged send is one durable commit."""

    @property
    def name(self) -> str:
        """What the table calls it."""

    @property
    def database(self) -> str:
        """The SQLite file or the Postgres URL that it writes to."""

    def send(self, entity: int) -> None:
        """Send one message that leads to one event, and return when that is durable."""

    def count(self) -> int:
        """Return how many such events are in the database, as another connection reads them."""

    def close(self) -> None:
        """Close every connection."""


class WrongOutcome(Exception):
    """A contender did not do what it was measured doing."""


def send_in_turn(contender: Contender, sends: int, entities: int) -> None:
    """Send that many messages to the entities one after the other, and round again."""
    for number in range(sends):
        contender.send(number % entities)


def sending_rate(contender: Contender, sends: int, entities: int) -> float:
    """Send that many messages in turn, and return how many a second were acknowledged."""
    return rate(sends, lambda: send_in_turn(contender, sends, entities))


def require_count(contender: Contender, expected: int) -> None:
    """Raise WrongOutcome unless the database holds as many events as were sent."""
    found = contender.count()
    if found != expected:
        raise WrongOutcome(f"{contender.name} wrote {found} events where {expected} were sent")
