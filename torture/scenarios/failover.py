"""Failover: the primary is killed while writers run, its synchronous standby takes over, and so on in turn."""

import os
import signal
import time
from contextlib import ExitStack
from random import Random

from torture.faults.server import Server, a_server, standby_of
from torture.figure import Figure, Run
from torture.judge.history import read_history
from torture.judge.laws import judge
from torture.load.cast import cast, outages, told, under_fire
from torture.load.recovery import HANGS, MOST_SECONDS, Recoveries

NAME = "postgres failover"


def on_postgres(run: Run) -> Figure:
    """Two servers at two ports, one of them the primary: the clients' URL names both."""
    folder = run.folder("failover")
    began = time.monotonic()
    with ExitStack() as stack:
        pair = _Pair(stack)
        everybody = cast(pair.url(), folder, run.seed)
        slowest, recoveries = list[float](), Recoveries(everybody, run.size(MOST_SECONDS, quick=HANGS))
        under_fire(everybody, lambda _: slowest.extend(_fail_over_and_over(run, pair, recoveries)))
        took = round(time.monotonic() - began)
        history = read_history(folder, pair.primary.url())
        numbers = {
            "failovers": len(slowest),
            "seconds": took,
            "until all writers went on": f"{max(slowest):.1f} s at most",
            **recoveries.told(),
            **outages(everybody),
            **told(history),
        }
        return Figure(NAME, numbers, [*judge(history), *recoveries.breaches()])


class _Pair:
    """A primary, and a standby that it waits for."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.primary = stack.enter_context(a_server(synchronous_standby_names="*"))
        self.standby = stack.enter_context(standby_of(self.primary))
        self._ports = (self.primary.port, self.standby.port)

    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{port}" for port in self._ports)
        return f"postgresql+psycopg://postgres@{hosts}/postgres"

    def replace_the_standby(self) -> None:
        """Have a fresh standby where the primary was that is gone."""
        gone, self.primary = self.primary, self.standby
        self.standby = self._stack.enter_context(standby_of(self.primary, port=gone.port))


def _fail_over_and_over(run: Run, pair: _Pair, recoveries: Recoveries) -> list[float]:
    random = Random(f"failover:{run.seed}")  # noqa: S311 - chances, no secrets
    took, rounds = [], run.size(20, quick=3)
    for done in range(rounds):
        recoveries.wait()
        time.sleep(random.uniform(0, 1))
        _let_the_standby_fall_behind(random, pair.primary)
        began = time.monotonic()
        time.sleep(random.uniform(0, 1))  # until somebody notices
        pair.standby.promote()
        pair.replace_the_standby()  # without one nothing is committed
        recoveries.measure("a failover")
        took.append(time.monotonic() - began)
        run.progress(done + 1, rounds)
    recoveries.wait()
    return took


def _let_the_standby_fall_behind(random: Random, primary: Server) -> None:
    """Kill the primary when it has what its standby will never have.

    What feeds the standby is stopped for a while, so that every commit waits. Some of the sessions that wait are ended:
    others can see then what they committed, and must not answer for it.
    """
    [(feeding,)] = primary.execute("SELECT pid FROM pg_stat_replication")
    os.kill(feeding, signal.SIGSTOP)
    for _ in range(3):
        time.sleep(0.1)
        sessions = primary.sessions()
        for process in random.sample(sessions, len(sessions) // 2):
            primary.execute("SELECT pg_terminate_backend(%(process)s)", process=process)
    time.sleep(0.1)
    primary.kill()
    os.kill(feeding, signal.SIGKILL)
