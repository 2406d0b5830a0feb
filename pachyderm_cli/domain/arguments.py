"""From what people write to a message: by name, with data as a mapping, as JSON text or as FIELD=VALUE."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from pachyderm_cli.domain.codec import decode_model
from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.domain.message import Message, Question
from pachyderm_cli.domain.naming import command_spelling, find_by_spelling, suggestion
from pachyderm_cli.errors import InvalidMessage, UnknownMessage

ModelT = TypeVar("ModelT", bound=BaseModel)


def message_class(entity: EntityType, name: str) -> type[Message]:
    """Return the message class that `name` means, in any usual spelling. Raises UnknownMessage."""
    found = entity.spellings.get(name)
    if found is not None:
        return found
    found = find_by_spelling(entity.messages, name)
    if found is None:
        known = [command_spelling(each) for each in entity.messages]
        raise UnknownMessage(
            f"{entity.name} takes no message {name!r}; {suggestion(name, known)}",
            entity_type=entity.name,
            name=name,
        )
    entity.spellings[name] = found
    return found


def question_class(entity: EntityType, name: str) -> type[Question]:
    """Return the question class that `name` means, in any usual spelling. Raises UnknownMessage."""
    found = find_by_spelling(entity.questions, name)
    if found is None:
        known = [command_spelling(each) for each in entity.questions]
        told = suggestion(name, known) if known else "its module has no query(question, state)"
        raise UnknownMessage(f"{entity.name} answers no question {name!r}; {told}", entity_type=entity.name, name=name)
    return found


def question_of(entity: EntityType, question: object) -> Question:
    """Return `question` as one that the entity type answers. Raises UnknownMessage."""
    name = type(question).__name__
    if entity.questions.get(name) is type(question):
        assert isinstance(question, Question)  # noqa: S101 - for mypy: what is known by its class is one
        return question
    known = ", ".join(sorted(entity.questions)) or "none"
    raise UnknownMessage(
        f"{entity.name} answers no question of the class {name}; there is: {known}", entity_type=entity.name, name=name
    )


def question_from_fields(entity: EntityType, name: str, fields: Iterable[str]) -> Question:
    """Return the question `name` from FIELD=VALUE texts. Raises UnknownMessage or InvalidMessage."""
    return _from_fields(entity, question_class(entity, name), fields)


def question_from_mapping(entity: EntityType, name: str, data: Mapping[str, Any]) -> Question:
    """Return the question `name` with `data`. Raises UnknownMessage or InvalidMessage."""
    return _from_mapping(entity, question_class(entity, name), data)


def message_of(entity_type: EntityType, message: object) -> Message:
    """Return `message` as one that `entity_type` takes. Raises UnknownMessage.

    A class of the same name from the same file is the same class, imported a second time.
    """
    name = type(message).__name__
    known = entity_type.messages.get(name)
    if known is type(message):
        return message
    if not isinstance(message, Message):
        shown = f"the class {message.__name__}, not one of its messages" if isinstance(message, type) else name
        raise UnknownMessage(f"send takes a Message or the name of one, not {shown}", entity_type=entity_type.name)
    if known is not None and _file_of(known) == _file_of(type(message)):
        return known.model_validate_json(message.model_dump_json(by_alias=True, round_trip=True, exclude_unset=True))
    raise UnknownMessage(
        f"{entity_type.name} takes no message of the class {type(message).__module__}.{name}; "
        f"there is: {', '.join(sorted(entity_type.messages))}",
        entity_type=entity_type.name,
        name=name,
    )


def message_from_mapping(entity: EntityType, name: str, data: Mapping[str, Any]) -> Message:
    """Return the message `name` with `data`. Raises UnknownMessage or InvalidMessage."""
    return _from_mapping(entity, message_class(entity, name), data)


def _from_mapping(entity: EntityType, model: type[ModelT], data: Mapping[str, Any]) -> ModelT:
    try:
        return model.model_validate(dict(data))
    except ValidationError as error:
        raise _invalid(entity, model, error) from error
    except Exception as error:  # a validator of the class's own
        raise entity.failure(f"the message {model.__name__}", error) from error


def message_from_json(entity: EntityType, name: str, text: str | bytes, source: str | bytes | None = None) -> Message:
    """Return the message `name` whose data is the JSON object `text`. Raises UnknownMessage or InvalidMessage.

    `source` is what was written, where `text` was made of what JSON numbers keep of it.
    """
    model = message_class(entity, name)
    _require_exact_numbers(entity, model, text if source is None else source)
    try:
        return decode_model(model, text)
    except ValidationError as error:
        raise _invalid(entity, model, error) from error
    except Exception as error:  # as above
        raise entity.failure(f"the message {model.__name__}", error) from error


def _require_exact_numbers(entity: EntityType, model: type[Message], text: str | bytes) -> None:
    """Raise InvalidMessage if the JSON `text` has a number that a Decimal of that message would not get exactly.

    JSON numbers are read as binary floats; a sum of money must not lose its last digits on that way unnoticed.
    """
    if not _has_decimals(model):
        return

    def exact(literal: str) -> float:
        if not _is_kept(literal):
            shown = literal if len(literal) <= 60 else literal[:57] + "..."
            raise InvalidMessage(
                f'{model.__name__}: the number {shown} has more digits than JSON numbers keep; write "{shown}"',
                entity_type=entity.name,
                message_type=model.__name__,
            )
        return float(literal)

    try:
        json.loads(text, parse_float=exact)
    except (ValueError, RecursionError):
        return  # what is no JSON is told about by whoever reads it


def _is_kept(literal: str) -> bool:
    """Tell whether a number is the same when it was read as a binary float."""
    try:
        return Decimal(literal) == Decimal(repr(float(literal)))
    except InvalidOperation:  # an exponent that not even a Decimal has
        return False


@lru_cache(maxsize=1024)
def _has_decimals(model: type[Message]) -> bool:
    return "'type': 'decimal'" in str(model.__pydantic_core_schema__)


def message_from_fields(entity: EntityType, name: str, fields: Iterable[str]) -> Message:
    """Return the message `name` from FIELD=VALUE texts, each read by the type of its field.

    A value is taken as plain text first (`10.50`, `true`, `2026-01-31`); where the type does not read that, as JSON
    (`[1, 2]`, `{"city": "Rome"}`, `null`). Raises UnknownMessage or InvalidMessage.
    """
    return _from_fields(entity, message_class(entity, name), fields)


def _from_fields(entity: EntityType, model: type[ModelT], fields: Iterable[str]) -> ModelT:
    known = {(info.alias or field): (field, info) for field, info in model.model_fields.items()}
    values: dict[str, Any] = {}
    for text in fields:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise InvalidMessage(f"{text!r} is not FIELD=VALUE", message_type=model.__name__)
        spelt = key if key in known else key.replace("-", "_")
        if spelt not in known:
            raise InvalidMessage(
                f"{model.__name__} has no field {key!r}; {suggestion(key, known)}",
                message_type=model.__name__,
                field=key,
            )
        if spelt in values:
            raise InvalidMessage(f"the field {spelt} is given twice", message_type=model.__name__, field=spelt)
        values[spelt] = _read_value(entity, model, spelt, known[spelt][1], value)
    return _from_mapping(entity, model, values)


def _read_value(entity: EntityType, model: type[BaseModel], key: str, info: FieldInfo, text: str) -> Any:
    # The annotation, for mypy, is a value: it is made at run time. Annotated takes no empty metadata.
    kind: Any = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    try:
        return adapter.validate_strings(text)
    except ValidationError as error:
        as_text = error
    except Exception as error:  # as above
        raise entity.failure(f"the message {model.__name__}", error) from error
    try:
        json.loads(text)  # what is no JSON at all is told about as text
        return adapter.validate_json(text)
    except (ValueError, RecursionError):
        raise _invalid(entity, model, as_text, (key,)) from as_text


def _invalid(
    entity: EntityType, model: type[BaseModel], error: ValidationError, within: tuple[str, ...] = ()
) -> InvalidMessage:
    problems = error.errors(include_url=False, include_context=False)
    parts = []
    for problem in problems[:3]:
        path = ".".join([model.__name__, *within, *(str(part) for part in problem["loc"])])
        if problem["type"] == "extra_forbidden":
            parts.append(f"{path}: there is no such field; {suggestion(str(problem['loc'][-1]), model.model_fields)}")
        else:
            parts.append(f"{path}: {problem['msg']}{_got(problem)}")
    if len(problems) > 3:
        parts.append(f"and {len(problems) - 3} more")
    return InvalidMessage("; ".join(parts), entity_type=entity.name, message_type=model.__name__)


def _got(problem: Any) -> str:
    value = problem.get("input")
    if problem["type"] in ("missing", "json_invalid") or isinstance(value, dict | list):
        return ""
    text = repr(value)
    return f", not {text if len(text) <= 60 else text[:57] + '...'}"


def _file_of(model: type) -> str | None:
    file = getattr(sys.modules.get(model.__module__), "__file__", None)
    return None if file is None else os.path.realpath(file)
