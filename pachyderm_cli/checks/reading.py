"""Reading a module's source without running it: what `update` and `handle` may not do, and what they leave out."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from pachyderm_cli.checks.calling import project_functions
from pachyderm_cli.checks.covering import gaps_of
from pachyderm_cli.checks.findings import Property, Remark
from pachyderm_cli.checks.source import Source
from pachyderm_cli.checks.touching import Touch, touches_of
from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.domain.faults import line_of

_TOLD = {
    "io": "does I/O",
    "clock": "reads the clock",
    "chance": "draws by chance",
    "global": "changes what belongs to the module",
}
_UNSTORABLE = {
    "callable": "a function",
    "generator": "an iterator",
    "is-instance": "a class that pydantic does not know",
    "is-subclass": "a class",
}


def remarks_on(entity_type: EntityType, taken: Collection[str] = ()) -> list[Remark]:
    """Return what the source of the type says; nothing where there is no source.

    Messages and events that were `taken` when they came have a branch, wherever it is.
    """
    remarks = [
        *_of_update(entity_type),
        *_of_handle(entity_type),
        *_of_matches(entity_type, taken),
        *_of_state(entity_type),
    ]
    return list(dict.fromkeys(remarks))


def _of_update(entity_type: EntityType) -> Iterator[Remark]:
    starts = [each for each in (entity_type.init, entity_type.update) if each is not None]
    for name, touch in _touches(starts):
        problem = f"{name} {_TOLD[touch.kind]} ({touch.what}): the same events have to give the same state, whenever"
        yield Remark(Property.PURE_UPDATE, problem, touch.file, touch.line, touch.certain)


def _of_handle(entity_type: EntityType) -> Iterator[Remark]:
    for name, touch in _touches([entity_type.handle]):
        said = f"{name} {_TOLD[touch.kind]} ({touch.what})"
        if touch.kind == "io":
            problem = f"{said}: that belongs into an effect"
        elif touch.kind == "global":
            problem = f"{said}: what it decides must not depend on what it was asked before"
        else:
            use = "context.now" if touch.kind == "clock" else "context.random"
            problem = f"{said}: {use} is the same when the decision is made again"
        certain = touch.certain and touch.kind == "io"
        yield Remark(Property.PURE_HANDLE, problem, touch.file, touch.line, certain)


def _touches(starts: Iterable[Any]) -> Iterator[tuple[str, Touch]]:
    for function, certain in project_functions(starts):
        for touch in touches_of(function):
            yield function.__name__, touch._replace(certain=touch.certain and certain)


def _of_matches(entity_type: EntityType, taken: Collection[str]) -> Iterator[Remark]:
    for function, members in ((entity_type.handle, entity_type.messages), (entity_type.update, entity_type.events)):
        source = Source.of(inspect.unwrap(function))
        if source is None:
            continue
        is_update = function is entity_type.update
        for gap in gaps_of(source, list(members.values())):
            if gap.member is None:
                yield Remark(Property.REACHABLE, gap.problem, source.file, gap.line, certain=True)
            elif gap.member not in taken and not (is_update and _may_be_none(entity_type)):
                # A handle that does nothing is an answer; an update that returns nothing is none, but for such a state.
                yield Remark(Property.TOTAL, gap.problem, source.file, gap.line, gap.certain and is_update)


def _may_be_none(entity_type: EntityType) -> bool:
    try:
        return entity_type.state_adapter.validate_python(None) is None
    except Exception:  # noqa: BLE001 - user code validates too
        return False


def _of_state(entity_type: EntityType) -> Iterator[Remark]:
    function = entity_type.init or entity_type.update
    for kind in sorted(_kinds(entity_type.state_adapter.core_schema)):
        problem = f"the type of the state has {_UNSTORABLE[kind]} in it, which JSON cannot hold"
        yield Remark(Property.FAITHFUL, problem, entity_type.file, line_of(function), certain=True)


def _kinds(schema: Any) -> set[str]:
    """Return the kinds of types in a core schema that no snapshot can hold."""
    if isinstance(schema, list | tuple):
        return {kind for each in schema for kind in _kinds(each)}
    if not isinstance(schema, Mapping) or "serialization" in schema:
        return set()
    found = {kind for kind in (schema.get("type"),) if kind in _UNSTORABLE}
    inner = (value for key, value in schema.items() if key not in ("metadata", "default", "cls", "config"))
    return found.union(*map(_kinds, inner))
