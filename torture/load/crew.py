"""A crew of clients, each a process of its own: forked, killed without a word, and begun again."""

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NoReturn

from torture.load.clients import Client, Task, run

_PATIENCE = 60.0  # seconds until a client that was asked to end counts as hanging


class Crew:
    """Clients by name. Forked from this process, which has everything loaded and no database open."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._at_work: dict[int, tuple[Client, Task]] = {}
        self.kills = 0

    def __len__(self) -> int:
        """Return how many are at work."""
        return len(self._at_work)

    def begin(self, client: Client, task: Task) -> None:
        """Let a client begin."""
        self._at_work[_fork(lambda: run(client, task))] = (client, task)

    @property
    def processes(self) -> list[int]:
        """The process of each."""
        return list(self._at_work)

    def kill(self, process: int) -> None:
        """Kill one, and let it begin again. Raises SystemExit where it had failed by itself."""
        client, task = self._at_work.pop(process)
        os.kill(process, signal.SIGKILL)
        if (status := _ended(process)) not in (-signal.SIGKILL, 0):
            raise SystemExit(f"{task.name} failed by itself: {status}")
        self.kills += 1
        self.begin(client, replace(task, incarnation=task.incarnation + 1))

    def end(self) -> None:
        """Ask all of them to end, and wait. Raises SystemExit where one failed or hangs."""
        for process in self._at_work:
            os.kill(process, signal.SIGTERM)
        deadline = time.monotonic() + _PATIENCE
        for process, (_, task) in list(self._at_work.items()):
            while (status := _poll(process)) is None:
                if time.monotonic() > deadline:
                    self.abandon()
                    raise SystemExit(f"{task.name} does not end")
                time.sleep(0.01)
            del self._at_work[process]  # it is no child any more, for whoever abandons the others
            if status:
                raise SystemExit(f"{task.name} failed: {status}")

    def abandon(self) -> None:
        """Kill whoever is left."""
        for process in self._at_work:
            if _poll(process) is None:
                os.kill(process, signal.SIGKILL)
                _ended(process)
        self._at_work.clear()


def in_a_process(work: Callable[[], object]) -> None:
    """Do something in a process of its own, and wait. Raises SystemExit where it fails."""
    if status := _ended(_fork(work)):
        raise SystemExit(f"a process failed: {status}")


def in_processes(works: Sequence[Callable[[], object]]) -> None:
    """Do several things at a time, each in a process, and wait for all. Raises SystemExit where one fails."""
    failed = [status for status in map(_ended, [_fork(work) for work in works]) if status]
    if failed:
        raise SystemExit(f"processes failed: {failed}")


def _fork(work: Callable[[], object]) -> int:
    if threading.active_count() > 1:
        raise RuntimeError("a process with threads is not to be forked")
    sys.stdout.flush()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # until a child has a handler of its own
    try:
        process = os.fork()
        if process == 0:
            _be_a_child(work)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    return process


def _be_a_child(work: Callable[[], object]) -> NoReturn:
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        work()
    except BaseException:  # noqa: BLE001 - whatever it is, the parent is told by the status
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _ended(process: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def _poll(process: int) -> int | None:
    found, status = os.waitpid(process, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None
