"""Time travel as JSON-ready dictionaries. The keys are stable, as those of `serialize`."""

from __future__ import annotations

from typing import Any

from pachyderm_cli.cli.json_text import Stored
from pachyderm_cli.cli.serialize import entity, head, origin, state
from pachyderm_cli.domain.timestamps import to_text
from pachyderm_cli.engine.results import Answer, Difference, Forked, FoundByState, Replayed, Tried, TriedEffect


def difference(result: Difference) -> dict[str, Any]:
    """Return two states and the JSON Patch (RFC 6902) that leads from one to the other."""
    return {"left": state(result.left), "right": state(result.right), "changes": result.changes}


def tried(result: Tried) -> dict[str, Any]:
    """Return what a message would lead to."""
    return {
        **state(result),
        "decided_at": result.decided_at,
        "timers": result.timers,
        "events": [
            {"version": event.version, "type": event.type, "data": Stored(event.data)} for event in result.events
        ],
        "effects": [_effect(each) for each in result.effects],
    }


def answer(result: Answer) -> dict[str, Any]:
    """Return an answer to a question."""
    return {
        "entity": entity(result.entity),
        "network": result.network,
        "version": result.version,
        "question": type(result.question).__name__,
        "answer": Stored(result.answer_json),
    }


def forked(result: Forked) -> dict[str, Any]:
    """Return a copy of a history, and where it came from."""
    return {**state(result), "forked_from": origin(result.origin)}


def replayed(result: Replayed) -> dict[str, Any]:
    """Return how the replay of an entity went."""
    return {
        "entity": entity(result.entity),
        "version": result.diverged_at,
        "event": result.event,
        "error": result.problem,
    }


def found(result: FoundByState, shown: dict[str, Any]) -> dict[str, Any]:
    """Return an entity that was found by its state: with some of its fields, or with all of it."""
    if shown:
        return {**head(result.head), "fields": shown}
    return {**head(result.head), "state": Stored(result.state_json)}


def _effect(each: TriedEffect) -> dict[str, Any]:
    return {
        "type": each.type,
        "data": Stored(each.data),
        "to": None if each.to is None else entity(each.to),
        "message": each.message,
        "timer": each.timer,
        "at": None if each.at is None else to_text(each.at),
        "after": None if each.after is None else each.after.total_seconds(),
    }
