"""What the code that is here says of effects in the outbox: whether it can carry them out, and how often to try."""

from __future__ import annotations

from pydantic import ValidationError

from pachyderm_cli.domain.arguments import message_from_json
from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.domain.message import Effect
from pachyderm_cli.engine.deciding import Request
from pachyderm_cli.engine.loader import EntityTypes
from pachyderm_cli.errors import (
    EntityFailed,
    EntityLoadError,
    InvalidMessage,
    PachydermError,
    UnknownEntityType,
    UnknownMessage,
)
from pachyderm_cli.store.records import StoredEffect


class Unreadable(Exception):
    """No code here can carry the effect out."""


class EffectCode:
    """The code of some entity types, as far as stored effects are concerned."""

    def __init__(self, types: EntityTypes) -> None:
        """Know the code of these `types`."""
        self._types = types

    def is_used_up(self, effect: StoredEffect) -> bool:
        """Tell whether an effect was tried as often as it may be."""
        return effect.attempts >= self._most_attempts(effect)

    def has_ended_processes(self, effect: StoredEffect) -> bool:
        """Tell whether an effect was begun as often as it may be, and none of its attempts came to an end.

        The first attempt was counted with its commit: whether it was made, nobody knows, so there is a second.
        """
        return self.is_used_up(effect) and effect.attempts > 1

    def knows(self, handler: str) -> bool:
        """Tell whether the code of an entity type is here."""
        try:
            self._types.get(handler)
        except PachydermError:
            return False
        return True

    def read(self, effect: StoredEffect) -> Effect:
        """Return the effect of the project's own that is stored. Raises Unreadable."""
        entity_type = self._handler(effect)
        model = entity_type.effects.get(effect.type)
        if model is None:
            raise Unreadable(f"{entity_type.name} ({entity_type.file}) has no effect {effect.type}")
        try:
            return model.model_validate_json(effect.data)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            path = ".".join([effect.type, *(str(part) for part in first["loc"])])
            raise Unreadable(f"{path}: {first['msg']} (the class no longer fits what is stored)") from error
        except Exception as error:
            raise Unreadable(str(entity_type.failure(f"the effect {effect.type}", error))) from error

    def request(self, effect: StoredEffect) -> Request:
        """Return the message that a stored effect sends, as a request. Raises Unreadable."""
        assert effect.to is not None  # noqa: S101 - for mypy: the caller knows
        entity_type = self._handler(effect)
        try:
            message = message_from_json(entity_type, str(effect.message), effect.data)
        except (UnknownMessage, InvalidMessage, EntityFailed) as error:
            raise Unreadable(error.message) from error
        return Request(entity_type, effect.to, message, effect.id, None, effect.message_id)

    def problem(self, effect: StoredEffect) -> str | None:
        """Return why no code here can carry the effect out, None if some can."""
        try:
            if effect.to is None:
                self.read(effect)
            else:
                self.request(effect)
        except Unreadable as error:
            return str(error)
        except PachydermError as error:
            return error.message
        return None

    def fingerprint(self, handler: str) -> str | None:
        """Return the fingerprint of the code of an entity type, None where there is none."""
        try:
            return self._types.get(handler).fingerprint
        except PachydermError:
            return None

    def _most_attempts(self, effect: StoredEffect) -> int:
        try:
            model = None if effect.to is not None else self._types.get(effect.handler).effects.get(effect.type)
        except PachydermError:
            model = None
        return Effect.max_attempts if model is None else model.max_attempts

    def _handler(self, effect: StoredEffect) -> EntityType:
        try:
            return self._types.get(effect.handler)
        except (UnknownEntityType, EntityLoadError) as error:
            raise Unreadable(error.message) from error
