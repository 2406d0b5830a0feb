"""Marking effects done: what was carried out is written down with the next append, or soon.

A mark of its own would cost a send the second commit for what the next one can take along. Until it is written the
effect is under its lease; if the process dies before, it is run again, as at least once means.

Marks stay here until they are written, whoever is about to write them: to write one twice does no harm, since its lease
is gone. So whoever is interrupted, or waits for another's lock, keeps no mark from being written by others. There is no
lock that a signal's handler could wait for.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
import weakref
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.records import Held

_LOG = logging.getLogger("pachyderm")

_TICK = 0.02  # seconds that a mark waits for an append, at least; twice that at most
_IDLE_TICKS = 50  # until the thread ends
_PAUSE = 1.0  # seconds, after the store failed


class Acknowledged(NamedTuple):
    """An effect that was carried out, to be marked done if its lease still holds."""

    network: str
    held: Held


class Write(Protocol):
    """What writes marks in a commit of their own."""

    def __call__(self, marks: Sequence[Acknowledged], *, patient: bool) -> None:
        """Write them; unless `patient`, wait hardly for another's lock. Raises StoreError."""


class Acknowledgements:
    """The marks that a store has still to write; serves several threads."""

    def __init__(self, write: Write) -> None:
        """Write by `write` those that no append takes along."""
        self._write = write
        self._waiting: dict[str, Acknowledged] = {}  # by the effect's id, as text
        self._riding: set[str] = set()  # those that an append is about to write
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        _all.add(self)

    def add(self, network: str, held: Held) -> None:
        """Have an effect marked done."""
        self._waiting[str(held.id)] = Acknowledged(network, held)
        if self._thread is None:
            self._start()

    @property
    def are_waiting(self) -> bool:
        """Whether there is something to write."""
        return bool(self._waiting)

    def taken(self) -> AbstractContextManager[Sequence[Acknowledged]]:
        """Lend what waits to a block that writes it; on any exception it waits again."""
        return _Ride(self._waiting, self._riding)

    def settle(self) -> None:
        """Write what waits, as before an effect is run that might end the process; what fails waits on."""
        if self._waiting:
            self._settle([name for name in list(self._waiting) if name not in self._riding])

    def flush(self) -> None:
        """Write every mark, also those that an append is about to, as before somebody reads; what fails waits on."""
        self._settle(list(self._waiting))

    def _settle(self, names: list[str], *, patient: bool = False) -> bool:
        """Write those marks; tell whether they are written."""
        marks = [mark for name in names if (mark := self._waiting.get(name)) is not None]
        if not marks:
            return True
        try:
            self._write(marks, patient=patient)
        except StoreError as error:
            level = logging.WARNING if patient else logging.DEBUG  # it is tried again, or told in the end
            _LOG.log(level, "effects that were carried out are not marked done yet: %s", error)
            return False
        for name in names:
            self._waiting.pop(name, None)
            self._riding.discard(name)
        return True

    def close(self) -> None:
        """Write what waits and stop the thread; it starts again when it is needed.

        What cannot be written is run again when its lease has run out.
        """
        thread, self._thread = self._thread, None
        self._stop.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join()
        self._settle(list(self._waiting), patient=True)

    def _start(self) -> None:
        _write_at_the_end()
        stop = threading.Event()
        thread = threading.Thread(target=self._run, args=(stop,), name="pachyderm-acknowledgements", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # there is no further thread to be had: the next append takes them along
            _LOG.warning("effects are marked done late: %s", error)
            return
        self._stop, self._thread = stop, thread

    def _run(self, stop: threading.Event) -> None:
        before: set[str] = set()
        idle, pause = 0, _TICK
        while not stop.wait(pause):
            now = set(self._waiting)
            idle = 0 if now else idle + 1
            if idle > _IDLE_TICKS:
                if self._thread is threading.current_thread():
                    self._thread = None
                    if self._waiting:  # one came at the last moment
                        self._start()
                return
            waited = sorted(now & before)  # for a whole tick: no append took them along, or it takes its time
            pause = _TICK if self._settle(waited) else _PAUSE
            before = now


class _Ride:
    """What an append takes along."""

    __slots__ = ("_names", "_riding", "_waiting")

    def __init__(self, waiting: dict[str, Acknowledged], riding: set[str]) -> None:
        self._waiting = waiting
        self._riding = riding
        self._names: list[str] = []

    def __enter__(self) -> Sequence[Acknowledged]:
        self._names = [name for name in list(self._waiting) if name not in self._riding]
        self._riding.update(self._names)
        return [mark for name in self._names if (mark := self._waiting.get(name)) is not None]

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        if failure is None:
            for name in self._names:
                self._waiting.pop(name, None)
        self._riding.difference_update(self._names)


_all: weakref.WeakSet[Acknowledgements] = weakref.WeakSet()
_ending: set[int] = set()  # processes that write what waits when they end


def _write_at_the_end() -> None:
    """See to it that this process, when it ends by itself, writes what waits, whatever it left open."""
    if os.getpid() in _ending:
        return
    _ending.add(os.getpid())
    util = sys.modules.get("multiprocessing.util")
    if util is None:
        atexit.register(_close_all)
    else:
        # Processes of multiprocessing's own skip what `atexit` has; in others this is a part of it.
        util.Finalize(None, _close_all, exitpriority=0)


def _close_all() -> None:
    for each in list(_all):
        each.close()
