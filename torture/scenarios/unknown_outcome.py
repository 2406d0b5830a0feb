"""Unknown outcome: connections are cut between a commit that is sent and its answer."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random

from torture.faults.cutting import Cut, CuttingProxy
from torture.faults.server import a_server
from torture.figure import Figure, Run
from torture.judge.faults import the_faults_happened
from torture.judge.history import History, read_history
from torture.judge.laws import Breach, judge
from torture.load.cast import cast, outages, told, under_fire

NAME = "postgres commits unanswered"

Cuts = Sequence[tuple[Cut, list[str]]]


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
                while (done := _unanswered(proxy.cuts())) < wanted:
                    run.progress(done, wanted)
                    time.sleep(0.1)

            under_fire(everybody, wait)
            took = round(time.monotonic() - began)
            cuts, again = proxy.cuts(), proxy.written_again()
        finally:
            proxy.close()
        history = read_history(folder, server.url())
        numbers = {**_told(cuts), **_found(cuts, again, history), "seconds": took, **outages(everybody)}
        breaches = [*judge(history), *what_did_not_happen(cuts, again, history, wanted)]
        return Figure(NAME, {**numbers, **told(history)}, breaches)


def _unanswered(cuts: Cuts) -> int:
    return sum(bool(messages) and cut in (Cut.SENT, Cut.UNANSWERED) for cut, messages in cuts)


def _told(cuts: Cuts) -> dict[str, int]:
    """Return how often a commit of a send was cut, by when, and how often one of anything else."""
    sends = Counter(cut for cut, messages in cuts if messages)
    return {**{f"sends cut {each}": sends[each] for each in Cut}, "other commits cut": len(cuts) - sends.total()}


def _found(cuts: Cuts, again: Sequence[tuple[int, str]], history: History) -> dict[str, int]:
    """Return how many messages of which the server had got all were in the log at once, and how many not.

    What is in the log in the end and was not written again got there by the commit that was cut.
    """
    logged, written_again = {row.message_id.replace("-", "") for row in history.rows}, set(again)
    doubtful = [
        (at, message)
        for at, (cut, messages) in enumerate(cuts)
        if cut in (Cut.SENT, Cut.UNANSWERED)
        for message in messages
    ]
    found = sum(each[1] in logged and each not in written_again for each in doubtful)
    return {"cut messages in the log": found, "cut messages not in the log": len(doubtful) - found}


def what_did_not_happen(
    cuts: Cuts, again: Sequence[tuple[int, str]], history: History, wanted: int
) -> Iterator[Breach]:
    """Yield what was to be met and was not: enough cuts, each kind of them, and both outcomes."""
    if _unanswered(cuts) < wanted:
        yield Breach(
            the_faults_happened.__name__,
            f"{_unanswered(cuts)} commits of sends were cut where the server had all, not {wanted}",
        )
    numbers = _told(cuts) | _found(cuts, again, history)
    needed = [f"sends cut {each}" for each in Cut if each is not Cut.MISSED]
    names = (*needed, "cut messages in the log", "cut messages not in the log")
    yield from the_faults_happened({name: numbers[name] for name in names})
