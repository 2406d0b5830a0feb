"""Following the log as it grows, by a cursor or without."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, NamedTuple, Self
from uuid import UUID

from pachyderm_cli.engine.leases import LeaseKeeper
from pachyderm_cli.errors import CursorHeld, NotFound, StoreError, UsageError
from pachyderm_cli.store.cursors import (
    HeldCursor,
    advance_cursor,
    advance_cursor_from,
    advance_cursor_within,
    release_cursor,
    renew_cursor,
    take_cursor,
)
from pachyderm_cli.store.events import read_events
from pachyderm_cli.store.log import LogReader, Part, last_position
from pachyderm_cli.store.records import RecordedEvent
from pachyderm_cli.store.store import Store

_LOG = logging.getLogger("pachyderm")

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.01, 0.1
"""Between these, in seconds, lies the pause before the log is looked at again; it doubles as long as nothing comes."""

_TROUBLED_PAUSE = 1.0  # seconds, after the store failed

_FAR = 10_000
"""Positions that a cursor is taken along where none of the events is its follower's."""


class Wait(NamedTuple):
    """Whether to wait for what is still to come, and what ends the waiting."""

    forever: bool
    stop: threading.Event

    def again(self, pause: float) -> bool:
        """Pause; tell whether to go on."""
        return self.forever and not self.stop.wait(pause)


class Following:
    """The events of a network, as they come: an iterator and a context manager, for one thread.

    With a cursor, `commit` says that what was handed out so far need not come again. Who follows by it next, after this
    process has ended in whatever way, goes on from there.
    """

    def __init__(self, store: Store, part: Part, after: int, wait: Wait) -> None:
        """Follow a part of the log that comes after a position."""
        self._store = store
        self._reader = LogReader(store, part, after)
        self._wait = wait
        self._ready: deque[RecordedEvent] = deque()
        self._cursor: _Cursor | None = None
        self._has_read = False
        self._is_closed = False
        self.position = after
        """Of the last event that was handed out, or further where nothing more of it is wanted."""

    @classmethod
    def by_cursor(cls, store: Store, part: Part, cursor: HeldCursor, start: int, wait: Wait) -> Following:
        """Follow by a cursor, which begins at `start` if there is none; wait until nobody else has it.

        Raises CursorHeld where it is not to wait, NotFound for a cursor beyond the end of the log.
        """
        taken = _take(store, cursor, start, wait)
        following = cls(store, part, start if taken is None else taken, wait)
        if taken is None:  # told to stop, before it was its
            following._wait = wait._replace(forever=False)
            return following
        following._cursor = _Cursor(store, cursor, taken)
        try:
            _require_within(store, cursor, taken)
        except BaseException:
            following.close()
            raise
        return following

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[RecordedEvent]:
        return self

    def __next__(self) -> RecordedEvent:
        """Return the next event, once there is one. Raises StopIteration where it is not to wait any more, StoreError.

        One that an erasure left has the type "$erased". Where it waits, a store that could be read before and cannot be
        any more is tried again until it can.
        """
        pause = _SHORTEST_PAUSE
        while not self._ready:
            found = self._read() if not self._wait.stop.is_set() else None
            if found is None:
                if not self._wait.again(pause):
                    raise StopIteration
                pause = min(2 * pause, _LONGEST_PAUSE)
            elif found:
                self._ready.extend(found)
            else:
                self.position = self._reader.position
                if self._cursor is not None:
                    self._cursor.take_along(self.position)
        event = self._ready.popleft()
        self.position = event.position if self._ready else self._reader.position
        return event

    def _read(self) -> list[RecordedEvent] | None:
        try:
            found = self._reader.read()
        except StoreError as error:
            if not (self._has_read and self._wait.forever):
                raise
            _LOG.warning("the log cannot be read, and is tried again: %s", error)
            self._wait.stop.wait(_TROUBLED_PAUSE)
            return None
        self._has_read = True
        return found

    @property
    def is_caught_up(self) -> bool:
        """Whether everything that was read so far is handed out: a good moment to commit."""
        return not self._ready

    def commit(self, connection: Any = None) -> None:
        """Move the cursor behind all that was handed out so far.

        With a `connection` to the store's own database it is moved inside the transaction that is under way there, to
        be committed with what else was written: each event's own writes are then in exactly once. The connection is one
        of sqlite3 or psycopg, or a Connection or Session of SQLAlchemy. Raises CursorHeld where another follower has
        taken the cursor over, StoreError, UsageError for a connection elsewhere, without a cursor, or after `close`.
        """
        if self._cursor is not None:
            self._cursor.commit(self.position, connection)
        elif connection is not None or self._is_closed:
            raise UsageError("there is no cursor to move" if not self._is_closed else "the follower was closed before")

    def close(self) -> None:
        """Let others follow by the cursor. What was handed out and not committed comes again."""
        if self._cursor is not None:
            self._cursor.close()
            self._cursor = None
        self._is_closed = True
        self._wait = self._wait._replace(forever=False)


