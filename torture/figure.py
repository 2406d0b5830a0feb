"""What a scenario is given, and what it gives."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.places import Places
from torture.judge.laws import Breach


@dataclass(frozen=True)
class Figure:
    """What came of a scenario: numbers by name, and every breach that was found."""

    name: str
    numbers: dict[str, Any]
    breaches: list[Breach] = field(default_factory=list)
    skipped: str | None = None
    """Why it could not be run here."""
    left_out: str | None = None
    """Why a part of it could not be run here."""


class Run:
    """A run: its seed, how much of everything, and where its databases and notes go."""

    def __init__(self, places: Places, seed: int, *, quick: bool) -> None:
        """Run in these places. A `quick` run is the bounded part of it."""
        self._places = places
        self.seed = seed
        self.quick = quick

    def size(self, full: int, quick: int) -> int:
        """Return how often, in this run."""
        return quick if self.quick else full

    def folder(self, name: str) -> Path:
        """Make a folder for a scenario's notes."""
        folder = self._places.folder / name
        folder.mkdir()
        return folder

    def sqlite_url(self) -> str:
        """Return the URL of a store in a file that is not there yet."""
        return f"sqlite:///{self._places.sqlite_file()}"

    def postgres_url(self) -> str:
        """Return the URL of an empty database on the run's server."""
        return self._places.postgres_database().replace("postgresql://", "postgresql+psycopg://")

    def progress(self, done: int, wanted: int) -> None:
        """Show how far a scenario is, on a terminal alone."""
        if sys.stderr.isatty():
            print(f"\r{done}/{wanted}", end="" if done < wanted else "\r\x1b[K", file=sys.stderr, flush=True)
