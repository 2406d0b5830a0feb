"""Pachyderm, embedded in a program, sending messages that lead to one event, and to a durable effect or to none."""

from pathlib import Path

from benchmarks.contenders.contender import WrongOutcome
from benchmarks.contenders.engine import count_events
from benchmarks.contenders.outbox import count_done, open_notifier
from benchmarks.project.entities import notifier


class Notifying:
    """`Pachyderm.send` with everything at its default."""

    def __init__(self, where: Path | str, *, with_effect: bool) -> None:
        """Send to a SQLite file or a Postgres URL a message that sets off a durable effect, or nothing."""
        self.name = "send, one durable effect" if with_effect else "send, no effect"
        self.database = str(where)
        self._message = notifier.NoteAndNotify() if with_effect else notifier.Note()
        self._expected = ["done"] if with_effect else []
        self._pachyderm = open_notifier(where)

    def send(self, entity: int) -> None:
        """Send one message. Raises WrongOutcome unless what it sets off is done when it answers."""
        effects = self._pachyderm.send(f"notifier:@e{entity}", self._message).effects
        if [each.status for each in effects] != self._expected:
            raise WrongOutcome(f"{self.name} had the effects {effects}")

    def count(self) -> int:
        """Return how many events there are. Raises WrongOutcome unless the outbox says as much of their effects.

        What is still to be written of them is written before.
        """
        list(self._pachyderm.effects())
        events, done = count_events(self.database), count_done(self.database)
        if done != events * len(self._expected):
            raise WrongOutcome(f"{self.name} has {done} effects done beside {events} events")
        return events

    def close(self) -> None:
        """Close its connections."""
        self._pachyderm.close()
