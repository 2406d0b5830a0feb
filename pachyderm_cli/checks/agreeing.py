"""Holding what another process says against what came out here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from pachyderm_cli.checks.comparing import Difference, compared, paths_between
from pachyderm_cli.checks.elsewhere import Answer
from pachyderm_cli.checks.findings import Broken, Fault, Property
from pachyderm_cli.checks.trial import Handled
from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.domain.faults import line_of

_WHERE = "in another process (another hash seed, clock, time zone and random seed)"


def agree(
    entity_type: EntityType, handled: Sequence[Handled], answers: Sequence[Answer], settled: frozenset[Property]
) -> None:
    """Require that the same was decided and folded there. Raises Broken."""
    before: str | None = None
    for here, there in zip(handled, answers, strict=False):
        name, start = here.step.message, before
        if "failure" in there:
            problem = f"{there['failure']} {_WHERE}, and not here"
            broken = Property.PURE_UPDATE if there["asked"] == "update" else Property.PURE_HANDLE
            _break(entity_type, broken, problem, settled, before, Difference((), None, None))
            return
        for event, state in zip(here.events, there["states"], strict=True):
            found = _states_differ(entity_type, event.state, state)
            if found is not None:
                problem = f"update({event.type}) gives another state {_WHERE}"
                _break(entity_type, Property.PURE_UPDATE, problem, settled, before, found)
            before = event.state
        found = _decisions_differ(entity_type, here, there)
        if found is not None:
            problem = f"handle({name}) decides otherwise {_WHERE}, with the same context"
            _break(entity_type, Property.PURE_HANDLE, problem, settled, start, found)


def _break(
    entity_type: EntityType,
    broken: Property,
    problem: str,
    settled: frozenset[Property],
    before: str | None,
    found: Difference,
) -> None:
    if broken in settled:
        return
    function = entity_type.update if broken is Property.PURE_UPDATE else entity_type.handle
    states = {"before": before, "after": found.before, "otherwise": found.after}
    raise Broken(Fault(broken, problem, entity_type.file, line_of(function), **states, paths=found.paths))


def _states_differ(entity_type: EntityType, here: str | None, there: str | None) -> Difference | None:
    if here is None or there is None or here == there:
        return None
    try:  # the members of a set have no order
        adapter = entity_type.state_adapter
        found = compared(adapter.validate_json(here), adapter.validate_json(there))
    except ValidationError:
        found = Difference(paths_between(here, there), here, there)
    return None if found is None else found._replace(before=here, after=there)


def _decisions_differ(entity_type: EntityType, here: Handled, there: Answer) -> Difference | None:
    if here.rejection is not None or there["rejection"] is not None:
        if here.rejection is not None and there["rejection"] is not None:
            return None  # for whatever reason: nothing of a rejection is stored
        return Difference((), repr(here.rejection), repr(there["rejection"]))
    events = [_read(entity_type, event.type, event.text) for event in here.events]
    others = [_read(entity_type, name, text) for name, text in there["events"]]
    return compared(events, others) or compared(list(here.effects), there["effects"])


def _read(entity_type: EntityType, name: str, text: str) -> Any:
    return entity_type.events[name].model_validate_json(text)
