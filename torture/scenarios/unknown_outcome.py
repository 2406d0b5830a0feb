"""Unknown outcome: connections are cut between a commit that is sent and its answer."""

import time
from random import Random

from torture.faults.cutting import Cut, CuttingProxy
from torture.faults.server import a_server
from torture.figure import Figure, Run
from torture.judge.history import read_history
from torture.judge.laws import judge
from torture.load.cast import cast, outages, told, under_fire

NAME = "postgres commits unanswered"


def on_postgres(run: Run) -> Figure:
    """Cut connections until it has been 500 times where the server had got all of a commit."""
    folder = run.folder("unknown-outcome")
    wanted = run.size(500, quick=100)
    random = Random(f"unknown outcome:{run.seed}")  # noqa: S311 - chances, no secrets
    with a_server() as server:
        proxy = CuttingProxy(server.port, folder / "cuts.jsonl", random, 0.1, wanted)
        try:
            everybody = cast(server.url().replace(str(server.port), str(proxy.port)), folder, run.seed)
            began = time.monotonic()

            def wait(_: object) -> None:
                while (done := _unanswered(proxy)) < wanted:
                    run.progress(done, wanted)
                    time.sleep(0.1)

            under_fire(everybody, wait)
            took = round(time.monotonic() - began)
            cuts = {f"cut {each}": count for each, count in proxy.cuts().items()}
        finally:
            proxy.close()
        history = read_history(folder, server.url())
        return Figure(NAME, {**cuts, "seconds": took, **outages(everybody), **told(history)}, judge(history))


def _unanswered(proxy: CuttingProxy) -> int:
    cuts = proxy.cuts()
    return cuts[Cut.SENT] + cuts[Cut.UNANSWERED]
