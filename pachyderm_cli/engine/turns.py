"""Whose turn it is where several threads of a process want the same entity: else all but one would decide for nothing.

A turn keeps nobody out. Who does not get it in time goes ahead, so that an entity whose code hangs in one thread does
not make the others hang, and other processes know nothing of it: the compare-and-swap decides, as ever.
"""

from __future__ import annotations

import threading
from collections import deque
from types import TracebackType
from typing import Self
from uuid import UUID

_LONGEST = 1.0  # seconds


class Turns:
    """The lines before the entities that several threads have wanted at once."""

    def __init__(self) -> None:
        """Begin with no lines."""
        self.lock = threading.Lock()
        self.lines: dict[int, deque[Turn]] = {}  # by the id's `int`: a UUID's own hash takes longer


class Turn:
    """A place in the line before an entity, if there is one: taken at once where others wait, or with `take`."""

    __slots__ = ("_entity_id", "_turns", "gate", "thread")

    def __init__(self, turns: Turns, entity_id: UUID) -> None:
        """Take no place yet."""
        self._turns = turns
        self._entity_id = entity_id.int
        self.gate: threading.Event | None = None  # while it has a place
        self.thread: int | None = None

    def __enter__(self) -> Self:
        if self._entity_id in self._turns.lines:
            try:
                self.take()
            except BaseException:  # an interruption
                self.leave()
                raise
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self.gate is not None:
            self.leave()

    def take(self) -> bool:
        """Take a place, and return when it is the first, or has waited long enough; False where it had one before."""
        self.thread = threading.get_ident()
        with self._turns.lock:
            line = self._turns.lines.setdefault(self._entity_id, deque())
            if any(each.thread == self.thread for each in line):  # this one, or one that this is a part of
                return False
            self.gate = gate = threading.Event()
            line.append(self)
            is_first = line[0] is self
        if not is_first:
            gate.wait(_LONGEST)
        return True

    def leave(self) -> None:
        """Let the next in line go on."""
        if self.gate is None:
            return
        with self._turns.lock:
            line = self._turns.lines[self._entity_id]
            line.remove(self)
            self.gate = None
            if not line:
                del self._turns.lines[self._entity_id]
            elif line[0].gate is not None:
                line[0].gate.set()
