"""The log of the network as a whole: followed, by cursors that last."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from uuid import uuid4

from pachyderm_cli.domain.reference import Reference, is_type_name
from pachyderm_cli.engine.finding import Finder
from pachyderm_cli.engine.following import Following, Wait
from pachyderm_cli.errors import CursorHeld, NotFound, UsageError
from pachyderm_cli.store.cursors import (
    HeldCursor,
    StoredCursor,
    cursors_of,
    drop_cursor,
    find_cursor,
    set_cursor,
)
from pachyderm_cli.store.log import Part, last_position, settled_end
from pachyderm_cli.store.records import Lease
from pachyderm_cli.store.store import Store

_LONGEST_NAME = 200
_PAUSE = 0.02  # seconds between looks at who is writing
_LAST_POSITION = 2**62  # a database takes 64 bits


class Log:
    """The log's part of `Pachyderm`, which sets up what it works by."""

    _store: Store
    _network: str
    _finder: Finder
    _lease_seconds: float

    def follow(
        self,
        *,
        after: int | None = None,
        cursor: str | None = None,
        type_name: str | None = None,
        reference: str | Reference | None = None,
        wait: bool = True,
        stop: threading.Event | None = None,
    ) -> Following:
        """Return an iterator over the network's events as they come, in the order of their positions.

        Without a `cursor` it begins `after` a position, and left out with what is written once this has returned, which
        waits for transactions that are writing to the log. With one it goes
        on where the cursor stands, and a new one begins `after` a position, left out with the first event; see
        `Following.commit`. One follower at a time has a cursor, and others wait for it. `type_name` and `reference`
        choose the events of a type, or of an entity. It ends when `stop` is set, and unless it is to `wait` with the
        last event that there is.

        No event is missed, and an entity's events come in their order, on both databases. Raises UsageError, NotFound,
        StoreError, and CursorHeld where it is not to wait for another follower.

            with pachyderm.follow(cursor="letters") as log:
                for event in log:
                    write_a_letter(event)
                    log.commit()
        """
        if after is not None and not 0 <= after <= _LAST_POSITION:
            raise UsageError(f"a position is a number from 0, not {after}")
        if type_name is not None and not is_type_name(type_name):
            raise UsageError(f"{type_name!r} is not an entity type's name; write it as in counter or billing.invoice")
        entity = None if reference is None else self._finder.in_log(reference, is_there=False)
        part = Part(self._network, type_name, entity)
        waiting = Wait(wait, stop or threading.Event())
        if cursor is None:
            start = settled_end(self._store, lambda: waiting.again(_PAUSE)) if after is None else after
            return Following(self._store, part, start, waiting)
        _require_name(cursor)
        if after is not None and find_cursor(self._store, self._network, cursor) is not None:
            raise UsageError(
                f"the cursor {cursor!r} is there already, and says where to begin; pachyderm cursors set moves it",
                cursor=cursor,
            )
        if after is not None:
            self._require_within(after)
        held = HeldCursor(self._network, cursor, Lease(uuid4(), self._lease_seconds))
        return Following.by_cursor(self._store, part, held, after or 0, waiting)

    def cursors(self) -> Iterator[StoredCursor]:
        """Return an iterator over the network's cursors, by name."""
        return cursors_of(self._store, self._network)

    def cursor(self, name: str) -> StoredCursor:
        """Return a cursor. Raises NotFound."""
        found = find_cursor(self._store, self._network, name)
        if found is None:
            there = ", ".join(repr(each.name) for each in self.cursors()) or "none yet"
            raise NotFound(
                f"the network {self._network!r} has no cursor {name!r}; its cursors: {there}",
                cursor=name,
                network=self._network,
            )
        return found

    def set_cursor(self, name: str, position: int) -> StoredCursor:
        """Put a cursor to a position, so that its follower goes on with the event after that, and return it.

        One that is not there is made. Raises UsageError for a position beyond the end of the log, CursorHeld while
        somebody follows by it.
        """
        _require_name(name)
        self._require_within(position)
        if not set_cursor(self._store, self._network, name, position):
            raise _is_followed(name)
        return self.cursor(name)

    def drop_cursor(self, name: str) -> StoredCursor:
        """Forget a cursor, and return what it was. Raises NotFound, CursorHeld while somebody follows by it."""
        found = self.cursor(name)
        if not drop_cursor(self._store, self._network, name):
            raise _is_followed(name)
        return found

    def _require_within(self, position: int) -> None:
        last = last_position(self._store)
        if not 0 <= position <= last:
            raise UsageError(f"a cursor stands at a position from 0 to {last}, the end of the log, not at {position}")


def _is_followed(name: str) -> CursorHeld:
    return CursorHeld(f"a follower has the cursor {name!r}; end it, or wait until its lease has run out", cursor=name)


def _require_name(name: str) -> None:
    if not name or not name.isprintable() or len(name) > _LONGEST_NAME:
        raise UsageError(f"{name[:80]!r} is no name of a cursor: use 1 to {_LONGEST_NAME} printable characters")
