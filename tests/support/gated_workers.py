"""Workers that stand in the middle of their effects, at a gate of their own, until it is opened."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support import gated, killed_outbox, trace
from tests.support.killed_workers import Workplace

GATED = Path(gated.__file__).read_text(encoding="utf-8")
BEGUN = {"succeeds", "fails", "message"}
"""What such a worker is in the middle of."""


class GatedWorker:
    """A worker in a process of its own, with a gate."""

    def __init__(self, workplace: Workplace, name: str) -> None:
        """Start it."""
        self._gate = workplace.folder / name
        self._process = workplace.start("--once", GATE=str(self._gate))

    def await_begun(self) -> None:
        """Wait until it stands at the gate with all that it is to carry out."""
        end = time.monotonic() + killed_outbox.SECONDS
        while {mark for mark, _ in trace.lines(self._gate.with_suffix(".trace"))} != BEGUN:
            assert self._process.poll() is None, "it has ended"
            assert time.monotonic() < end, "it does not begin"
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop it where it stands."""
        self._process.send_signal(signal.SIGSTOP)
        os.waitpid(self._process.pid, os.WUNTRACED)

    def finish(self) -> int:
        """Open the gate and let it go on; return how it ended."""
        self._gate.touch()
        self._process.send_signal(signal.SIGCONT)
        return self._process.wait(killed_outbox.SECONDS)

    def kill(self) -> None:
        """Kill it, if it has not ended, and wait until it is gone."""
        self._process.kill()
        self._process.wait()


@contextmanager
def two_workers(workplace: Workplace) -> Iterator[tuple[GatedWorker, GatedWorker]]:
    """Give a worker that was stopped at its gate, and one that has taken over all that it holds."""
    with ExitStack() as stack:
        workers = []
        for name in ("stopped", "other"):
            worker = GatedWorker(workplace, name)
            stack.callback(worker.kill)
            worker.await_begun()
            workers.append(worker)
            if name == "stopped":
                worker.stop()
                killed_outbox.let_time_pass(workplace.store_url)
        yield workers[0], workers[1]
