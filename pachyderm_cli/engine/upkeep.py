"""Looking after the store as a whole: copies of it, what it is like, whether it is whole.

What does it is loaded when it is called for: every command loads this module.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pachyderm_cli.engine.loader import EntityTypes
from pachyderm_cli.store.store import Store

if TYPE_CHECKING:
    from pachyderm_cli.engine.verifying import Verification
    from pachyderm_cli.store.backup import BackedUp, Progress
    from pachyderm_cli.store.status import StoreStatus


class Upkeep:
    """The part of `Pachyderm` that is about the store as a whole, whatever networks are in it."""

    _store: Store
    _types: EntityTypes
    _network: str

    def backup(
        self, path: str | os.PathLike[str], *, replace: bool = False, progress: Progress | None = None
    ) -> BackedUp:
        """Copy a SQLite store into a file, while others write to it; the copy is the store as it was at one moment.

        Everything acknowledged before the call is in it. A file that is there is replaced only if told to, and only
        once the copy is whole and was checked. `progress` is called with how many pages are copied, and how many there
        are. Raises UsageError for a path that cannot be the copy's, and for a store on Postgres, whose own pg_dump
        does it; StoreError.
        """
        from pachyderm_cli.store.backup import back_up  # noqa: PLC0415 - see the module's docstring

        return back_up(self._store, Path(path), replace=replace, progress=progress)

    def store_status(self) -> StoreStatus:
        """Return what the store is like: its size and schema, how much is in each network, the database's settings.

        A store that is not there stays so; one of an older schema is told of as it is. Raises StoreError.
        """
        from pachyderm_cli.store.status import status_of  # noqa: PLC0415 - see the module's docstring

        return status_of(self._store)

    def verify(
        self, type_name: str | None = None, *, all_networks: bool = False, progress: Progress | None = None
    ) -> Verification:
        """Return an iterable over what is wrong in the store, which reads as it goes, in constant memory.

        Every row is held against what must hold of it, and entities that there is code for are folded, and held
        against the snapshots and kept states that this code made. All of it as it is at one moment: of this network, of
        all of them, or of the entities of one type. `progress` is called with how many events are read, and how many
        there are. Once it was iterated over, `summary` says how much was read. Iterating raises StoreError.
        """
        from pachyderm_cli.engine.verifying import Verification  # noqa: PLC0415 - see the module's docstring

        return Verification(self._store, self._types, None if all_networks else self._network, type_name, progress)
