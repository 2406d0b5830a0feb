"""What a send costs that sets off a durable effect, done before it answers, over one that sets off nothing."""

from contextlib import ExitStack
from functools import partial

from benchmarks.contenders.contender import Contender, require_count, send_in_turn
from benchmarks.contenders.notifying import Notifying
from benchmarks.results import Figure, ratio
from benchmarks.rounds import alternate, seconds
from benchmarks.run import Run

_WARM_UP = 600


def on_sqlite(run: Run) -> Figure:
    """Measure on SQLite, each message with a file of its own."""
    without, with_one = (Notifying(run.places.sqlite_file(), with_effect=each) for each in (False, True))
    return _measure(run, "durable-effect-sqlite", "SQLite", without, with_one)


def on_postgres(run: Run) -> Figure:
    """Measure on Postgres, each message with a database of its own."""
    without, with_one = (Notifying(run.places.postgres_database(), with_effect=each) for each in (False, True))
    return _measure(run, "durable-effect-postgres", "Postgres", without, with_one)


def _measure(run: Run, name: str, database: str, without: Notifying, with_one: Notifying) -> Figure:
    sizes = run.sizes
    with ExitStack() as stack:
        for each in (without, with_one):
            stack.callback(each.close)
            send_in_turn(each, _WARM_UP, sizes.entities)
        turns = {each.name: partial(_turn, each, sizes.sends, sizes.entities) for each in (without, with_one)}
        series = alternate(turns, "ms", sizes.rounds)
        for each in (without, with_one):
            # The count first: it leaves the engine's own threads nothing to do on the connections.
            require_count(each, _WARM_UP + sizes.sends * sizes.rounds)
            run.read_back(name, each)
    before, after = series.values()
    title = f"a send with a durable effect, {sizes.entities} warm entities, {database}"
    return Figure(name, title, (before, after), (ratio(after, before, at_most=1.5),))


def _turn(contender: Contender, sends: int, entities: int) -> float:
    """Return how many milliseconds a send takes."""
    return seconds(lambda: send_in_turn(contender, sends, entities)) / sends * 1000
