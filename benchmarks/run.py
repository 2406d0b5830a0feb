"""One run: its places and sizes, and what is learnt on the way."""

from dataclasses import dataclass, field

from benchmarks.contenders.contender import Contender
from benchmarks.durability import read_back
from benchmarks.places import Places
from benchmarks.sizes import Sizes


@dataclass(frozen=True)
class Run:
    """What every figure is given."""

    places: Places
    sizes: Sizes
    settings: dict[str, str] = field(default_factory=dict)  # what was read back, by figure and contender

    def read_back(self, figure: str, contender: Contender) -> None:
        """Note the durable settings of a contender's connections. Raises NotDurable."""
        self.note(figure, contender.name, read_back(contender.database))

    def note(self, figure: str, name: str, settings: str) -> None:
        """Note durable settings that were read back elsewhere, as in another process."""
        self.settings[f"{figure}: {name}"] = settings
