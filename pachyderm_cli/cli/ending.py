"""Ending a command that is told to by SIGTERM or SIGHUP so that it takes away first what it has not finished."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)
_SAME = 0.3
"""For so many seconds a signal counts as the first one: timeout(1) signals a process, and then its whole group."""


class _Told(BaseException):
    """The process was told to end."""


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block as Ctrl-C does; then the process ends as one that the signal ended.

    One that whoever started the process ignores, as nohup does, stays ignored. Outside of the main thread, where Python
    tells of no signals, nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    first: list[tuple[int, float]] = []
    is_inside = True

    def receive(number: int, _frame: FrameType | None) -> None:
        if not first:
            first.append((number, time.monotonic()))
        elif time.monotonic() - first[0][1] <= _SAME:
            return
        if is_inside:
            raise _Told

    ours = [number for number in _SIGNALS if signal.getsignal(number) is signal.SIG_DFL]
    try:
        for number in ours:
            signal.signal(number, receive)
        with suppress(_Told):
            yield
    finally:
        is_inside = False
        for number in ours:
            signal.signal(number, signal.SIG_DFL)
        if first:  # whatever the block made of it
            signal.raise_signal(first[0][0])
