"""Marking effects done: what was carried out is written down with the next append, or soon.

A mark of its own would cost a send the second commit for what the next one can take along. Until it is written the
effect is under its lease; if the process dies before, it is run again, as at least once means.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

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


_NOTHING: AbstractContextManager[Sequence[Acknowledged]] = nullcontext(())


class Acknowledgements:
    """The marks that a store has still to write; serves several threads."""

    def __init__(self, write: Callable[[Sequence[Acknowledged]], None]) -> None:
        """Write by `write`, in a commit of their own, those that no append takes along. It raises StoreError."""
        self._write = write
        self._waiting: list[Acknowledged] = []
        self._lent: list[Sequence[Acknowledged]] = []
        self._taken = 0  # how often; so the thread sees that appends keep coming
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def add(self, network: str, held: Held) -> None:
        """Have an effect marked done."""
        with self._lock:
            self._waiting.append(Acknowledged(network, held))
            if self._thread is None:
                self._stop = threading.Event()
                self._thread = threading.Thread(
                    target=self._run, args=(self._stop,), name="pachyderm-acknowledgements", daemon=True
                )
                self._thread.start()

    def taken(self) -> AbstractContextManager[Sequence[Acknowledged]]:
        """Lend what waits to a block that writes it; on any exception it waits again."""
        return _Loan(self) if self._waiting else _NOTHING

    def lend(self) -> Sequence[Acknowledged]:
        """Return what waits, which is written or given back."""
        with self._lock:
            lent, self._waiting = self._waiting, []
            self._lent.append(lent)
            self._taken += 1
        return lent

    def take_back(self, lent: Sequence[Acknowledged], *, is_written: bool) -> None:
        """End a loan."""
        with self._lock:
            self._lent = [each for each in self._lent if each is not lent]
            if not is_written:
                self._waiting = [*lent, *self._waiting]

    def settle(self) -> bool:
        """Write what waits, as before an effect is run that might end the process; tell, and log, if it fails."""
        if not self._waiting:
            return True
        try:
            with self.taken() as taken:
                self._write(taken)
        except StoreError as error:
            _LOG.warning("effects that were carried out are not marked done yet: %s", error)
            return False
        return True

    def flush(self) -> None:
        """Write every mark that was added by now, also those that an append is just about to. Raises StoreError."""
        lent = [mark for marks in self._lent for mark in marks]
        if self._waiting or lent:
            with _Loan(self) as taken:
                self._write([*taken, *lent])  # whoever is second finds the lease gone, which is as good

    def close(self) -> None:
        """Write what waits and stop the thread; it starts again when it is needed.

        What cannot be written is run again when its lease has run out.
        """
        with self._lock:
            thread, self._thread = self._thread, None
            self._stop.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join()
        self.settle()

    def _run(self, stop: threading.Event) -> None:
        taken, idle, pause = -1, 0, _TICK
        while not stop.wait(pause):
            pause = _TICK
            with self._lock:
                idle = 0 if self._waiting or self._taken != taken else idle + 1
                if idle > _IDLE_TICKS:
                    if self._thread is threading.current_thread():
                        self._thread = None
                    return
                waits_on = self._taken == taken  # nobody came for a whole tick
                taken = self._taken
            if waits_on and not self.settle():
                pause = _PAUSE


class _Loan:
    """What an append takes along."""

    __slots__ = ("_lender", "_lent")

    def __init__(self, lender: Acknowledgements) -> None:
        self._lender = lender
        self._lent: Sequence[Acknowledged] = ()

    def __enter__(self) -> Sequence[Acknowledged]:
        self._lent = self._lender.lend()
        return self._lent

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        self._lender.take_back(self._lent, is_written=failure is None)
