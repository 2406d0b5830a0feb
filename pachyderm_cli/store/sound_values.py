"""What each column may hold, whatever stands beside it: the one place that says so, for verifying and for importing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from pachyderm_cli.config import require_network
from pachyderm_cli.domain.reference import is_type_name
from pachyderm_cli.domain.timestamps import from_text
from pachyderm_cli.errors import ConfigError
from pachyderm_cli.store.records import ERASED, EffectStatus
from pachyderm_cli.store.schema import cursors, entities, events, metadata, outbox
from pachyderm_cli.store.texts import is_text, json_problem

STATUSES = frozenset(EffectStatus) - {EffectStatus.FAILED}
"""Those that an effect in the outbox has."""

_NO_ROOM = 2**62  # positions and versions are below: half of all that there are is left for those to come
_FROM_ONE = ("version", "from_version", "type_version")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
_TIMES = ("_at", "_until")  # how the names of columns end that hold a time
_JSON = ("data", "state", "on_rejected")
_TYPES = ("entity_type", "from_type")  # a message may be to a type of any name, which nobody has
_NAMES = (events.c.type, events.c.message, outbox.c.type, outbox.c.message, outbox.c.handler, outbox.c.to_type)

Problem = Callable[[Any], str | None]
"""Returns what is wrong with a value, as in "is 'x', which is no UUID"; None for one that a column may hold."""


class Rule(NamedTuple):
    """What a column may hold; `check` is "json" or "time" where that is what is wrong, else None."""

    column: str
    check: str | None
    problem: Problem


def is_time(value: Any) -> bool:
    """Tell whether `value` is a time in the one form in which text sorts as time does."""
    if not isinstance(value, str) or _TIME.fullmatch(value) is None:
        return False
    try:
        from_text(value)
    except ValueError:  # a day that its month has not
        return False
    return True


def is_network(value: Any) -> bool:
    """Tell whether `value` can be the name of a network."""
    try:
        require_network(value)
    except (ConfigError, AttributeError, TypeError):
        return False
    return True


def shown(value: Any) -> str:
    """Return a value, as it is told: not all of it where it is long."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _holds(is_sound: Callable[[Any], bool], what: str) -> Problem:
    return lambda value: None if is_sound(value) else f"is {shown(value)}, which is {what}"


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


def _is_name(value: Any) -> bool:
    return value != "" and is_text(value)


def _is_type(value: Any) -> bool:
    return isinstance(value, str) and is_type_name(value)


def _is_type_of_head(value: Any) -> bool:
    return _is_type(value) or value == ERASED


def _json(value: Any) -> str | None:
    if isinstance(value, str) and not is_text(value):
        return "is no text that each database keeps"
    problem = json_problem(value)
    return None if problem is None else f"is no JSON: {problem}"


def _number(column: Column[Any]) -> Problem:
    first = 1 if column.name in _FROM_ONE or column is events.c.position else 0
    end = _NO_ROOM if isinstance(column.type, BigInteger) else 2**31
    return _holds(lambda value: type(value) is int and first <= value < end, f"no number from {first} to {end - 1}")


def _text(column: Column[Any]) -> Problem:
    if column is outbox.c.status:
        return _holds(lambda value: isinstance(value, str) and value in STATUSES, "no status of an effect")
    if column is outbox.c.to_network:
        return _holds(is_network, "no name of a network")
    if column is entities.c.type:
        return _holds(_is_type_of_head, "no entity type's name")
    if column.name in _TYPES:
        return _holds(_is_type, "no entity type's name")
    if any(column is each for each in (*_NAMES, cursors.c.name)):
        return _holds(_is_name, "no name")
    return _holds(is_text, "no text")


def _rule(column: Column[Any]) -> Rule:
    check = None
    if isinstance(column.type, Integer):
        problem = _number(column)
    elif not isinstance(column.type, Text):
        problem = _holds(_is_id, "no UUID")
    elif column.name.endswith(_TIMES):
        check, problem = "time", _holds(is_time, "no time as it is stored")
    elif column.name in _JSON:
        check, problem = "json", _json
    else:
        problem = _text(column)
    if not column.nullable:
        return Rule(column.name, check, problem)
    return Rule(column.name, check, lambda value: None if value is None else problem(value))


def _rules(table: Table) -> tuple[Rule, ...]:
    return tuple([_rule(column) for column in table.columns if column.name != "network"])


RULES = {table.name: _rules(table) for table in metadata.tables.values()}
"""By table: what each of its columns may hold, but for the network."""
