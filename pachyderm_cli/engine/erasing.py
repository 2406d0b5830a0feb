"""Forgetting an entity on request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.engine.finding import Finder
from pachyderm_cli.errors import UsageError
from pachyderm_cli.store.erasing import Erasure, erase, scrub, tombstone
from pachyderm_cli.store.store import Store

_LONGEST_REASON = 10_000


class Erasing:
    """The part of `Pachyderm` that erases entities."""

    _store: Store
    _network: str
    _finder: Finder
    _clock: Callable[[], datetime]

    def erase(self, reference: str | Reference, why: str) -> Erasure:
        """Erase an entity for good: its events, snapshots, effects and timers, and what is kept of it for lookup.

        One row stays in the log, which followers get: whose it was, when and why it was erased, and at which version.
        Its id stays taken: whatever is sent to it, or asked of it, raises Erased, and messages that are on their way to
        it are rejected. Copies that `fork` made are entities of their own, and are named in what is returned.

        On SQLite call `scrub` then, so that nothing of it is left in the file. Raises NotFound, Erased, UsageError for
        a reason that says nothing.
        """
        if not why.strip() or len(why) > _LONGEST_REASON or "\0" in why:
            raise UsageError(f"say why, in 1 to {_LONGEST_REASON} characters: the reason is all that stays")
        entity = self._finder.existing(reference).entity
        erased = erase(self._store, self._network, entity.id, why, self._clock())
        if erased is None:
            raise tombstone(self._store, self._network, entity.id)
        return erased

    def scrub(self) -> bool:
        """Write a SQLite store anew, so that what was erased is gone from its files too; tell whether it is done.

        It takes as long as copying the file, and as much room again, and keeps writers waiting. It is not done where
        other processes kept reading for half a minute; call it again. On Postgres there is nothing to do: VACUUM is run
        by the server itself.
        """
        return scrub(self._store)
