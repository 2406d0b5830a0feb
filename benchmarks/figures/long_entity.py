"""A cold process that sends to an entity with a long history and a snapshot, against one with a short history."""

from functools import partial

from benchmarks import command
from benchmarks.contenders.contender import WrongOutcome
from benchmarks.contenders.engine import open_engine, store_url
from benchmarks.filling import fill, named
from benchmarks.results import Figure, ratio
from benchmarks.rounds import alternate
from benchmarks.run import Run

_NAME = "long-entity-sqlite"
_SHORT = 10


def on_sqlite(run: Run) -> Figure:
    """Measure on SQLite: both entities are in one store."""
    sizes, file = run.sizes, run.places.sqlite_file()
    store = store_url(file)
    fill(file, [named(file, "counter:@long")], sizes.long_events)
    # By the command, whose sends are to trust it: a snapshot carries the fingerprint of the code that took it.
    command.milliseconds(command.on_store(store, "snapshot", "counter:@long"))
    with open_engine(file) as pachyderm:
        if not pachyderm.snapshots("counter:@long"):
            raise WrongOutcome("no snapshot was taken")
        for _ in range(_SHORT):
            pachyderm.send("counter:@short", "increment")

    def send(entity: str) -> float:
        return command.milliseconds(command.on_store(store, "send", f"counter:@{entity}", "increment"))

    turns = {
        f"send to {_SHORT} events": partial(send, "short"),
        f"send to {sizes.long_events:,} events": partial(send, "long"),
    }
    for warm_up in turns.values():
        warm_up()
    series = alternate(turns, "ms", sizes.process_rounds)
    with open_engine(file) as pachyderm:
        _require(pachyderm.find("counter:@long").version, sizes.long_events + 1 + sizes.process_rounds)
        _require(pachyderm.find("counter:@short").version, _SHORT + 1 + sizes.process_rounds)
    run.note(_NAME, "pachyderm send", command.settings_of(store, "send", "counter:@long", "increment"))
    short, long = series.values()
    title = f"send to an entity of {sizes.long_events:,} events with a snapshot, cold process, SQLite"
    return Figure(_NAME, title, (short, long), (ratio(long, short, at_most=1.3),))


def _require(version: int, expected: int) -> None:
    if version != expected:
        raise WrongOutcome(f"the entity is at version {version}, not {expected}")
