"""Group commit: sends that arrive while a commit is under way share the next one.

Whoever finds nobody committing commits at once, alone, and waits for nothing. Those who come meanwhile queue up;
when the commit is done, the first of them commits for all that wait. Each append is still decided by its own
compare-and-swap, in or out by itself.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.failures import ConnectionLost
from pachyderm_cli.store.records import Append, Outcome

LARGEST_GROUP = 256
"""Appends that one commit takes at most."""


class _Waiting:
    """An append in the queue; its gate opens when its outcome is known, or when it is to commit for others."""

    __slots__ = ("append", "failure", "gate", "leads", "outcome")

    def __init__(self, append: Append) -> None:
        self.append = append
        self.outcome: Outcome | None = None
        self.failure: BaseException | None = None
        self.leads = False
        self.gate = threading.Lock()
        self.gate.acquire()


class GroupCommit:
    """Appends to one network of one store, for all threads of an engine."""

    def __init__(self, write: Callable[[Sequence[Append]], list[Outcome | StoreError]]) -> None:
        """Commit by `write`, which writes several appends in one commit and returns what became of each.

        A StoreError in what it returns is raised for that append alone.
        """
        self._write = write
        self._lock = threading.Lock()
        self._queue: deque[_Waiting] = deque()
        self._committing = False

    def append(self, append: Append) -> Outcome:
        """Return what became of `append`, once that is durable. Raises what `write` raises."""
        own = _Waiting(append)
        try:
            with self._lock:
                self._queue.append(own)
                own.leads = not self._committing
                self._committing = True
            if not own.leads:
                own.gate.acquire()
            if own.leads:
                self._commit_group(own)
        except BaseException:  # an interruption; the others are not to wait for this thread
            self._leave(own)
            raise
        if own.failure is not None:
            raise own.failure
        assert own.outcome is not None  # noqa: S101 - for mypy: the group that was committed held it
        return own.outcome

    def _leave(self, own: _Waiting) -> None:
        with self._lock:
            if own in self._queue:
                self._queue.remove(own)
            if own.leads:
                self._hand_over(own)

    def _commit_group(self, own: _Waiting) -> None:
        """Commit what waits, one's own append first among it, and hand the turn to the next in the queue."""
        with self._lock:
            group = [self._queue.popleft() for _ in range(min(len(self._queue), LARGEST_GROUP))]
        try:
            outcomes = self._write([each.append for each in group])
            for each, outcome in zip(group, outcomes, strict=True):
                if isinstance(outcome, StoreError):
                    each.failure = outcome
                else:
                    each.outcome = outcome
        except Exception as failure:  # noqa: BLE001 - every waiting thread is told
            for each in group:
                each.failure = failure
        except BaseException as interruption:  # noqa: BLE001 - raised again by the thread it is for
            # It is this thread's alone; the others look up by their message ids what became of them.
            own.failure = interruption
            for each in group[1:]:
                each.failure = ConnectionLost("the commit was interrupted")
        finally:
            with self._lock:
                self._hand_over(own)
            for each in group[1:]:
                each.gate.release()

    def _hand_over(self, own: _Waiting) -> None:
        """Let the next in the queue lead, if there is one. Called with the lock held."""
        own.leads = False
        self._committing = bool(self._queue)
        if self._queue:
            self._queue[0].leads = True
            self._queue[0].gate.release()
