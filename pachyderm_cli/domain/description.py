"""An entity type's protocol as JSON Schema, for programs and for showing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, PydanticUserError, TypeAdapter

from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.domain.message import Effect
from pachyderm_cli.domain.naming import command_spelling


@dataclass(frozen=True, slots=True)
class EffectDelivery:
    """How an effect is delivered: how often it may be tried, and how many seconds each attempt may take."""

    delivery: str
    max_attempts: int
    timeout: float | None


@dataclass(frozen=True, slots=True)
class Description:
    """A type's protocol: JSON Schema by class name; `state` is None where the state has no schema.

    `deliveries` says of each effect how it is delivered.
    """

    type: str
    file: str
    doc: str
    messages: dict[str, Any]
    events: dict[str, Any]
    effects: dict[str, Any]
    deliveries: dict[str, EffectDelivery]
    queries: dict[str, Any]
    state: Any


@dataclass(frozen=True, slots=True)
class Usage:
    """How a message is written on the command line: its spelling, its fields, and its docstring's first line."""

    message: str
    fields: tuple[str, ...]
    doc: str


def describe(entity: EntityType) -> Description:
    """Return the protocol of `entity`."""
    return Description(
        type=entity.name,
        file=entity.file,
        doc=entity.doc,
        messages={name: _schema(model) for name, model in entity.messages.items()},
        events={name: _schema(model) for name, model in entity.events.items()},
        effects={name: _schema(model) for name, model in entity.effects.items()},
        deliveries={name: _delivery(model) for name, model in entity.effects.items()},
        queries={name: _schema(model) for name, model in entity.questions.items()},
        state=_schema(entity.state_type),
    )


def usages(entity: EntityType) -> list[Usage]:
    """Return how each message of `entity` is written on the command line, in the order of the annotation."""
    return [
        Usage(command_spelling(name), tuple(_fields(model)), _first_line(model))
        for name, model in entity.messages.items()
    ]


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