class _Cursor:
    """A cursor that this process holds, as long as it renews its lease."""

    def __init__(self, store: Store, held: HeldCursor, position: int) -> None:
        self._store = store
        self._held = held
        self._position = position
        self._is_others = False  # moved in transactions that may yet be rolled back
        self._taken_along = time.monotonic()
        self._keeper = LeaseKeeper(lambda _lease: renew_cursor(store, held), held.lease.seconds)
        self._keeping = self._keeper.keep(held.lease)
        self._keeping.__enter__()

    def commit(self, position: int, connection: Any) -> None:
        if position == self._position and not self._is_others:
            return
        if connection is None:
            moved = advance_cursor(self._store, self._held, position)
        else:
            moved = advance_cursor_within(self._store, connection, self._held, position)
        if not moved:
            if connection is not None and renew_cursor(self._store, self._held):
                raise UsageError("the connection is to another database than the store's, and nothing was moved")
            raise _held_by_another(self._held.name, taken_over=True)
        self._is_others = connection is not None
        self._position = position

    def take_along(self, position: int) -> None:
        """Move it over what is not its follower's, now and then, if all before that is committed."""
        if position - self._position < _FAR or time.monotonic() - self._taken_along < 1:
            return
        self._taken_along = time.monotonic()
        with suppress(StoreError):  # it saves time when the log is followed again, and nothing else
            if advance_cursor_from(self._store, self._held, self._position, position):
                self._position = position

    def close(self) -> None:
        self._keeping.__exit__(None, None, None)
        self._keeper.close()
        with suppress(StoreError):  # the lease runs out
            release_cursor(self._store, self._held)


def follow_entity(
    store: Store, network: str, entity_id: UUID, after: int, up_to: int | None, wait: Wait
) -> Iterator[RecordedEvent]:
    """Yield an entity's events after a version, those that are still to come too, up to a version if one is given."""
    pause = _SHORTEST_PAUSE
    while True:
        before = after
        for event in read_events(store, network, entity_id, after=after, up_to=up_to):
            after = event.version
            yield event
        if up_to is not None and after >= up_to:
            return
        pause = _SHORTEST_PAUSE if after > before else min(2 * pause, _LONGEST_PAUSE)
        if not wait.again(pause):
            return


def _take(store: Store, cursor: HeldCursor, start: int, wait: Wait) -> int | None:
    """Return where the cursor stands, once it is this process's; None where it was told to stop before."""
    while True:
        position = take_cursor(store, cursor, start)
        if position is not None:
            return position
        if not wait.forever:
            raise _held_by_another(cursor.name, taken_over=False)
        if not wait.again(_LONGEST_PAUSE * 5):
            return None


def _require_within(store: Store, cursor: HeldCursor, position: int) -> None:
    last = last_position(store)
    if position > last:
        raise NotFound(
            f"the cursor {cursor.name!r} stands at position {position}, and the log ends at {last}: was the store "
            "restored from an older copy? pachyderm cursors set puts it where it belongs",
            cursor=cursor.name,
            position=position,
            last_position=last,
        )


def _held_by_another(name: str, *, taken_over: bool) -> CursorHeld:
    told = (
        f"another follower has taken the cursor {name!r} over, so that what was not committed is its; follow again"
        if taken_over
        else f"another follower has the cursor {name!r}; end it, or wait until its lease has run out"
    )
    return CursorHeld(told, cursor=name)
