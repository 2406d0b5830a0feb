"""Stopping a command that runs until it is told to: the first signal asks it to end, the second one ends it."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from types import FrameType
from typing import NoReturn

from pachyderm_cli.cli.exit_codes import INTERRUPTED
from pachyderm_cli.cli.json_text import to_json
from pachyderm_cli.cli.output import note
from pachyderm_cli.errors import Interrupted

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_SAME = 0.3
"""For so many seconds a signal counts as the first one: timeout(1) signals a process, and then its whole group."""

_LEFT = "interrupted; what was under way is left to another worker once its lease has run out"


@contextmanager
def stopped_by_signals(*, as_json: bool, at_once: bool = False) -> Iterator[threading.Event]:
    """Give the event that the first SIGTERM or SIGINT sets; the next one ends the process at once, with 130.

    A terminal is told that what is under way ends first, unless nothing is that could not end `at_once`. Outside of the
    main thread, where Python tells of no signals, the event is never set.
    """
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    told: SimpleQueue[str] = SimpleQueue()  # may be put to in the middle of anything, unlike an event
    process, first = os.getpid(), 0.0

    def receive(number: int, _frame: FrameType | None) -> None:
        nonlocal first
        if os.getpid() != process:  # a child that an effect forked has nobody to tell
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
            return
        if not first:
            first = time.monotonic()
            told.put("stop")
        elif time.monotonic() - first > _SAME:
            _end(as_json=as_json)

    watching = threading.Thread(target=_watch, args=(told, stop, at_once), name="pachyderm-signals", daemon=True)
    watching.start()
    before = {number: signal.signal(number, receive) for number in _SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        told.put("")
        watching.join()


def _watch(told: SimpleQueue[str], stop: threading.Event, at_once: bool) -> None:  # noqa: FBT001 - of a thread
    if told.get() == "stop":
        stop.set()
        if not at_once and sys.stderr.isatty():
            with suppress(Exception):  # nobody is there to read it
                note("ending what is under way; once more ends at once")


def _end(*, as_json: bool) -> NoReturn:
    error = {"code": Interrupted.code, "message": _LEFT}
    text = to_json({"error": error}) if as_json else f"error: {_LEFT}"
    with suppress(OSError):  # past Python's buffers, which may be in use at this very moment
        os.write(2, f"{text}\n".encode())
    os._exit(INTERRUPTED)
