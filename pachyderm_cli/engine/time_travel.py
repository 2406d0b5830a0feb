"""Time travel: an entity's states at any version, compared and asked, and what would come of a message."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from pachyderm_cli.domain.arguments import question_from_fields, question_from_mapping, question_of
from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.domain.message import Question
from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.engine import folding
from pachyderm_cli.engine.deciding import Request
from pachyderm_cli.engine.folding import Fold
from pachyderm_cli.engine.loader import FolderEntityTypes
from pachyderm_cli.engine.lookups import new_lookup
from pachyderm_cli.engine.relay import Relay
from pachyderm_cli.engine.replay_testing import ReplayTest
from pachyderm_cli.engine.results import Answer, Difference, Forked, Replayed, StateAt, Step, Tried
from pachyderm_cli.engine.trying import tried
from pachyderm_cli.engine.views import Views
from pachyderm_cli.errors import ConfigError, NotFound, UsageError, VersionConflict
from pachyderm_cli.project import is_folder
from pachyderm_cli.store.forks import fork
from pachyderm_cli.store.heads import find_head
from pachyderm_cli.store.records import Head, Origin, RecordedEvent

_LITTLE = 20_000  # events: fewer are folded before another process has begun


class TimeTravel(Views):
    """The part of `Pachyderm` that looks at other versions than the newest. Nothing of it changes a history."""

    _relay: Relay
    _clock: Callable[[], datetime]

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
        return StateAt(entity=head.entity, network=self._network, version=version, state=state, entity_type=entity_type)

    def steps(
        self,
        reference: str | Reference | None = None,
        *,
        to_version: int | None = None,
        at: datetime | None = None,
        from_version: int = 1,
    ) -> Iterator[Step]:
        """Return an iterator over a replay's steps from `from_version` on: each event, the state after it, its changes.

        Raises as `replay` does.
        """
        head = self._finder.existing(reference)
        if from_version > max(1, head.version):
            raise NotFound(
                f"{head.entity} has no version {from_version}; it has 0 to {head.version}",
                entity=str(head.entity),
                version=from_version,
            )
        entity_type = self._types.get(head.entity.type)
        replayed = self._replayed(head, entity_type, to_version, at)
        return self._steps(head, entity_type, replayed, from_version)

    def _steps(
        self,
        head: Head,
        entity_type: EntityType,
        replayed: Iterator[tuple[RecordedEvent, Any]],
        from_version: int,
    ) -> Iterator[Step]:
        before = entity_type.state_json(entity_type.initial())
        for recorded, state in replayed:
            if recorded.version < from_version:
                if recorded.version == from_version - 1:
                    before = entity_type.state_json(state)
                continue
            step = Step(
                entity=head.entity,
                network=self._network,
                version=recorded.version,
                state=entity_type.own_state(state),
                entity_type=entity_type,
                event=recorded,
                before_json=before,
            )
            yield step
            before = step.state_json

    def difference(
        self, reference: str | Reference | None, left: int | str | Reference, right: int | None = None
    ) -> Difference:
        """Return an entity's states at the versions `left` and `right` side by side, or its state and another entity's.

        Raises as `replay` does.
        """
        if isinstance(left, int):
            if right is None:
                raise UsageError("give two versions, or another entity")
            return Difference(
                left=self.replay(reference, to_version=left), right=self.replay(reference, to_version=right)
            )
        if right is not None:
            raise UsageError("give two versions, or another entity, not both")
        return Difference(
            left=self._current(self._finder.existing(reference)), right=self._current(self._finder.existing(left))
        )

    def question(
        self, type_name: str, name: str, data: Mapping[str, Any] | None = None, *, fields: Iterable[str] = ()
    ) -> Question:
        """Return the question `name` of an entity type, with `data` or with `fields`, which are FIELD=VALUE texts.

        Raises UnknownEntityType, UnknownMessage and InvalidMessage.
        """
        entity_type = self._types.get(type_name)
        if data is None:
            return question_from_fields(entity_type, name, fields)
        return question_from_mapping(entity_type, name, data)

    def query(
        self,
        reference: str | Reference | None,
        question: Question | str,
        data: Mapping[str, Any] | None = None,
        *,
        at_version: int | None = None,
    ) -> Answer:
        """Return what an existing entity answers to a question, now or at a version; nothing is written.

        `question` is a Question, or the name of one with `data`. Raises NotFound, UnknownMessage, InvalidMessage,
        Rejected (by the module's `query`) and EntityFailed.
        """
        head = self._finder.existing(reference)
        at = self._current(head) if at_version is None else self.replay(head.entity, to_version=at_version)
        entity_type = at.entity_type
        asked = self.question(entity_type.name, question, data or {}) if isinstance(question, str) else question
        asked = question_of(entity_type, asked)
        answer = entity_type.answer(asked, entity_type.own_state(at.state))
        return Answer(
            entity=head.entity,
            network=self._network,
            version=at.version,
            state=at.state,
            entity_type=entity_type,
            question=asked,
            answer=answer,
        )

    def replay_all(
        self,
        type_name: str | None = None,
        *,
        entities: str | os.PathLike[str] | None = None,
        jobs: int | None = None,
    ) -> Iterator[Replayed]:
        """Fold every entity of the network, or of a type, with the code here; yield how each went, as they end.

        Each is held against its snapshots, or version by version against what the code in the folder `entities` gives.
        Runs on so many processes (`jobs`; as many as there are cores, or none for little work) where the types are
        those of a project. Raises UsageError, ConfigError and StoreError.
        """
        if jobs is not None and jobs < 1:
            raise UsageError(f"jobs is a number of processes from 1, not {jobs}")
        others = None if entities is None else Path(entities).resolve()
        if others is not None and not is_folder(others):
            raise ConfigError(f"there is no folder of entity modules at {others}")
        work = [(each.entity.type, str(each.entity.id), each.version) for each in self.entities(type_name)]
        wanted = jobs or (os.cpu_count() or 1 if sum(version for *_, version in work) >= _LITTLE else 1)
        if wanted > 1 and len(work) > 1 and isinstance(self._types, FolderEntityTypes):
            from pachyderm_cli.engine.replay_jobs import Job, replayed_by_jobs  # noqa: PLC0415 - for much work alone

            job = Job(self._store.opened_url, self._network, self._types.folder, others)
            return replayed_by_jobs(job, work, min(wanted, len(work)))
        other_types = None if others is None else FolderEntityTypes(others)
        test = ReplayTest(self._store, self._network, self._types, other_types)
        return (test.replay(Reference(name, UUID(identifier)), version) for name, identifier, version in work)

    def try_send(self, request: Request, *, at_version: int | None = None) -> Tried:
        """Return what a request (see `request`) would lead to, now or at a version of the entity; nothing is written.

        Now means as a send would decide it: after the entity's own overdue timers. Raises as a send does: Rejected,
        EntityFailed, InvalidMessage; NotFound for a version that is not there.
        """
        entity_type, entity = request.entity_type, request.entity
        head = find_head(self._store, self._network, entity.id)
        if at_version is not None:
            if head is None and at_version != 0:
                raise NotFound(f"{entity} has no version {at_version}; nothing was sent to it yet", entity=str(entity))
            state = entity_type.initial() if head is None else self.replay(entity, to_version=at_version).state
            fold = Fold(at_version, state, 0)
        else:
            fold = self._sender.current(entity_type, entity)
        return tried(self._sender, self._relay, request, fold, now=at_version is None)

    def fork(
        self,
        reference: str | Reference | None = None,
        *,
        to_version: int | None = None,
        to: str | Reference = "new",
    ) -> Forked:
        """Copy an entity's history, up to a version or whole, into an entity that is not there yet, and return it.

        `to` is `new` or a reference to such an entity, of the same type unless it says another. Only events are
        copied: no effects, no timers. Where they came from is recorded. Raises NotFound, VersionConflict if the
        target is there, and EntityFailed if its type cannot fold the events.
        """
        head = self._finder.existing(reference)
        version = head.version if to_version is None else to_version
        state = self.replay(head.entity, to_version=version)
        if version == 0:
            raise UsageError("a fork at version 0 would have no history: send to a new entity instead")
        target = self._target(head, to)
        entity_type = state.entity_type
        if target.type != head.entity.type:
            entity_type = self._types.get(target.type)
            state = self.replay(Reference(target.type, head.entity.id), to_version=version)
        now = self._clock()
        lookup = None
        if self._sender.rules.keeps_lookup(entity_type):
            lookup = new_lookup(entity_type, version, state.state)
        if not fork(
            self._store,
            self._network,
            source=head.entity,
            version=version,
            target=target,
            fork_id=uuid4(),
            at=now,
            lookup=lookup,
        ):
            raise VersionConflict(
                f"{target} is there already; a history is copied into a new entity only", entity=str(target)
            )
        return Forked(
            entity=target,
            network=self._network,
            version=version,
            state=state.state,
            entity_type=entity_type,
            origin=Origin(head.entity, version, now),
        )

    def _target(self, head: Head, to: str | Reference) -> Reference:
        if to == "new":
            return Reference(head.entity.type, uuid4())
        return self._finder.receiver(to, fresh=uuid4)

    def _replayed(
        self, head: Head, entity_type: EntityType, to_version: int | None, at: datetime | None
    ) -> Iterator[tuple[RecordedEvent, Any]]:
        if to_version is not None and not 0 <= to_version <= head.version:
            raise NotFound(
                f"{head.entity} has no version {to_version}; it has 0 to {head.version}",
                entity=str(head.entity),
                version=to_version,
            )
        if at is not None and at.tzinfo is None:
            raise UsageError(f"{at} has no offset from UTC; use an aware datetime")
        return folding.replay(self._store, self._network, entity_type, head, to_version, at)
