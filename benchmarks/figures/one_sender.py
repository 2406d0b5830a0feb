"""One sender, one message a commit, to warm entities."""

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial

from benchmarks.contenders.contender import Contender, require_count, send_in_turn, sending_rate
from benchmarks.contenders.engine import Embedded
from benchmarks.contenders.peer import POSTGRES_VARIANTS, VARIANTS, Peer, PeerDatabase, beside_peers
from benchmarks.contenders.raw_postgres import RawPostgres
from benchmarks.contenders.raw_sqlite import RawSqlite
from benchmarks.results import Figure, Series, ratio
from benchmarks.rounds import alternate
from benchmarks.run import Run

_WARM_UP = 600


def on_sqlite(run: Run) -> Figure:
    """Measure on SQLite, each contender with a file of its own."""
    places, entities = run.places, run.sizes.entities
    contenders: list[Contender] = [
        RawSqlite(places.sqlite_file(), entities),
        RawSqlite(places.sqlite_file(), entities, message_index=False),
        *(Peer(PeerDatabase.sqlite(places.sqlite_file()), entities, variant) for variant in VARIANTS),
        Embedded(places.sqlite_file()),
    ]
    series = measure(run, "one-sender-sqlite", contenders)
    return _figure("one-sender-sqlite", f"one sender, {entities} warm entities, SQLite", series, peer_at_least=2.5)


def on_postgres(run: Run) -> Figure:
    """Measure on Postgres, each contender with a database of its own."""
    places, entities = run.places, run.sizes.entities
    contenders: list[Contender] = [
        RawPostgres(places.postgres_database(), entities),
        RawPostgres(places.postgres_database(), entities, message_index=False),
        *(Peer(PeerDatabase.postgres(places.postgres_database()), entities, variant) for variant in POSTGRES_VARIANTS),
        Embedded(places.postgres_database()),
    ]
    series = measure(run, "one-sender-postgres", contenders)
    return _figure("one-sender-postgres", f"one sender, {entities} warm entities, Postgres", series, peer_at_least=4)


def measure(run: Run, figure: str, contenders: Sequence[Contender]) -> dict[str, Series]:
    """Return the rates of the contenders; afterwards they are closed."""
    sends, entities, rounds = run.sizes.sends, run.sizes.entities, run.sizes.rounds
    with ExitStack() as stack:
        for each in contenders:
            stack.callback(each.close)
            # The first send to an entity makes it; SQLite's write-ahead log then grows for a while, which takes
            # longer than to write where it was written before.
            send_in_turn(each, _WARM_UP, entities)
        series = alternate(
            {each.name: partial(sending_rate, each, sends, entities) for each in contenders},
            "sends/s",
            rounds,
        )
        for each in contenders:
            run.read_back(figure, each)
            require_count(each, _WARM_UP + sends * rounds)
    return series


def _figure(name: str, title: str, series: dict[str, Series], *, peer_at_least: float) -> Figure:
    pachyderm = series["pachyderm"]
    raw, unindexed = [each for label, each in series.items() if label.startswith("raw")]
    comparisons = (
        ratio(pachyderm, raw, at_least=0.75),
        ratio(pachyderm, unindexed),
        *beside_peers(pachyderm, series.values(), at_least=peer_at_least),
    )
    return Figure(name, title, tuple(series.values()), comparisons)
