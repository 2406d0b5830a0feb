"""How the cost of a send grows: with the events of its entity, and with the events of the store. Drawn by `charts`."""

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from uuid import uuid4

from benchmarks.contenders.contender import require_count, send_in_turn
from benchmarks.contenders.engine import Embedded, open_engine, store_url
from benchmarks.durability import read_back
from benchmarks.filling import fill, named
from benchmarks.project.entities import counter
from benchmarks.results import Figure, Series
from benchmarks.rounds import alternate, seconds
from benchmarks.run import Run
from pachyderm_cli import Pachyderm

_EVENTS_EACH = 100


def of_entity(run: Run) -> Figure:
    """Measure sends to entities of 10, 100, … events, in one store each on SQLite; known to the engine, and not."""
    sizes, name = run.sizes, "growth-entity-sqlite"
    with ExitStack() as stack:
        turns = {}
        files: dict[int, Path] = {}
        for events in _decades(10, sizes.long_events):
            file = files[events] = run.places.sqlite_file()
            reference = "counter:@long"
            fill(file, [named(file, reference)], events)
            known = stack.enter_context(open_engine(file))
            known.snapshot(reference)
            unknown = stack.enter_context(Pachyderm(store_url(file), {"counter": counter}, cached=0))
            turns[f"send, {events:,} events"] = partial(_turn, known, reference, sizes.sends)
            turns[f"load and send, {events:,} events"] = partial(_turn, unknown, reference, sizes.sends)
        for warm_up in turns.values():
            warm_up()
        series = alternate(turns, "ms", sizes.rounds)
        for events, file in files.items():
            run.note(name, f"pachyderm, {events:,} events", read_back(str(file)))
    title = "a send to an entity of so many events, with snapshots; load: nothing in memory; SQLite"
    return Figure(name, title, _in_order(series), ())


def of_store(run: Run) -> Figure:
    """Measure sends into stores of 1,000, 10,000, … events of others on SQLite."""
    sizes, name = run.sizes, "growth-store-sqlite"
    files: dict[int, Path] = {}
    with ExitStack() as stack:
        turns = {}
        for events in _decades(1000, sizes.memory_events):
            files[events] = run.places.sqlite_file()
            fill(files[events], [uuid4() for _ in range(events // _EVENTS_EACH)], _EVENTS_EACH)
            sender = Embedded(files[events])
            stack.callback(sender.close)
            send_in_turn(sender, 2 * sizes.entities, sizes.entities)
            turns[f"send, store of {events:,} events"] = partial(_turns, sender, sizes.sends, sizes.entities)
        series = alternate(turns, "ms", sizes.rounds)
        for events, file in files.items():
            run.note(name, f"pachyderm, {events:,} events", read_back(str(file)))
    for events, file in files.items():
        sender = Embedded(file)
        require_count(sender, events + 1 + 2 * sizes.entities + sizes.sends * sizes.rounds)
        sender.close()
        run.places.drop_sqlite(file)
    return Figure(name, "a send into a store of so many events, SQLite", _in_order(series), ())


def _decades(first: int, last: int) -> list[int]:
    """Return `first`, ten times as many, and so on up to `last`."""
    found = []
    while first <= last:
        found.append(first)
        first *= 10
    return found


def _turn(pachyderm: Pachyderm, reference: str, sends: int) -> float:
    """Return how many milliseconds a send takes."""

    def send() -> None:
        for _ in range(sends):
            pachyderm.send(reference, counter.Increment(amount=1))

    return seconds(send) / sends * 1000


def _turns(sender: Embedded, sends: int, entities: int) -> float:
    return seconds(lambda: send_in_turn(sender, sends, entities)) / sends * 1000


def _in_order(series: dict[str, Series]) -> tuple[Series, ...]:
    return tuple(sorted(series.values(), key=lambda each: each.name.partition(",")[0]))
