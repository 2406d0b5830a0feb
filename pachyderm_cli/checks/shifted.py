"""Another clock for this process: a little over a year ahead, whoever asks."""

from __future__ import annotations

import ctypes
import gc
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

_AHEAD = timedelta(days=401, hours=7, minutes=11, seconds=13)
_SECONDS = int(_AHEAD.total_seconds())
_NANOSECONDS = _SECONDS * 10**9
_OF_NOW = {"localtime": 0, "gmtime": 0, "ctime": 0, "asctime": 0, "strftime": 1}  # with so many arguments


def shift_clock() -> None:
    """Let every clock of the standard library run ahead; call it before what is to be deceived is imported.

    The classes stay what they are, so that whoever asks for the very type of a time gets the usual answer.
    """
    for name in ("time", "monotonic", "perf_counter"):
        setattr(time, name, _later(getattr(time, name), _SECONDS))
    for name in ("time_ns", "monotonic_ns", "perf_counter_ns"):
        setattr(time, name, _later(getattr(time, name), _NANOSECONDS))
    moments = time.localtime, time.gmtime
    for name, count in _OF_NOW.items():
        setattr(time, name, _of_later(getattr(time, name), count, moments[name == "gmtime"]))
    # `date.today` and `datetime.today` ask time.time, these two the system.
    real_now = datetime.now

    def now(cls: type[datetime], tz: tzinfo | None = None) -> datetime:
        moment = real_now(tz) + _AHEAD
        return moment if cls is datetime else cls.combine(moment.date(), moment.timetz())

    def utcnow(cls: type[datetime]) -> datetime:
        return now(cls, UTC).replace(tzinfo=None)

    _replace(datetime, now=classmethod(now), utcnow=classmethod(utcnow))


def _later(real: Callable[[], Any], ahead: float) -> Callable[[], Any]:
    return lambda: real() + ahead


def _of_later(real: Callable[..., Any], count: int, moment: Callable[[float], Any]) -> Callable[..., Any]:
    """Return a function of the time that, where it is given none, takes the later one."""
    takes_seconds = real.__name__ in ("localtime", "gmtime", "ctime")

    def function(*values: Any) -> Any:
        if len(values) > count and values[count] is not None:
            return real(*values)
        later = time.time()
        return real(*values[:count], later if takes_seconds else moment(later))

    return function


def _replace(cls: type, **methods: Any) -> None:
    """Give a class of C other methods, as no assignment does; where that is not possible it keeps its own."""
    names = next((each for each in gc.get_referents(cls.__dict__) if type(each) is dict), {})
    names.update(methods)
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(cls))
