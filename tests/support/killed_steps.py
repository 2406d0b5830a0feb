"""Dying at a step: a process that counts what it does once it has committed something, and kills itself on the way."""

import os
import signal
from collections.abc import Callable
from functools import wraps
from typing import Any

from pachyderm_cli.engine import draining, relay
from pachyderm_cli.store.statement import Transaction
from pachyderm_cli.store.store import Store
from tests.support import trace
from tests.support.trace import leave

Function = Callable[..., Any]


class Steps:
    """The steps of this process since its first commit; it does not live past the one that is fatal."""

    def __init__(self, fatal: int, trace: str, name: str) -> None:
        """Leave in `trace` at which step the process called `name` dies."""
        self._fatal = fatal
        self._trace = trace
        self._name = name
        self._has_committed = False
        self._count = 0

    def watch(self) -> None:
        """Count the steps of all stores and effects in this process, which is to end with them."""
        for writing in ("write", "run"):
            setattr(Store, writing, self._committing(getattr(Store, writing)))
        Store._run = self._around("store", Store._run)  # type: ignore[method-assign]  # the process is the test's own
        Transaction.run = self._around_commit(Transaction.run)  # type: ignore[method-assign]  # as above
        for module in (relay, draining):
            module.dispatch = self._around("effect", module.dispatch)  # type: ignore[attr-defined]  # as above
        trace.leave = self._around("trace", leave)

    def _step(self, what: str) -> None:
        if not self._has_committed:
            return
        self._count += 1
        if self._count == self._fatal:
            leave(self._trace, "killed", self._name, self._count, what)
            os.kill(os.getpid(), signal.SIGKILL)

    def _around(self, what: str, function: Function) -> Function:
        @wraps(function)
        def watched(*arguments: Any, **named: Any) -> Any:
            self._step(f"before-{what}")
            answer = function(*arguments, **named)
            self._step(f"after-{what}")
            return answer

        return watched

    def _around_commit(self, function: Function) -> Function:
        around = self._around("commit", function)

        @wraps(function)
        def watched(transaction: Transaction, sql: str) -> None:
            (around if sql == "COMMIT" else function)(transaction, sql)

        return watched

    def _committing(self, function: Function) -> Function:
        @wraps(function)
        def watched(*arguments: Any, **named: Any) -> Any:
            answer = function(*arguments, **named)
            if not self._has_committed:
                self._has_committed = True
                self._step("after-first-commit")
            return answer

        return watched
