"""Checking one entity type: the search for counterexamples, the reading of its source, and what was never reached."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from pachyderm_cli.checks.elsewhere import Elsewhere
from pachyderm_cli.checks.exploring import Exploration
from pachyderm_cli.checks.findings import Broken, Fault, Property, Report, Step
from pachyderm_cli.checks.hooks import hooks_of, unused
from pachyderm_cli.checks.reading import remarks_on
from pachyderm_cli.checks.values import Values
from pachyderm_cli.domain.arguments import message_from_json
from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.domain.invariants import invariants_of
from pachyderm_cli.errors import EntityFailed

EXAMPLES = 200
"""How many sequences are tried, unless told otherwise."""

_HELD = 30
"""How often a known sequence is judged: where a fault depends on chance, one time alone would often miss it."""

_ENOUGH = 50  # examples, to tell what is never reached
_ENOUGH_MADE = 5  # messages, to tell that none of them is valid

_SEARCHED = tuple(each for each in Property if each is not Property.REACHABLE)


class Wish(NamedTuple):
    """How to check: how many sequences, and the random seed that decides which."""

    examples: int
    seed: int


def check(
    entity_type: EntityType,
    wish: Wish,
    *,
    folder: Path | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Report:
    """Return all that is found about an entity type.

    Another process loads it from the `folder` of entity modules, or imports its module by name. `progress` is told
    how many sequences were tried so far. Raises Unguessable where a message's type needs help, EntityLoadError.
    """
    invariants = invariants_of(entity_type)
    report = Report(entity_type.name, entity_type.file, wish.seed, invariants=tuple(invariants))
    hooks = hooks_of(entity_type)
    with closing(Elsewhere(entity_type, folder)) as elsewhere:
        exploration = Exploration(entity_type, invariants, hooks, elsewhere)
        settled: frozenset[Property] = frozenset()
        before = 0
        while True:
            count, found = exploration.search(settled, wish.seed, wish.examples, lambda n: progress(before + n))  # noqa: B023 - called in this round only
            before += count
            report.examples.update(dict.fromkeys(set(_SEARCHED) - settled, count))
            if found is None:
                break
            report.counterexamples.append(found)
            settled |= {found.fault.property}
    # What was handled or folded without trouble has its branch, wherever that is.
    report.remarks = remarks_on(entity_type, exploration.accepted | exploration.emitted)
    if not invariants:
        report.examples.pop(Property.INVARIANT, None)
    values = exploration.values
    report.notes = [*_notes(entity_type, exploration, report), *unused(hooks, values.used, values.fields)]
    return report


def _notes(entity_type: EntityType, exploration: Exploration, report: Report) -> list[str]:
    if report.counterexamples:  # the search ended early, and says little about what is reached
        return []
    values = exploration.values
    notes = [f"the message {name} was not tried: {error.message}" for name, error in exploration.unmade.items()]
    left_out = "was always left out, or None: nothing is known of its type"
    notes += [f"the field {path} {left_out}" for path in values.left_out]
    if sum(report.examples.values()) < _ENOUGH:  # so few say little about what is reached
        return notes
    names = [name for name in entity_type.messages if name not in exploration.accepted | exploration.unmade.keys()]
    notes += [
        f"the message {name} was never accepted" if name in exploration.drawn else _never_made(name, values)
        for name in names
    ]
    notes += [f"the event {name} was never emitted" for name in entity_type.events if name not in exploration.emitted]
    branches = exploration.watch.never_taken()
    notes += [
        f"a branch of update was never taken: {branch.head} ({entity_type.file}:{branch.line})" for branch in branches
    ]
    return notes


def _never_made(name: str, values: Values) -> str:
    if values.tried[name] < _ENOUGH_MADE:
        return f"the message {name} never came up: raise --max-examples"
    refused = f" ({values.refused[name]})" if name in values.refused else ""
    hint = f'say how in the module, strategies = {{"{name}.field": …}}'
    return f"no valid {name} was found by guessing{refused}: {hint}"


def hold_sequence(
    entity_type: EntityType, steps: Sequence[Step], wanted: Property, folder: Path | None = None
) -> Fault | None:
    """Return how a sequence of messages breaks a property, None if it does not. Raises UsageError, InvalidMessage."""
    try:
        play = [(message_from_json(entity_type, step.message, step.data), step) for step in steps]
    except EntityFailed as error:  # the message's own validator
        if wanted is not Property.TOTAL:
            raise
        return Fault(wanted, error.message, str(error.details["file"]), int(error.details["line"]))
    others = frozenset(each for each in Property if each is not wanted)
    with closing(Elsewhere(entity_type, folder)) as elsewhere:
        exploration = Exploration(entity_type, invariants_of(entity_type), {}, elsewhere, searches=False)
        try:
            for _ in range(_HELD):
                exploration.judge(tuple(play), others)
        except Broken as broken:
            return broken.fault
    return None
