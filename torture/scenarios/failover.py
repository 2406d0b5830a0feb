"""Failover: the primary is killed while writers run, its synchronous standby takes over, and so on in turn."""

import time
from contextlib import ExitStack
from random import Random

from torture.faults.server import Server, a_server, standby_of
from torture.figure import Figure, Run
from torture.judge.history import read_history
from torture.judge.laws import judge
from torture.load.cast import Cast, cast, outages, told, under_fire, wait_for_sends

NAME = "postgres failover"


def on_postgres(run: Run) -> Figure:
    """Two servers at two ports, one of them the primary: the clients' URL names both."""
    folder = run.folder("failover")
    began = time.monotonic()
    with ExitStack() as stack:
        pair = _Pair(stack)
        everybody = cast(pair.url(), folder, run.seed)
        slowest = list[float]()
        under_fire(everybody, lambda _: slowest.extend(_fail_over_and_over(run, pair, everybody)))
        took = round(time.monotonic() - began)
        history = read_history(folder, pair.primary.url())
        numbers = {
            "failovers": len(slowest),
            "seconds": took,
            "until all writers went on": f"{max(slowest):.1f} s at most",
            **outages(everybody),
            **told(history),
        }
        return Figure(NAME, numbers, judge(history))


class _Pair:
    """A primary, and a standby that it waits for."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.primary = stack.enter_context(a_server())
        self.standby = stack.enter_context(standby_of(self.primary))
        self._ports = (self.primary.port, self.standby.port)

    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{port}" for port in self._ports)
        return f"postgresql+psycopg://postgres@{hosts}/postgres"

    def replace_the_standby(self) -> None:
        """Have a fresh standby where the primary was that is gone."""
        gone, self.primary = self.primary, self.standby
        self.standby = self._stack.enter_context(standby_of(self.primary, port=gone.port))


def _fail_over_and_over(run: Run, pair: _Pair, everybody: Cast) -> list[float]:
    random = Random(f"failover:{run.seed}")  # noqa: S311 - chances, no secrets
    took, rounds = [], run.size(20, quick=3)
    for done in range(rounds):
        wait_for_sends(everybody)
        time.sleep(random.uniform(0, 1))
        _end_some(random, pair.primary)
        pair.primary.kill()
        began = time.monotonic()
        time.sleep(random.uniform(0, 1))  # until somebody notices
        pair.standby.promote()
        wait_for_sends(everybody)
        took.append(time.monotonic() - began)
        pair.replace_the_standby()
        run.progress(done + 1, rounds)
    wait_for_sends(everybody)
    return took


def _end_some(random: Random, primary: Server) -> None:
    """End some sessions just before, so that some commits can be seen on the primary and are not on the standby."""
    sessions = primary.sessions()
    for process in random.sample(sessions, min(3, len(sessions))):
        primary.execute("SELECT pg_terminate_backend(%(process)s)", process=process)
