"""Making named tuples the short way, where every send makes several."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

TupleT = TypeVar("TupleT", bound=tuple[Any, ...])


class _Made(Protocol):
    def __call__(self, kind: type[TupleT], values: tuple[Any, ...], /) -> TupleT: ...


made: _Made = tuple.__new__
"""Returns a named tuple of a class, given all its values in their order.

To call the class comes to the same, by a function of Python's that takes two to four times as long. That `values` are
as many as the class has fields is held by a test that reads the calls.
"""
