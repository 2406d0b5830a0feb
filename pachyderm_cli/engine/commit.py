"""Group commit: sends that arrive while a commit is under way share the next one.

Whoever finds nobody committing commits at once, alone, and waits for nothing. Those who come meanwhile queue up;
when the commit is done, the first of them commits for all that wait. Each append is still decided by its own
compare-and-swap, in or out by itself.

When a group is committed its threads wake one another, each the next, and the last one wakes who commits then. Waking
all at once would have them fight for the interpreter's lock with each other and with the committing thread, which
takes longer than the commit.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.failures import ConnectionLost
from pachyderm_cli.store.records import Append, Outcome

LARGEST_GROUP = 256
"""Appends that one commit takes at most."""


class _Waiting:
    """An append in the queue; its gate opens when its outcome is known, or when it is to commit for others."""

    outcome: Outcome | None = None
    failure: Exception | None = None
    leads = False
    has_turn = False  # to wake the next, or to let the queue have the turn if there is none
    has_left = False  # its thread was interrupted, and waits no more
    gate: threading.Lock | None = None  # held; of those alone that wait

    def __init__(self, append: Append) -> None:
        self.append = append

    def will_wait(self) -> None:
        """Close the gate."""
        self.gate = threading.Lock()
        self.gate.acquire()


class GroupCommit:
    """Appends to one network of one store, for all threads of an engine.

    A thread may be interrupted after any call that it makes, by Ctrl-C for one. So what belongs together is changed
    without a call in between, and whoever leaves passes on what it has.
    """

    def __init__(self, write: Callable[[Sequence[Append]], list[Outcome | StoreError]]) -> None:
        """Commit by `write`, which writes several appends in one commit and returns what became of each.

        A StoreError in what it returns is raised for that append alone.
        """
        self._write = write
        self._lock = threading.Lock()
        self._queue: list[_Waiting] = []
        self._group: list[_Waiting] = []  # of the commit that is under way, or whose threads are being woken
        self._woken = 0  # the index in the group of the one that was woken last; the first is the one that commits
        self._committing = False

    def append(self, append: Append) -> Outcome:
        """Return what became of `append`, once that is durable. Raises what `write` raises."""
        own = _Waiting(append)
        try:
            with self._lock:
                if self._committing:
                    own.will_wait()
                    self._queue.append(own)
                else:  # then nobody waits either
                    self._committing = own.leads = own.has_turn = True
                    self._group, self._woken = [own], 0
            if own.gate is not None:
                own.gate.acquire()
                if own.leads:
                    self._take_group()
            if own.leads:
                self._commit_group()
            self._pass_on(own)
        except BaseException:  # an interruption; the others are not to wait for this thread
            self._leave(own)
            raise
        if own.failure is not None:
            raise own.failure
        if own.outcome is None:
            raise ConnectionLost("the commit was interrupted")  # this thread looks up what became of its append
        return own.outcome

    def _take_group(self) -> None:
        """Make a group of what waits, the append of this thread first among it."""
        with self._lock:
            waiting = self._queue
            self._group, self._queue, self._woken = waiting[:LARGEST_GROUP], waiting[LARGEST_GROUP:], 0

    def _commit_group(self) -> None:
        """Commit the group.

        An interruption is this thread's alone: the others are woken without an outcome.
        """
        group = self._group
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

    def _pass_on(self, own: _Waiting) -> None:
        """Hand the turn to the next of the group, after the last to the first of the queue, if there is one."""
        with self._lock:
            if not own.has_turn:
                return
            following = self._woken + 1
            while following < len(self._group) and self._group[following].has_left:
                following += 1
            if following < len(self._group):
                heir = self._group[following]
            elif self._queue:
                heir = self._queue[0]
                heir.leads = True
            else:
                own.has_turn, self._committing, self._group = False, False, []
                return
            self._woken = following
            own.has_turn, heir.has_turn = False, True
            if heir.gate is not None:
                heir.gate.release()

    def _leave(self, own: _Waiting) -> None:
        with self._lock:
            own.has_left = True
            if own in self._queue:
                self._queue.remove(own)
        self._pass_on(own)
