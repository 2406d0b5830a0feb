"""Kill: writers, workers and followers under random SIGKILL."""

import time
from random import Random

from torture.figure import Figure, Run
from torture.judge.history import read_history
from torture.judge.laws import judge
from torture.load.cast import cast, told, under_fire
from torture.load.crew import Crew


def on_sqlite(run: Run) -> Figure:
    """On a SQLite file."""
    return _kill(run, run.sqlite_url(), "sqlite")


def on_postgres(run: Run) -> Figure:
    """On a Postgres server."""
    return _kill(run, run.postgres_url(), "postgres")


def _kill(run: Run, store_url: str, database: str) -> Figure:
    folder = run.folder(f"kill-{database}")
    wanted = run.size(1000, quick=100)
    random = Random(f"kill:{database}:{run.seed}")  # noqa: S311 - chances, no secrets
    began = time.monotonic()

    def kill(crew: Crew) -> None:
        while crew.kills < wanted:
            time.sleep(random.expovariate(1 / 0.06))
            crew.kill(random.choice(crew.processes))
            run.progress(crew.kills, wanted)

    under_fire(cast(store_url, folder, run.seed), kill)
    history = read_history(folder, store_url, cursors_hold=True)
    numbers = {"kills": wanted, "seconds": round(time.monotonic() - began), **told(history)}
    return Figure(f"kill -9, {database}", numbers, judge(history))
