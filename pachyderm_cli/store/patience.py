"""Waiting for a server that comes back: one that restarts, hands over to another, or has no connection to spare."""

from __future__ import annotations

import random
import time

from pachyderm_cli.store.url import StoreUrl

WAIT_SECONDS = 30.0
"""How long a store is waited for: for a lock in a SQLite file, for a connection to Postgres."""

MOST_WAIT_SECONDS = 86400.0

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5  # seconds

# libpq says in words alone why a server took no connection. These pass by themselves, whoever asks.
_NOT_READY = (
    "the database system is ",  # starting up, shutting down, in recovery mode, not yet accepting connections
    "too many clients",
    "too many connections",
    "remaining connection slots",
    "server closed the connection",
    "terminating connection",
    "session is read-only",  # a standby, before it is promoted
    "server is in hot standby mode",
)


class Patience:
    """How long one piece of work waits for a connection, counted from when it asked first."""

    def __init__(self, url: StoreUrl, seconds: float, *, was_reached: bool) -> None:
        """Wait for `url` up to so many `seconds`; for a server that does not answer only if it `was_reached` before.

        Who has just written a wrong host is to be told at once. A URL of several hosts says itself that one of them
        may be away.
        """
        self._waits = url.file is None
        self.expects_it = was_reached or url.has_several_hosts
        """Whether the server is known to be there, and to come back."""
        self._end = time.monotonic() + seconds
        self._pause = _FIRST_PAUSE

    def outlasts(self, error: BaseException) -> bool:
        """Tell whether to try again, after a pause, though there was this error."""
        return self._waits and self._may_pass(error) and self.pause()

    def pause(self) -> bool:
        """Pause, longer each time; tell whether there was time left for it."""
        left = self._end - time.monotonic()
        if left <= 0:
            return False
        # Not all at once: those who wait were all cut off at the same moment.
        time.sleep(min(left, self._pause * random.uniform(0.5, 1)))  # noqa: S311 - no secret
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        return True

    def _may_pass(self, error: BaseException) -> bool:
        told = str(error)
        if any(each in told for each in _NOT_READY):
            return True
        # What a server answers to is its last word: a wrong password, a database that is not there.
        return self.expects_it and "FATAL:" not in told
