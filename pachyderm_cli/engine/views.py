"""What can be asked of a network without writing to it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.domain.reference import Reference, is_type_name
from pachyderm_cli.engine.causes import causes
from pachyderm_cli.engine.finding import Finder
from pachyderm_cli.engine.following import Wait, follow_entity
from pachyderm_cli.engine.loader import EntityTypes
from pachyderm_cli.engine.lookups import look_up
from pachyderm_cli.engine.results import CausedMessage, Inspection, Lookup, StateAt
from pachyderm_cli.engine.sending import Sender
from pachyderm_cli.errors import UsageError
from pachyderm_cli.store.events import read_events
from pachyderm_cli.store.failures import unreadable
from pachyderm_cli.store.forks import origin_of
from pachyderm_cli.store.heads import heads
from pachyderm_cli.store.outbox import effects_of_entity
from pachyderm_cli.store.records import Head, RecordedEvent, StoredSnapshot
from pachyderm_cli.store.snapshots import snapshots_of
from pachyderm_cli.store.store import Store


class Views:
    """The reading half of `Pachyderm`, which sets up what it reads by."""

    _store: Store
    _types: EntityTypes
    _network: str
    _finder: Finder
    _sender: Sender

    @property
    def network(self) -> str:
        """The network whose entities these are."""
        return self._network

    def type_names(self) -> list[str]:
        """Return the names of the entity types there are, sorted."""
        return self._types.names()

    def entity_type(self, name: str) -> EntityType:
        """Return an entity type. Raises UnknownEntityType, or EntityLoadError naming file and line."""
        return self._types.get(name)

    def find(self, reference: str | Reference | None = None) -> Head:
        """Return the existing entity that `reference` means. Raises NotFound and AmbiguousReference."""
        return self._finder.existing(reference)

    def state(self, reference: str | Reference | None = None) -> Any:
        """Return the state of an existing entity. Raises NotFound, EntityFailed."""
        return self._current(self._finder.existing(reference)).state

    def inspect(self, reference: str | Reference | None = None) -> Inspection:
        """Return all that is known of an existing entity now. Raises NotFound, EntityFailed."""
        head = self._finder.existing(reference)
        current = self._current(head)
        open_effects = effects_of_entity(self._store, self._network, head.entity.id)
        return Inspection(
            entity=head.entity,
            network=self._network,
            version=current.version,
            state=current.state,
            entity_type=current.entity_type,
            created_at=head.created_at,
            updated_at=head.updated_at,
            snapshots=tuple(snapshots_of(self._store, self._network, head.entity.id)),
            effects=tuple(each for each in open_effects if each.timer is None),
            timers=tuple(each for each in open_effects if each.timer is not None),
            origin=origin_of(self._store, self._network, head.entity.id),
        )

    def history(
        self,
        reference: str | Reference | None = None,
        *,
        from_version: int = 1,
        to_version: int | None = None,
        limit: int | None = None,
        reverse: bool = False,
        follow: threading.Event | None = None,
    ) -> Iterator[RecordedEvent]:
        """Return an iterator over the entity's events, oldest first, or newest first with `reverse`.

        With an event to `follow` until it is set, it waits for those that are still to come as well. Needs no entity
        module, and holds nothing open between two events. Raises NotFound.
        """
        if limit is not None and limit < 0:
            raise UsageError(f"limit is a number of events, not {limit}")
        if reverse and follow is not None:
            raise UsageError("what is still to come cannot be had newest first")
        head = self._finder.existing(reference)
        entity_id, after = head.entity.id, from_version - 1
        if follow is not None:
            wait = Wait(forever=True, stop=follow)
            recorded = follow_entity(self._store, self._network, entity_id, after, to_version, wait)
        else:
            recorded = read_events(
                self._store,
                self._network,
                entity_id,
                after=after,
                up_to=to_version,
                reverse=reverse,
                known=head.version,
            )
        return islice(recorded, None if limit is None else min(limit, sys.maxsize))

    def causes(self, reference: str | Reference | None = None) -> Iterator[CausedMessage]:
        """Return an iterator over what caused what: the trees of messages that the entity's own are part of.

        A message comes before those that it led to, to whatever entity. Needs no entity module. Raises NotFound.
        """
        return causes(self._store, self._network, self._finder.existing(reference).entity.id)

    def snapshots(self, reference: str | Reference | None = None) -> list[StoredSnapshot]:
        """Return the snapshots of an existing entity, newest first. Needs no entity module. Raises NotFound."""
        head = self._finder.existing(reference)
        return snapshots_of(self._store, self._network, head.entity.id)

    def entities(self, type_name: str | None = None, *, limit: int | None = None) -> Iterator[Head]:
        """Return the network's entities, last written first: all, or those last handled by a type.

        The type may be one that has no module here. Raises UsageError for what can name none.
        """
        if limit is not None and limit < 0:
            raise UsageError(f"limit is a number of entities, not {limit}")
        if type_name is not None and not is_type_name(type_name):
            raise UsageError(f"{type_name!r} is not an entity type's name; write it as in counter or billing.invoice")
        return heads(self._store, self._network, type_name, limit)

    def lookup(
        self, type_name: str, *, where: Iterable[str] = (), sort: str | None = None, limit: int | None = None
    ) -> Lookup:
        """Return the entities of a type that keeps its states for lookup whose states fulfil all conditions.

        A condition is written as in `balance<0` or `owner.name=Ada`; `sort` is a field, with a minus for the greatest
        first. Raises UsageError for what is none, or for a type that keeps no states.
        """
        if limit is not None and limit < 0:
            raise UsageError(f"limit is a number of entities, not {limit}")
        entity_type = self._types.get(type_name)
        if not self._sender.rules.keeps_lookup(entity_type):
            raise UsageError(
                f"{type_name} keeps no states to look entities up by: write lookup = True in {entity_type.file}, then "
                f"run pachyderm snapshot --all --type {type_name}"
            )
        return look_up(self._store, self._network, entity_type, where, sort, limit)

    def _current(self, head: Head) -> StateAt:
        entity_type = self._types.get(head.entity.type)
        fold = self._sender.current(entity_type, head.entity)
        if fold.version < head.version:
            raise unreadable(f"the events of {head.entity} end at version {fold.version}, not at {head.version}")
        return StateAt(
            entity=head.entity,
            network=self._network,
            version=fold.version,
            state=fold.state,
            entity_type=entity_type,
        )
