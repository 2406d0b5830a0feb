"""Keeping leases from running out while what they are on is carried out."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.records import Lease

_LOG = logging.getLogger("pachyderm")


class LeaseKeeper:
    """Renews the leases of a process in a thread of its own, three times in the span of each."""

    def __init__(self, renew: Callable[[Lease], object], seconds: float) -> None:
        """Renew leases of so many `seconds` by `renew`."""
        self._renew = renew
        self._pause = seconds / 3
        self._lock = threading.Lock()
        self._held: dict[Lease, int] = {}  # with how often it is held
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._process = os.getpid()

    @contextmanager
    def keep(self, lease: Lease) -> Iterator[None]:
        """Keep `lease` as long as the block runs."""
        self._hold(lease)
        try:
            yield
        finally:
            with self._lock:
                count = self._held.get(lease, 0) - 1
                if count > 0:
                    self._held[lease] = count
                else:
                    self._held.pop(lease, None)

    def close(self) -> None:
        """Stop the thread; it starts again when it is needed."""
        if self._process != os.getpid():
            return
        with self._lock:
            thread, self._thread = self._thread, None
            self._stop.set()
        if thread is not None:
            thread.join()

    def _hold(self, lease: Lease) -> None:
        if self._process != os.getpid():  # a forked child has none of its parent's threads
            self.__init__(self._renew, self._pause * 3)  # type: ignore[misc]  # begins anew
        with self._lock:
            self._held[lease] = self._held.get(lease, 0) + 1
            if self._thread is None:
                self._stop = threading.Event()
                self._thread = threading.Thread(
                    target=self._run, args=(self._stop,), name="pachyderm-leases", daemon=True
                )
                self._thread.start()

    def _run(self, stop: threading.Event) -> None:
        before: set[Lease] = set()
        while not stop.wait(self._pause):
            with self._lock:
                held = set(self._held)
                if not held and not before:  # nothing for a whole round: the next that needs it starts it again
                    if self._thread is threading.current_thread():
                        self._thread = None
                    return
            try:
                for lease in held & before:  # what is held for longer than a round
                    self._renew(lease)
            except StoreError as error:  # whoever finishes under a lease asks whether it still holds
                _LOG.warning("leases were not renewed: %s", error)
            before = held
