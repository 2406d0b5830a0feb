"""From what a caller says to what is sent: whom, which message, under which id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID, uuid4

from pachyderm_cli.domain.arguments import message_from_fields, message_from_json, message_from_mapping, message_of
from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.domain.message import Message
from pachyderm_cli.domain.named_tuples import made
from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.engine.deciding import Request
from pachyderm_cli.engine.finding import Finder
from pachyderm_cli.engine.loader import EntityTypes
from pachyderm_cli.errors import UsageError


class Requests:
    """The part of `Pachyderm` that reads what is to be sent. Nothing of it writes."""

    _types: EntityTypes
    _finder: Finder

    def receiver(self, reference: str | Reference) -> Reference:
        """Return whom a message to `reference` would go to; `new` is a fresh id at every call."""
        return self._finder.receiver(reference, fresh=uuid4)

    def is_exact(self, reference: str) -> bool:
        """Tell whether `reference` says by itself whom it means: no prefix, and with its type."""
        return self._finder.is_exact(reference)

    def message(
        self,
        type_name: str,
        name: str,
        data: Mapping[str, Any] | str | bytes | None = None,
        *,
        fields: Iterable[str] = (),
    ) -> Message:
        """Return the message `name` of an entity type, with `data` (a mapping, or a JSON object as text) or `fields`.

        `fields` are FIELD=VALUE texts. Raises UnknownEntityType, UnknownMessage and InvalidMessage.
        """
        entity_type = self._types.get(type_name)
        given = list(fields)
        if data is None:
            return message_from_fields(entity_type, name, given)
        if given:
            raise UsageError("give a message's data as fields or whole, not both")
        return _message(entity_type, name, data)

    def request(  # noqa: PLR0913 - as of `send`
        self,
        reference: str | Reference,
        message: Message | str,
        data: Mapping[str, Any] | str | bytes | None = None,
        *,
        message_id: UUID | str | None = None,
        expect: int | None = None,
        caused_by: UUID | str | None = None,
        source: str | bytes | None = None,
    ) -> Request:
        """Return what `send` would send, checked, for `send_all`. Raises as `send` does, without writing.

        `source` is the JSON text that `data` was read from, if it was: a number there may have had more digits.
        """
        entity = self._finder.receiver(reference, uuid4)
        entity_type = self._types.get(entity.type)
        if isinstance(message, str):
            message = _message(entity_type, message, {} if data is None else data, source)
        elif data is not None:
            raise UsageError("data goes with the name of a message, not with a message")
        message = message_of(entity_type, message)  # a validator may return what it likes
        identifier = None if message_id is None else _uuid(message_id, "message_id")
        cause = None if caused_by is None else _uuid(caused_by, "caused_by")
        return made(Request, (entity_type, entity, message, identifier, expect, cause))


def _message(
    entity_type: EntityType, name: str, data: Mapping[str, Any] | str | bytes, source: str | bytes | None = None
) -> Message:
    if isinstance(data, str | bytes):
        return message_from_json(entity_type, name, data, source)
    return message_from_mapping(entity_type, name, data)


def _uuid(value: UUID | str, name: str) -> UUID:
    """Return `value` as a UUID, so that no other spelling of it reaches the log. Raises UsageError."""
    if isinstance(value, UUID):
        return value
    try:
        return UUID(value)
    except (ValueError, AttributeError, TypeError):
        raise UsageError(f"{name} is a UUID, not {value!r}") from None
