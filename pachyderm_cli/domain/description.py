"""An entity type's protocol as JSON Schema, for programs and for showing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, PydanticUserError, TypeAdapter

from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.domain.evolution import aliases_of, version_of
from pachyderm_cli.domain.message import Effect, Event
from pachyderm_cli.domain.naming import command_spelling


@dataclass(frozen=True, slots=True)
class EffectDelivery:
    """How an effect is delivered: how often it may be tried, and how many seconds each attempt may take."""

    delivery: str
    max_attempts: int
    timeout: float | None


@dataclass(frozen=True, slots=True)
class EventPast:
    """What an event class says of its past: the version that is written now, and its former names."""

    version: int
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Description:
    """A type's protocol: JSON Schema by class name; `state` is None where the state has no schema.

    `past` says of each event which version of it is written and how it was called before, `deliveries` of each effect
    how it is delivered, `lookup` whether states are kept to look entities up by.
    """

    type: str
    file: str
    doc: str
    messages: dict[str, Any]
    events: dict[str, Any]
    past: dict[str, EventPast]
    effects: dict[str, Any]
    deliveries: dict[str, EffectDelivery]
    queries: dict[str, Any]
    state: Any
    lookup: bool


@dataclass(frozen=True, slots=True)
class Usage:
    """How a message or a question is written on the command line: its spelling, its fields, its doc's first line."""

    message: str
    fields: tuple[str, ...]
    doc: str


def describe(entity: EntityType, *, lookup: bool = False) -> Description:
    """Return the protocol of `entity`. `lookup`: its states are kept, whether or not its module says so."""
    return Description(
        type=entity.name,
        file=entity.file,
        doc=entity.doc,
        messages={name: _schema(model) for name, model in entity.messages.items()},
        events={name: _schema(model) for name, model in entity.events.items()},
        past={name: _past(model) for name, model in entity.events.items()},
        effects={name: _schema(model) for name, model in entity.effects.items()},
        deliveries={name: _delivery(model) for name, model in entity.effects.items()},
        queries={name: _schema(model) for name, model in entity.questions.items()},
        state=_schema(entity.state_type),
        lookup=lookup or entity.lookup,
    )


def usages(entity: EntityType) -> list[Usage]:
    """Return how each message of `entity` is written on the command line, in the order of the annotation."""
    return _usages(entity.messages)


def question_usages(entity: EntityType) -> list[Usage]:
    """Return the same for each question."""
    return _usages(entity.questions)


def _usages(models: Mapping[str, type[BaseModel]]) -> list[Usage]:
    return [Usage(command_spelling(name), tuple(_fields(model)), _first_line(model)) for name, model in models.items()]


def _past(model: type[Event]) -> EventPast:
    return EventPast(version_of(model), aliases_of(model))


def _delivery(model: type[Effect]) -> EffectDelivery:
    is_tried_again = model.delivery == "at_least_once"
    return EffectDelivery(model.delivery, model.max_attempts if is_tried_again else 1, model.timeout)


def _fields(model: type[BaseModel]) -> list[str]:
    """Return `name=TYPE` for a required field, `[name=TYPE, default VALUE]` for another."""
    shown = []
    for name, info in model.model_fields.items():
        kind = getattr(info.annotation, "__name__", None) or str(info.annotation)
        text = f"{info.alias or name}={kind.replace('typing.', '')}"
        if not info.is_required():
            default = "" if info.default_factory is not None else f", default {info.default}"
            text = f"[{text}{default}]"
        shown.append(text)
    return shown


def _first_line(model: type) -> str:
    inherited = {base.__doc__ for base in model.__mro__[1:]}
    doc = "" if model.__doc__ in inherited else (model.__doc__ or "")
    return doc.strip().partition("\n")[0]


def _schema(kind: Any) -> Any:
    try:
        return TypeAdapter(kind).json_schema()
    except (PydanticUserError, ValueError, TypeError):  # an arbitrary type: it is used, but cannot be described
        return None
