"""Finding entities by their state, among those of a type that keeps its newest states for that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pachyderm_cli.domain.conditions import read_condition, read_path, sort_key, value_at
from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.engine.results import FoundByState, Lookup
from pachyderm_cli.store.lookups import count_of_type, lookups_of
from pachyderm_cli.store.records import NewSnapshot
from pachyderm_cli.store.store import Store


def look_up(
    store: Store,
    network: str,
    entity_type: EntityType,
    where: Iterable[str] = (),
    sort: str | None = None,
    limit: int | None = None,
) -> Lookup:
    """Return the entities of a type whose states fulfil all the conditions, by id, or in the order of a field.

    `sort` is a field, with a minus for the greatest first; nothing comes last. States of other code, or behind their
    entity, are left out and counted. Raises UsageError for what is no condition.
    """
    conditions = [read_condition(text) for text in where]
    current = 0

    def fitting() -> Iterator[FoundByState]:
        nonlocal current
        for each in lookups_of(store, network, entity_type.name):
            if each.fingerprint != fingerprint_of(entity_type) or each.version != each.head.version:
                continue
            try:
                state = entity_type.state_adapter.validate_json(each.state)
            except Exception:  # noqa: BLE001, S112 - user code validates too; it is to be rebuilt  # nosec B112
                continue
            current += 1
            if all(condition.holds(state) for condition in conditions):
                yield FoundByState(head=each.head, state=state, state_json=each.state)

    # All of them are read, limit or not: the stale ones are to be told.
    found = list(fitting()) if sort is None else _sorted(fitting(), sort)
    return Lookup(found=tuple(found[:limit]), stale=max(0, count_of_type(store, network, entity_type.name) - current))


def new_lookup(entity_type: EntityType, version: int, state: Any) -> NewSnapshot:
    """Return the state to be kept. Raises EntityFailed for one that JSON would change."""
    return NewSnapshot(version, fingerprint_of(entity_type), entity_type.snapshot_json(state))


def fingerprint_of(entity_type: EntityType) -> str:
    """Return the fingerprint of the code, "" where there is no source of it."""
    return entity_type.fingerprint or ""


def _sorted(found: Iterable[FoundByState], sort: str) -> list[FoundByState]:
    path = read_path(sort.removeprefix("-"))
    is_falling = sort.startswith("-")

    def key(each: FoundByState) -> Any:
        return sort_key(value_at(each.state, path))

    if not is_falling:
        return sorted(found, key=key)
    each_kind: dict[bool, list[FoundByState]] = {True: [], False: []}
    for each in found:
        each_kind[key(each)[0] == 0].append(each)
    # Nothing is last in this direction too.
    return sorted(each_kind[True], key=key, reverse=True) + sorted(each_kind[False], key=key)
