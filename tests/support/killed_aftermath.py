"""What is to be seen once processes were killed over errands, and a worker has finished what they left."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

from pachyderm_cli import Pachyderm
from tests.cli.running import ROOT
from tests.support import killed_errand, killed_outbox, trace
from tests.support.clients import wait_for_the_server
from tests.support.killed_scenarios import SCENARIOS, Expected


class Aftermath:
    """The log, the outbox and the trace, and what they should be by what was committed."""

    def __init__(self, store_url: str, file: Path, told: dict[str, list[str]]) -> None:
        """Look at all of it. `told` is what the campaign told."""
        self.killed, self.lived = told["killed"], told["lived"]
        self.rows = killed_outbox.rows(store_url)
        self.lines = trace.lines(file)
        self.log = [str(json.loads(event["data"])["mark"]) for event in killed_outbox.logged(store_url)]
        self.marks = Counter(self.log)
        self.expected = Expected()
        for name in (*self.killed, *self.lived):
            for _, errand in SCENARIOS[kind_of(name)](name).errands:
                # Only who is killed over a timer that comes first may die before the last errand is committed.
                if self.marks[errand.mark] or kind_of(name) != "timers" or errand.mark != name:
                    self.expected.add(errand)

    def runs(self, kind: str) -> Counter[str]:
        """Return how often each effect of a kind has run."""
        return Counter(line[1] for line in self.lines if line[0] == kind)

    def faults_of_messages(self) -> list[str]:
        """Return what is not in the log exactly once, and is to be, or is and is not to be; and what is not ended."""
        marks, expected = self.marks, self.expected
        faults = [
            f"{mark} is in the log {marks[mark]} times, not {expected.events[mark]}"
            for mark in sorted({*marks, *expected.events})
            if marks[mark] != expected.events[mark]
        ]
        statuses = Counter(row["status"] for row in self.rows if row["to_id"] is not None)
        wanted = {"done": expected.sent - expected.refused, "rejected": expected.refused}
        return faults if statuses == wanted else [*faults, f"of the messages there are {statuses}, not {wanted}"]

    def faults_of_order(self) -> list[str]:
        """Return which timers that were overdue did not come in due order, and before what is sent to their entity."""
        place = {mark: index for index, mark in enumerate(self.log)}
        faults = []
        for name in (*self.killed, *self.lived):
            after = {"timers": name, "others-timers": f"{name}.second"}.get(kind_of(name))
            marks = [mark for mark in (f"{name}.early", f"{name}.late", after) if mark in place]
            if after is not None and marks != sorted(marks, key=place.__getitem__):
                faults.append(f"the timers of {name} came out of order")
        return faults

    def faults_of_durable_effects(self) -> list[str]:
        """Return which of them did not run or are not done, or ran twice as one attempt."""
        done = Counter(
            json.loads(row["data"])["mark"] for row in self.rows if row["to_id"] is None and row["status"] == "done"
        )
        runs = self.runs("durable")
        attempts = Counter((mark, attempt) for kind, mark, attempt, *_ in self.lines if kind == "durable")
        return [
            *(f"{mark} never ran" for mark in sorted(self.expected.durable - set(runs))),
            *(f"{mark} is done {done[mark]} times" for mark in sorted(self.expected.durable) if done[mark] != 1),
            *(f"{mark} was not to run" for mark in sorted({*runs, *done} - self.expected.durable)),
            *(f"{mark} had two attempts number {attempt}" for (mark, attempt), times in attempts.items() if times > 1),
        ]

    def faults_of_other_effects(self) -> list[str]:
        """Return which of them ran twice, or did not run though nobody was killed over them."""
        once = self.runs("once")
        lost = {mark for mark in self.expected.once - set(once) if mark.partition(".")[0] not in self.killed}
        return [
            *(f"{mark} ran {times} times" for mark, times in once.items() if times > 1),
            *(f"{mark} never ran" for mark in sorted(lost)),
            *(f"{mark} was not to run" for mark in sorted(set(once) - self.expected.once)),
        ]


def kind_of(name: str) -> str:
    """Return what kind of errand a process of that name was at."""
    return name.rpartition("-")[0]


def aftermath(how: str, store_url: str, file: Path, kills: int, stride: int = 1) -> Aftermath:
    """Let processes be killed while they `send` or `work`, then a worker finish; return what is to be seen."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.killed_campaign", how, store_url, file, str(kills), str(stride)],
        cwd=ROOT,
        capture_output=True,
        timeout=killed_outbox.SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    wait_for_the_server(store_url)
    with Pachyderm(store_url, {"errand": killed_errand}, config={"trace": str(file)}) as engine:
        killed_outbox.work_to_the_end(engine, store_url)
    return Aftermath(store_url, file, json.loads(done.stdout))
