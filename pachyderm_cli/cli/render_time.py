"""Time travel as lines for people: differences, what would come of a message, answers, copies, replay tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pachyderm_cli.cli.json_text import to_json
from pachyderm_cli.cli.output import Line, Piece
from pachyderm_cli.cli.pieces import entity, labelled, versioned
from pachyderm_cli.domain.timestamps import to_text
from pachyderm_cli.engine.results import Answer, Difference, Forked, FoundByState, Replayed, Step, Tried, TriedEffect
from pachyderm_cli.store.records import RecordedEvent

_OLD, _NEW = "red", "green"


def step(result: Step) -> Iterator[Line]:
    """Show one step of a replay: the event, what led to it, what it changed, the state after it."""
    yield from _event(result.event)
    yield from _changes(result.changes, result.before_json)
    yield labelled("state", (result.state_json, "dim"))


def difference(result: Difference) -> Iterator[Line]:
    """Show two states side by side: what the left one has otherwise than the right one, and the other way round."""
    left, right = result.left, result.right
    yield (("- ", _OLD), *entity(left.entity), (f" at version {left.version}", ""))
    yield (("+ ", _NEW), *entity(right.entity), (f" at version {right.version}", ""))
    changes = result.changes
    if not changes:
        yield (("  the states are the same", "dim"),)
    yield from _changes(changes, left.state_json)


def tried(result: Tried) -> Iterator[Line]:
    """Show what a message would lead to."""
    fired = f", after {result.timers} overdue timer{'s' if result.timers > 1 else ''}" if result.timers else ""
    nothing = " (no events)" if not result.events else ""
    at = f" would be at version {result.version}, decided at {result.decided_at}{fired}{nothing}"
    yield (*entity(result.entity), (at, ""))
    for event in result.events:
        yield (*versioned(event.version), (event.type, "bold"), (f" {event.data}", ""))
    yield labelled("state", (result.state_json, "green"))
    for each in result.effects:
        yield labelled("effect", *_effect(each))


def answer(result: Answer) -> Iterator[Line]:
    """Show an answer, alone: it is what was asked for."""
    yield ((result.answer_json, "green"),)


def forked(result: Forked) -> Iterator[Line]:
    """Show a copy of a history."""
    origin = result.origin
    yield (*entity(result.entity), (f" at version {result.version}, copied from ", ""), *entity(origin.entity))
    yield labelled("state", (result.state_json, "green"))


def replayed(result: Replayed) -> Iterator[Line]:
    """Show an entity that does not come out as it did."""
    at = "" if result.diverged_at is None else f" at version {result.diverged_at}"
    event = "" if result.event is None else f" ({result.event})"
    yield (("✗ ", "bold red"), *entity(result.entity), (f"{at}{event}: {result.problem}", ""))


def found(result: FoundByState, shown: dict[str, Any]) -> Iterator[Line]:
    """Show an entity that was found by its state, with some of its fields."""
    head = result.head
    fields = "".join(f"  {name}={to_json(value)}" for name, value in shown.items())
    yield (
        *entity(head.entity),
        (f"  version {head.version}  ", ""),
        (to_text(head.updated_at), "dim"),
        (fields, "green"),
    )


def _event(recorded: RecordedEvent) -> Iterator[Line]:
    cause: tuple[Piece, ...] = ()
    if recorded.caused_by is not None:
        cause = ((f"  because of {recorded.caused_by}", "dim"),)
    yield (
        *versioned(recorded.version),
        (f"{to_text(recorded.recorded_at)}  ", "dim"),
        (f"{recorded.message} -> ", "dim"),
        (recorded.type, "bold"),
        (f" {recorded.data}", ""),
        *cause,
    )


def _changes(changes: list[dict[str, Any]], before_json: str) -> Iterator[Line]:
    """Show a JSON Patch; each of its operations is on what those before it have made."""
    from jsonpatch import apply_patch  # noqa: PLC0415 - only steps and differences need it

    state = json.loads(before_json)
    for change in changes:
        yield from _change(change, state)
        state = apply_patch(state, [change], in_place=True)


def _change(change: dict[str, Any], before: Any) -> Iterator[Line]:
    """Show one operation of a JSON Patch as what goes and what comes."""
    path = change["path"] or "/"
    if change["op"] in ("replace", "remove"):
        yield labelled("", (f"- {path} {to_json(_at(before, change['path']))}", _OLD))
    if change["op"] == "move":
        yield labelled("", (f"- {change['from']} {to_json(_at(before, change['from']))}", _OLD))
        yield labelled("", (f"+ {path} {to_json(_at(before, change['from']))}", _NEW))
    if change["op"] in ("replace", "add"):
        yield labelled("", (f"+ {path} {to_json(change['value'])}", _NEW))


def _at(value: Any, pointer: str) -> Any:
    """Return what stands at a JSON Pointer (RFC 6901)."""
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value


def _effect(tried_effect: TriedEffect) -> Line:
    name: Piece = (f"{tried_effect.type} ", "bold")
    if tried_effect.to is None:
        return (name, (tried_effect.data, ""))
    time = ""
    if tried_effect.at is not None:
        time = f" at {to_text(tried_effect.at)}"
    elif tried_effect.after is not None:
        time = f" after {tried_effect.after}"
    told = f"{tried_effect.timer or ''} {tried_effect.message} {tried_effect.data} to ".lstrip()
    return (name, (told, ""), *entity(tried_effect.to), (time, ""))
