"""What has to hold of each row by itself, by table: the one place that says so, for verifying and for importing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Table

from pachyderm_cli.domain.identifiers import back_id
from pachyderm_cli.store.records import ERASED, EffectStatus
from pachyderm_cli.store.schema import cursors, entities, events, forks, imports, lookups, outbox, snapshots
from pachyderm_cli.store.sound_values import RULES, shown

Row = Mapping[str, Any]
"""A row's columns by name, without the network."""

_ENDED = (EffectStatus.DONE, EffectStatus.REJECTED, EffectStatus.DISCARDED)
_OF_SENDING = ("to_type", "to_id", "message")  # what sends a message has all of them, the others have none
_ONLY_OF_SENDING = ("on_rejected", "timer", "to_network")


class Fault(NamedTuple):
    """Something that should not be so, by the name of the check that it failed."""

    check: str
    problem: str


def faults_of(table: Table, row: Row) -> list[Fault]:
    """Return what is wrong with a row, by itself: with its values, and if they are sound, with them together."""
    check, noun, together = _TABLES[table.name]
    found = [
        Fault(rule.check or check, f"the {rule.column} of {noun(row)} {problem}")
        for rule in RULES[table.name]
        if (problem := rule.problem(row[rule.column])) is not None
    ]
    return found or [Fault(*each) for each in together(row)]


def effect_name(row: Row) -> str:
    """Return how an effect is called."""
    return f"the effect {row['id']} ({row['type']})"


def comes_back(identifier: str, message_id: str) -> bool:
    """Tell whether an effect is what comes back of a rejected message, which led to no event of anybody's."""
    return UUID(identifier) == back_id(UUID(message_id))


_Found = Iterator[tuple[str, str]]


def _nothing(_row: Row) -> _Found:
    return iter(())


def _event(row: Row) -> _Found:
    if row["type"] != ERASED:
        return
    said = _object(row["data"])
    if not isinstance(said.get("why"), str) or type(said.get("last_version")) is not int:
        yield "erased", f"the row that the erasure left says {shown(row['data'])}, not up to which version and why"
    elif said["last_version"] != row["version"] - 1:
        told = f"the entity is said to have been erased at version {said['last_version']}, by the row of version"
        yield "erased", f"{told} {row['version']}"
    if row["ordinal"] != 0:
        yield "erased", f"the row that the erasure left is number {row['ordinal']} of a message"


def _effect(row: Row) -> _Found:
    what, status, ended_at = effect_name(row), row["status"], row["ended_at"]
    if (ended_at is not None) != (status in _ENDED):
        yield "outbox", f"{what} is {status}, and ended {'never' if ended_at is None else f'at {ended_at}'}"
    if status == EffectStatus.PENDING and row["next_attempt_at"] is None:
        yield "outbox", f"{what} is pending, and it is not said when it is to be tried"
    if row["lease"] is not None and status != EffectStatus.PENDING:
        yield "outbox", f"{what} is {status}, and somebody has claimed it"
    for problem in _receiver(row):
        yield "outbox", f"{what} {problem}"


def _receiver(row: Row) -> Iterator[str]:
    missing = [name for name in _OF_SENDING if row[name] is None]
    if len(missing) == len(_OF_SENDING):
        told = [name for name in _ONLY_OF_SENDING if row[name] is not None]
        if told:
            yield f"sends no message, and has {told[0]}"
        elif row["handler"] != row["entity_type"]:
            yield f"of a {row['entity_type']} is to be carried out by {row['handler']}"
    elif missing:
        yield f"sends a message, and has no {missing[0]}"
    elif row["handler"] != row["to_type"]:
        yield f"sends a message to a {row['to_type']}, and is to be carried out by {row['handler']}"
    if row["on_rejected"] is not None and not _is_message(row["on_rejected"]):
        yield f"sends {shown(row['on_rejected'])} when it is rejected, which is no message"


def _is_message(text: str) -> bool:
    """Tell whether JSON text is a message as a Send keeps the one that it wants back, from which its data are cut."""
    said = _object(text)
    if said.keys() != {"message", "data"} or not isinstance(said["message"], str):
        return False
    return text.startswith(f'{{"message": {json.dumps(said["message"])}, "data": ') and text.endswith("}")


def _object(text: str) -> dict[str, Any]:
    """Return the object that JSON text is, an empty one for what is none."""
    try:
        found = json.loads(text)
    except ValueError:  # a number of more digits than Python takes
        return {}
    return found if isinstance(found, dict) else {}


def _fork(row: Row) -> _Found:
    if row["from_id"] == row["entity_id"]:
        yield "fork", "the entity is said to be a copy of itself"


def _cursor(row: Row) -> _Found:
    if (row["lease"] is None) != (row["lease_until"] is None):
        told = "nobody has it, until" if row["lease"] is None else "somebody has it, and it is not said until when:"
        yield "cursor", f"the cursor {row['name']!r}: {told} {row['lease_until'] or row['lease']}"


_TABLES: dict[str, tuple[str, Callable[[Row], str], Callable[[Row], _Found]]] = {
    events.name: ("event", lambda row: f"the event {row['type']}", _event),
    entities.name: ("head", lambda _row: "the head", _nothing),
    snapshots.name: ("snapshot", lambda _row: "the snapshot", _nothing),
    lookups.name: ("lookup", lambda _row: "the lookup", _nothing),
    outbox.name: ("outbox", effect_name, _effect),
    forks.name: ("fork", lambda _row: "what is noted of the copy", _fork),
    cursors.name: ("cursor", lambda row: f"the cursor {row['name']!r}", _cursor),
    imports.name: ("import", lambda _row: "what is noted of the import", _nothing),
}
