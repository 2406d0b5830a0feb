"""What everyone who drains a queue can do."""

from typing import Protocol


class Drainer(Protocol):
    """Carries out, in one process, what is queued in a database of its own."""

    @property
    def database(self) -> str:
        """The SQLite file or the Postgres URL that it works on."""

    def queue(self, jobs: int) -> None:
        """Queue that many jobs, without carrying any out."""

    def drain(self) -> None:
        """Start a worker, and return when nothing more is due."""

    def count_done(self) -> int:
        """Return how many jobs are done, as another connection reads them."""

    def close(self) -> None:
        """Close every connection."""
