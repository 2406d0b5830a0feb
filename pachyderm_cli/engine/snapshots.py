"""Taking snapshots, and dropping them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.engine.lookups import new_lookup
from pachyderm_cli.engine.views import Views
from pachyderm_cli.errors import EntityFailed
from pachyderm_cli.store.lookups import keep_lookup
from pachyderm_cli.store.records import StoredSnapshot
from pachyderm_cli.store.snapshots import drop_snapshots, keep_snapshot


class Snapshots(Views):
    """The part of `Pachyderm` that sees to snapshots."""

    _clock: Callable[[], datetime]

    def snapshot(self, reference: str | Reference | None = None) -> StoredSnapshot:
        """Take a snapshot of an existing entity now and return it, and bring what is kept for lookup up to date.

        Raises NotFound, EntityFailed, StoreError.
        """
        current = self._current(self._finder.existing(reference))
        entity_type = current.entity_type
        if entity_type.fingerprint is None:
            raise EntityFailed(
                f"no snapshot of {current.entity} can be taken: the source of its code cannot be read, so that "
                "nothing would tell when it has changed",
                entity_type=entity_type.name,
            )
        taken = StoredSnapshot(
            entity=current.entity,
            version=current.version,
            fingerprint=entity_type.fingerprint,
            state=entity_type.snapshot_json(current.state),
            taken_at=self._clock(),
        )
        keep_snapshot(self._store, self._network, taken)
        if self._sender.rules.keeps_lookup(entity_type):
            lookup = new_lookup(entity_type, current.version, current.state)
            keep_lookup(self._store, self._network, current.entity, lookup)
        return taken

    def drop_snapshots(self, reference: str | Reference | None = None, *, every_entity: bool = False) -> int:
        """Drop the snapshots of an entity, or of the whole network; return how many. Needs no entity module."""
        entity_id = None if every_entity else self._finder.existing(reference).entity.id
        return drop_snapshots(self._store, self._network, entity_id)
