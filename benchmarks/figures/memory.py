"""The memory of commands that go through a long history, at its peak, over the same on a history of one event."""

from functools import partial

from benchmarks import command
from benchmarks.contenders.contender import WrongOutcome
from benchmarks.contenders.engine import open_engine, store_url
from benchmarks.filling import fill, named
from benchmarks.results import Comparison, Figure, Series, difference
from benchmarks.rounds import alternate
from benchmarks.run import Run

_NAME = "memory-sqlite"
_COMMANDS = {
    "history --json": ["history", "counter:@long", "--json"],
    "replay": ["replay", "counter:@long"],
    "replay --steps --json": ["replay", "counter:@long", "--steps", "--json"],
    "export": ["export"],
}
_OF_ONE_LINE = "replay"


def on_sqlite(run: Run) -> Figure:
    """Measure whole processes on SQLite. A process of each is enough: memory does not depend on the time of day."""
    long, short = run.places.sqlite_file(), run.places.sqlite_file()
    fill(long, [named(long, "counter:@long")], run.sizes.memory_events)
    with open_engine(short) as pachyderm:
        pachyderm.send("counter:@long", "increment")
    series: list[Series] = []
    comparisons: list[Comparison] = []
    for name, arguments in _COMMANDS.items():
        lines = 1 if name == _OF_ONE_LINE else run.sizes.memory_events
        turns = {
            f"{name}, 1 event": partial(_peak, store_url(short), arguments, 1),
            f"{name}, {run.sizes.memory_events:,} events": partial(_peak, store_url(long), arguments, lines),
        }
        little, much = alternate(turns, "MB", 1).values()
        series += [little, much]
        comparisons.append(difference(much, little, at_most=40))
    run.note(_NAME, "pachyderm history", command.settings_of(store_url(short), *_COMMANDS["history --json"]))
    run.places.drop_sqlite(long)
    title = f"peak memory over {run.sizes.memory_events:,} events of one entity, SQLite"
    return Figure(_NAME, title, tuple(series), tuple(comparisons))


def _peak(store: str, arguments: list[str], lines: int) -> float:
    """Return the peak in MB. Raises WrongOutcome if the command writes fewer lines than there are events to show."""
    found = command.peak(command.on_store(store, *arguments))
    if found.lines < lines:
        raise WrongOutcome(f"{arguments} wrote {found.lines} lines, not {lines}")
    return found.megabytes
