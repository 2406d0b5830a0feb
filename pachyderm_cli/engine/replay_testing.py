"""Replay testing: fold entities with the code here, and say which no longer come out as they did.

It reads only. What a state is held against are the entity's snapshots, whatever code took them, and the states that
other code gives, version by version.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pachyderm_cli.domain.codec import difference
from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.engine.loader import EntityTypes
from pachyderm_cli.engine.results import Replayed
from pachyderm_cli.errors import EntityFailed, PachydermError
from pachyderm_cli.store.events import read_data
from pachyderm_cli.store.snapshots import snapshots_of
from pachyderm_cli.store.store import Store

Row = tuple[int, str, str, int]


class Diverged(Exception):
    """The entity does not come out as it did; `kind` is what was kept and differs, None where nothing can be folded."""

    def __init__(
        self, problem: str, version: int | None = None, event: str | None = None, kind: str | None = None
    ) -> None:
        super().__init__(problem)
        self.problem, self.version, self.event, self.kind = problem, version, event, kind


class ReplayTest:
    """Folds entities of one network with the code here, and with other code beside it if there is any."""

    def __init__(self, store: Store, network: str, types: EntityTypes, others: EntityTypes | None = None) -> None:
        """Hold what `types` give against the snapshots, and against what `others` give."""
        self._store = store
        self._network = network
        self._types = types
        self._others = others

    def replay(self, entity: Reference, version: int) -> Replayed:
        """Return how the entity's replay up to that version went. Raises StoreError."""
        try:
            if self._others is None:
                self._against_snapshots(entity, version)
            else:
                self._against_others(entity, version, self._others)
        except Diverged as found:
            return Replayed(entity, version, found.problem, found.version, found.event)
        return Replayed(entity, version)

    def _against_snapshots(self, entity: Reference, up_to: int) -> None:
        entity_type = _loaded(self._types, entity)
        taken = {
            each.version: {"snapshot": each.state}
            for each in snapshots_of(self._store, self._network, entity.id)
            if each.entity.type == entity.type
        }
        pages = read_data(self._store, self._network, entity.id, after=0, up_to=up_to)
        for found in against_kept(entity_type, pages, taken):
            raise found

    def _against_others(self, entity: Reference, up_to: int, others: EntityTypes) -> None:
        here, there = _loaded(self._types, entity), _loaded(others, entity)
        ours, theirs = _initial(here), _initial(there)
        for page in read_data(self._store, self._network, entity.id, after=0, up_to=up_to):
            for row in page:
                version, event = row[0], row[1]
                ours = _folded(here, ours, [row])
                try:
                    theirs = there.fold(theirs, [row])
                    expected = there.state_json(theirs)
                except EntityFailed as error:
                    raise Diverged(f"only the other code fails: {error.message}", version, event) from error
                problem = _differs(_shown(here, ours, version, event), expected)
                if problem is not None:
                    raise Diverged(f"differs from what the other code gives: {problem}", version, event)


def against_kept(
    entity_type: EntityType, pages: Iterable[list[Row]], kept: Mapping[int, Mapping[str, str]]
) -> Iterator[Diverged]:
    """Fold pages of events, and yield where the state differs from one that was kept at its version, as JSON by kind.

    What is kept need not be known before its page. Raises Diverged for an event that cannot be folded.
    """
    state, version = _initial(entity_type), 0
    for page in pages:
        for part in _parts(page, kept):
            state = _folded(entity_type, state, part)
            version, event = part[-1][0], part[-1][1]
            for kind, text in kept.get(version, {}).items():
                problem = _differs(_shown(entity_type, state, version, event), text)
                if problem is not None:
                    told = f"differs from the {kind} taken at version {version}: {problem}"
                    yield Diverged(told, version, event, kind)
    _shown(entity_type, state, version, None)


def _loaded(types: EntityTypes, entity: Reference) -> EntityType:
    try:
        return types.get(entity.type)
    except PachydermError as error:
        raise Diverged(error.message) from error


def _initial(entity_type: EntityType) -> Any:
    try:
        return entity_type.initial()
    except EntityFailed as error:
        raise Diverged(error.message, 0) from error


def _folded(entity_type: EntityType, state: Any, rows: list[Row]) -> Any:
    """Return the state after `rows`; where they cannot be folded, find the first of them that cannot."""
    try:
        before = entity_type.own_state(state)
    except EntityFailed as error:
        raise Diverged(error.message, rows[0][0], rows[0][1]) from error
    try:
        return entity_type.fold(state, rows)
    except EntityFailed as error:
        if len(rows) == 1:
            raise Diverged(error.message, rows[0][0], rows[0][1]) from error
    for row in rows:
        before = _folded(entity_type, before, [row])
    return before  # it failed in the whole, and not one by one: code that is not pure


def _shown(entity_type: EntityType, state: Any, version: int, event: str | None) -> str:
    try:
        return entity_type.state_json(state)
    except EntityFailed as error:
        raise Diverged(error.message, version, event) from error


def _parts(page: list[Row], kept: Mapping[int, Any]) -> list[list[Row]]:
    """Return the page in parts that end where there is a snapshot."""
    parts: list[list[Row]] = [[]]
    for row in page:
        parts[-1].append(row)
        if row[0] in kept:
            parts.append([])
    return [part for part in parts if part]


def _differs(ours: str, theirs: str) -> str | None:
    """Return where two states differ, None if they are the same but for the order of keys."""
    if ours == theirs:
        return None
    try:
        left, right = json.loads(theirs), json.loads(ours)
    except ValueError as error:
        return f"what was kept is no JSON: {error}"
    path = difference(left, right, "state")
    if path is None:
        return None
    return f"{path} is {_at(right, path)}, and was {_at(left, path)}"


def _at(value: Any, path: str) -> str:
    """Return what stands at a path that `difference` found, cut where it is long."""
    for name, index in re.findall(r"\.([^.\[\]]+)|\[(\d+)\]", path.removeprefix("state")):
        try:
            value = value[int(index)] if index else value[name]
        except (KeyError, IndexError, TypeError):
            return "not there"
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."
