"""The engine: the one class through which the command line and users' programs use pachyderm."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from types import ModuleType, TracebackType
from typing import Any, Self
from uuid import UUID, uuid4

from pachyderm_cli.config import DEFAULT_NETWORK, Config, load_config
from pachyderm_cli.domain.arguments import message_from_fields, message_from_json, message_from_mapping
from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.domain.message import Message
from pachyderm_cli.domain.reference import Reference, is_type_name
from pachyderm_cli.domain.timestamps import now
from pachyderm_cli.engine import folding
from pachyderm_cli.engine.dispatch import dispatch, left_out
from pachyderm_cli.engine.finding import Finder
from pachyderm_cli.engine.loader import EntityTypes, FolderEntityTypes, ModuleEntityTypes, NoEntityTypes
from pachyderm_cli.engine.results import Inspection, Sent, StateAt, Step
from pachyderm_cli.engine.sending import Request, Sender
from pachyderm_cli.errors import EntityFailed, NotFound, UnknownMessage, UsageError
from pachyderm_cli.store.events import read_events
from pachyderm_cli.store.heads import heads
from pachyderm_cli.store.records import Head, RecordedEvent, StoredSnapshot
from pachyderm_cli.store.snapshots import drop_snapshots, keep_snapshot, snapshots_of
from pachyderm_cli.store.store import Store


class Pachyderm:
    """Entities of one network in one store.

    A context manager; one instance serves several threads. References are given as text (`counter:@visits`) or as
    Reference; where an existing entity is meant, None stands for the one written to last.

        with Pachyderm("sqlite:///counters.db", [counter]) as pachyderm:
            sent = pachyderm.send("counter:@visits", Increment())
            print(sent.version, sent.state)
    """

    def __init__(
        self,
        store: str,
        modules: Iterable[ModuleType] | Mapping[str, Any] | EntityTypes = (),
        *,
        network: str = DEFAULT_NETWORK,
        snapshots_every: int = 100,
        cached: int = 4096,
        config: Mapping[str, Any] | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        """Make an engine on the store with that URL, for these entity modules.

        `modules` are modules, a mapping of type names to modules, or where to get entity types from; `cached` is
        how many folded entities are kept between calls; `config` is handed to effects; `clock` returns the current time, aware. The store is opened at the first use. Raises ConfigError and EntityLoadError.
        """
        self._store = Store(store)
        self._types = modules if isinstance(modules, EntityTypes) else ModuleEntityTypes(modules)
        self._network = network
        self._config = dict(config or {})
        self._clock = clock
        self._finder = Finder(self._store, network)
        self._sender = Sender(self._store, network, snapshots_every=snapshots_every, cached=cached, clock=clock)

    @classmethod
    def open(
        cls,
        project: str | os.PathLike[str] | None = None,
        *,
        store: str | None = None,
        network: str | None = None,
    ) -> Self:
        """Return an engine for the project in that folder, or for the nearest one upwards from here.

        Options win over the environment, the environment over `pachyderm.toml`. Entity modules are loaded when
        first needed. Raises ConfigError.
        """
        return cls.from_config(load_config(project, store=store, network=network))

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Return an engine for a configuration. Raises ConfigError for a store URL that cannot be used."""
        types = NoEntityTypes() if config.entities is None else FolderEntityTypes(config.entities)
        return cls(
            config.store_url,
            types,
            network=config.network,
            snapshots_every=config.snapshots_every,
            config=config.effects,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to the store and forget the project's modules."""
        self._store.close()
        self._types.close()

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

    def receiver(self, reference: str | Reference) -> Reference:
        """Return whom a message to `reference` would go to; `new` is a fresh id at every call."""
        return self._finder.receiver(reference, Reference("", uuid4()))

    def message(
        self,
        type_name: str,
        name: str,
        data: Mapping[str, Any] | str | bytes | None = None,
        *,
        fields: Iterable[str] = (),
    ) -> Message:
        """Return the message `name` of an entity type, with `data` (a mapping, or a JSON object as text) or `fields`.

        `fields` are FIELD=VALUE texts. Raises UnknownEntityType, UnknownMessage and InvalidMessage.
        """
        entity = self._types.get(type_name)
        given = list(fields)
        if data is None:
            return message_from_fields(entity, name, given)
        if given:
            raise UsageError("give a message's data as fields or whole, not both")
        if isinstance(data, str | bytes):
            return message_from_json(entity, name, data)
        return message_from_mapping(entity, name, data)

    def send(  # noqa: PLR0913 - all that a send may say, by keyword
        self,
        reference: str | Reference,
        message: Message | str,
        data: Mapping[str, Any] | str | bytes | None = None,
        *,
        message_id: UUID | None = None,
        expect: int | None = None,
        config: Mapping[str, Any] | None = None,
        effects: bool = True,
        caused_by: UUID | None = None,
    ) -> Sent:
        """Send a message, and return what it led to once that is durable and its effects have run.

        `message` is a Message, or the name of one with `data`. `message_id` makes it idempotent: sent again, it
        returns the first outcome. `expect` handles it only at that version (0: a new entity). `config` is added to
        the effects' configuration; without `effects` they are discarded. `caused_by` is the id of the message that
        led to this one. A failing effect is reported in the result, and raises nothing.

        Raises Rejected, VersionConflict, MessageIdConflict, EntityFailed, InvalidMessage, UnknownMessage,
        UnknownEntityType, EntityLoadError, InvalidReference, NotFound and StoreError; after each of them nothing
        was written.
        """
        entity = self.receiver(reference)
        entity_type = self._types.get(entity.type)
        if isinstance(message, str):
            message = self.message(entity.type, message, {} if data is None else data)
        elif data is not None:
            raise UsageError("data goes with the name of a message, not with a message")
        request = Request(
            entity_type=entity_type,
            entity=entity,
            message=_of_type(entity_type, message),
            message_id=message_id,
            expect=expect,
            caused_by=caused_by,
        )
        committed = self._sender.send(request)
        if effects:
            results = dispatch(committed.effects, committed.message_id, {**self._config, **(config or {})})
        else:
            results = left_out(committed.effects, committed.message_id)
        return Sent(
            entity=entity,
            network=self._network,
            version=committed.fold.version,
            state=committed.fold.state,
            entity_type=entity_type,
            message_id=committed.message_id,
            duplicate=committed.duplicate,
            events=committed.events,
            effects=results,
        )

    def state(self, reference: str | Reference | None = None) -> Any:
        """Return the state of an existing entity. Raises NotFound, EntityFailed."""
        return self._current(self._finder.existing(reference)).state

    def inspect(self, reference: str | Reference | None = None) -> Inspection:
        """Return all that is known of an existing entity now. Raises NotFound, EntityFailed."""
        head = self._finder.existing(reference)
        current = self._current(head)
        return Inspection(
            entity=head.entity,
            network=self._network,
            version=current.version,
            state=current.state,
            entity_type=current.entity_type,
            created_at=head.created_at,
            updated_at=head.updated_at,
            snapshots=tuple(snapshots_of(self._store, self._network, head.entity.id)),
        )

    def history(
        self,
        reference: str | Reference | None = None,
        *,
        from_version: int = 1,
        to_version: int | None = None,
        limit: int | None = None,
        reverse: bool = False,
    ) -> Iterator[RecordedEvent]:
        """Return an iterator over the entity's events, oldest first, or newest first with `reverse`.

        Needs no entity module, and holds nothing open between two events. Raises NotFound.
        """
        head = self._finder.existing(reference)
        recorded = read_events(
            self._store, self._network, head.entity.id, after=from_version - 1, up_to=to_version, reverse=reverse
        )
        return islice(recorded, None if limit is None else min(limit, sys.maxsize))

    def replay(
        self,
        reference: str | Reference | None = None,
        *,
        to_version: int | None = None,
        at: datetime | None = None,
    ) -> StateAt:
        """Return the state folded from the events alone, up to a version (0: the initial state) or to a time.

        Raises NotFound for an entity or version that is not there, EntityFailed.
        """
        head = self._finder.existing(reference)
        entity_type = self._types.get(head.entity.type)
        version, state = 0, entity_type.initial()
        for recorded, state in self._replayed(head, entity_type, to_version, at):  # noqa: B007 - the last one is wanted
            version = recorded.version
        return StateAt(
            entity=head.entity, network=self._network, version=version, state=state, entity_type=entity_type
        )

    def steps(
        self,
        reference: str | Reference | None = None,
        *,
        to_version: int | None = None,
        at: datetime | None = None,
    ) -> Iterator[Step]:
        """Return an iterator over a replay's steps: each event, the state after it and what it changed.

        Raises as `replay` does.
        """
        head = self._finder.existing(reference)
        entity_type = self._types.get(head.entity.type)
        replayed = self._replayed(head, entity_type, to_version, at)
        return self._steps(head, entity_type, replayed)

    def _steps(
        self, head: Head, entity_type: EntityType, replayed: Iterator[tuple[RecordedEvent, Any]]
    ) -> Iterator[Step]:
        before = entity_type.state_json(entity_type.initial())
        for recorded, state in replayed:
            step = Step(
                entity=head.entity,
                network=self._network,
                version=recorded.version,
                state=state,
                entity_type=entity_type,
                event=recorded,
                before_json=before,
            )
            yield step
            before = step.state_json

    def snapshot(self, reference: str | Reference | None = None) -> StoredSnapshot:
        """Take a snapshot of an existing entity now and return it. Raises NotFound, EntityFailed, StoreError."""
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
        return taken

    def snapshots(self, reference: str | Reference | None = None) -> list[StoredSnapshot]:
        """Return the snapshots of an existing entity, newest first. Needs no entity module. Raises NotFound."""
        head = self._finder.existing(reference)
        return snapshots_of(self._store, self._network, head.entity.id)

    def drop_snapshots(self, reference: str | Reference | None = None, *, every_entity: bool = False) -> int:
        """Drop the snapshots of an entity, or of the whole network; return how many. Needs no entity module."""
        entity_id = None if every_entity else self._finder.existing(reference).entity.id
        return drop_snapshots(self._store, self._network, entity_id)

    def entities(self, type_name: str | None = None, *, limit: int | None = None) -> Iterator[Head]:
        """Return the network's entities, last written first: all, or those last handled by a type.

        The type may be one that has no module here. Raises UsageError for what can name none.
        """
        if type_name is not None and not is_type_name(type_name):
            raise UsageError(f"{type_name!r} is not an entity type's name; write it as in counter or billing.invoice")
        return heads(self._store, self._network, type_name, limit)

    def _current(self, head: Head) -> StateAt:
        entity_type = self._types.get(head.entity.type)
        fold = self._sender.current(entity_type, head.entity)
        return StateAt(
            entity=head.entity,
            network=self._network,
            version=fold.version,
            state=fold.state,
            entity_type=entity_type,
        )

    def _replayed(
        self, head: Head, entity_type: EntityType, to_version: int | None, at: datetime | None
    ) -> Iterator[tuple[RecordedEvent, Any]]:
        if to_version is not None and not 0 <= to_version <= head.version:
            raise NotFound(
                f"{head.entity} has no version {to_version}; it has 0 to {head.version}",
                entity=str(head.entity),
                version=to_version,
            )
        replayed = folding.replay(self._store, self._network, entity_type, head.entity, to_version)
        if at is None:
            return replayed
        # Versions order events, not clocks: the replay ends before the first event that is later than `at`.
        return (pair for pair in _until(replayed, at))


def _until(replayed: Iterator[tuple[RecordedEvent, Any]], at: datetime) -> Iterator[tuple[RecordedEvent, Any]]:
    for recorded, state in replayed:
        if recorded.recorded_at > at:
            return
        yield recorded, state


def _of_type(entity_type: EntityType, message: Message) -> Message:
    """Return `message` as one that `entity_type` takes.

    A class of the same name from the same file is the same class, imported a second time.
    """
    name = type(message).__name__
    known = entity_type.messages.get(name)
    if known is type(message):
        return message
    if known is not None and _file_of(known) == _file_of(type(message)):
        return known.model_validate_json(message.model_dump_json(by_alias=True, round_trip=True))
    raise UnknownMessage(
        f"{entity_type.name} takes no message of the class {type(message).__module__}.{name}; "
        f"there is: {', '.join(sorted(entity_type.messages))}",
        entity_type=entity_type.name,
        name=name,
    )


def _file_of(model: type) -> str | None:
    file = getattr(sys.modules.get(model.__module__), "__file__", None)
    return None if file is None else os.path.realpath(file)
