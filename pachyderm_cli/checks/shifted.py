"""Another clock for a project's modules: a little over a year ahead, wherever they look."""

from __future__ import annotations

import datetime as real_datetime  # noqa: ICN001 - the module itself is what is replaced
import time as real_time
from datetime import date, datetime, timedelta, tzinfo
from types import ModuleType
from typing import Any

_AHEAD = timedelta(days=401, hours=7, minutes=11, seconds=13)
_SECONDS = _AHEAD.total_seconds()


class _AsReal(type):
    """A class whose instances are those of the class that it is derived from."""

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, cls.__mro__[1])

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(other, cls.__mro__[1])


class _Datetime(datetime, metaclass=_AsReal):
    def __new__(cls, *values: Any, **named: Any) -> Any:
        return datetime(*values, **named)  # noqa: DTZ001 - as user code wants it

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Any:
        return datetime.now(tz) + _AHEAD

    @classmethod
    def utcnow(cls) -> Any:
        return datetime.now(real_datetime.UTC).replace(tzinfo=None) + _AHEAD

    @classmethod
    def today(cls) -> Any:
        return datetime.now() + _AHEAD  # noqa: DTZ005 - as user code calls it


class _Date(date, metaclass=_AsReal):
    def __new__(cls, *values: Any, **named: Any) -> Any:
        return date(*values, **named)

    @classmethod
    def today(cls) -> Any:
        return date.today() + timedelta(days=_AHEAD.days)  # noqa: DTZ011 - as user code calls it


def _module(real: ModuleType, **other: Any) -> ModuleType:
    shifted = ModuleType(real.__name__)
    shifted.__dict__.update({**vars(real), **other})
    return shifted


def _time() -> float:
    return real_time.time() + _SECONDS


def _time_ns() -> int:
    return real_time.time_ns() + int(_SECONDS) * 10**9


def _monotonic() -> float:
    return real_time.monotonic() + _SECONDS


_DATETIME = _module(real_datetime, datetime=_Datetime, date=_Date)
_TIME = _module(real_time, time=_time, time_ns=_time_ns, monotonic=_monotonic, perf_counter=_monotonic)
_OTHERS = {
    id(real): other
    for real, other in (
        (datetime, _Datetime),
        (date, _Date),
        (real_datetime, _DATETIME),
        (real_time, _TIME),
        (real_time.time, _time),
        (real_time.time_ns, _time_ns),
        (real_time.monotonic, _monotonic),
        (real_time.perf_counter, _monotonic),
    )
}


def shift_clock(modules: list[ModuleType]) -> None:
    """Let the names of `modules` that tell the time mean the other clock."""
    for module in modules:
        for name, value in list(vars(module).items()):
            if id(value) in _OTHERS:
                setattr(module, name, _OTHERS[id(value)])
