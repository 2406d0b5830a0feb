"""Processes that are killed on their way: `python -m tests.support.killed_campaign HOW STORE TRACE KILLS STRIDE`.

HOW is `send` or `work`: what they are at when they are killed. Each is a fork of this process. Of each kind of errand
one is killed at the first step after its first commit, the next so many steps later, and so on to the first that
lives; when all kinds are through, again from the first, until so many are killed. Prints who was killed and who
lived, as JSON.
"""

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from itertools import count, cycle
from typing import NoReturn

from pachyderm_cli import Pachyderm
from tests.support import killed_errand
from tests.support.killed_scenarios import SCENARIOS, Scenario
from tests.support.killed_steps import Steps

Way = Callable[[Pachyderm, Scenario, Callable[[], None]], None]


def send(engine: Pachyderm, scenario: Scenario, watch: Callable[[], None]) -> None:
    """Send all errands of a scenario, and have the steps of the last one watched."""
    *before, last = scenario.errands
    for errand in before:
        engine.send(*errand)
    watch()
    engine.send(*last)


def work(engine: Pachyderm, scenario: Scenario, watch: Callable[[], None]) -> None:
    """Leave the last errand to a worker, whose steps are watched."""
    *before, last = scenario.errands
    for errand in before:
        engine.send(*errand)
    engine.send(*last, effects=False)
    watch()
    list(engine.work(once=True, concurrency=1))


WAYS: dict[str, tuple[Way, tuple[str, ...]]] = {
    "send": (send, tuple(SCENARIOS)),
    "work": (work, ("messages", "refusals", "others-timers")),
}
"""How processes may be killed, and over which errands: the last one that is left to a worker has no effect that is
run at most once, nor is there a timer before it, since whoever leaves it to a worker would leave that out."""


def child(way: Way, engine: Pachyderm, scenario: Scenario, steps: Steps) -> NoReturn:
    """Do it, and end as a process does."""
    try:
        way(engine, scenario, steps.watch)
        engine.close()
    except BaseException:  # noqa: BLE001 - whatever it is, the parent is told
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def is_killed(pid: int) -> bool:
    """Wait for a child; tell whether it was killed, if it did not fail otherwise."""
    status = os.waitpid(pid, 0)[1]
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return True
    if status:
        raise SystemExit(f"a process failed: {status}")
    return False


def campaign(how: str, engine: Pachyderm, trace: str, kills: int, stride: int) -> dict[str, list[str]]:
    """Kill so many processes or more; return the names of the killed and of those that lived."""
    told: dict[str, list[str]] = {"killed": [], "lived": []}
    way, kinds = WAYS[how]
    number = count(1)
    for kind in cycle(kinds):
        for fatal in count(1, stride):
            name = f"{kind}-{next(number)}"
            steps = Steps(fatal, trace, name)
            pid = os.fork()
            if pid == 0:
                child(way, engine, SCENARIOS[kind](name), steps)
            fate = "killed" if is_killed(pid) else "lived"
            told[fate].append(name)
            if len(told["killed"]) >= kills and len(told["lived"]) >= len(kinds):
                return told
            if fate == "lived":
                break
    raise AssertionError("a cycle has no end")


def main(how: str, url: str, trace: str, kills: str, stride: str) -> None:
    """Let one of each kind live, so that all is loaded and compiled; then let forks of this process be killed."""
    way, kinds = WAYS[how]
    with Pachyderm(url, {"errand": killed_errand}, config={"trace": trace}) as engine:
        first = [f"{kind}-0" for kind in kinds]
        for name, kind in zip(first, kinds, strict=True):
            way(engine, SCENARIOS[kind](name), lambda: None)
        engine.close()  # ends the thread that keeps leases; the engine may be used again
        told = campaign(how, engine, trace, int(kills), int(stride))
        told["lived"] += first
        sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
