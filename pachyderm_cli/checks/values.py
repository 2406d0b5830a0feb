"""Strategies for the messages of an entity type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from pachyderm_cli.checks.scalars import Strategy
from pachyderm_cli.checks.seen import Seen
from pachyderm_cli.checks.walk import Walk

_INVALID = object()


class ValidatorFailed(Exception):
    """A message's own validator raised what is no ValueError."""

    def __init__(self, model: type[BaseModel], value: Any, error: Exception) -> None:
        super().__init__(str(error))
        self.model, self.value, self.error = model, value, error


class Values:
    """Makes the strategies for one entity type."""

    def __init__(self, seen: Seen, hooks: Mapping[Any, Any] | None = None) -> None:
        """Prefer `hooks`: strategies by class, or by "Class.field"."""
        self._seen = seen
        self._hooks = dict(hooks or {})
        self._made: dict[type, Strategy] = {}
        self.used: set[Any] = set()  # those hooks that something was made by

    def of(self, model: type[BaseModel]) -> Strategy:
        """Return a strategy for the instances of `model` that pydantic takes. Raises Unguessable."""
        if model not in self._made:
            walk = Walk(self._seen, self._hooks, model.__name__)
            content = walk.of(model.__pydantic_core_schema__)
            self.used |= walk.used
            self._made[model] = content.map(lambda value: _validated(model, value)).filter(_is_valid)
        return self._made[model]


def _validated(model: type[BaseModel], value: Any) -> Any:
    if isinstance(value, model):
        return value
    try:
        return model.model_validate(value)
    except ValidationError:
        return _INVALID
    except Exception as error:
        raise ValidatorFailed(model, value, error) from error


def _is_valid(value: Any) -> bool:
    return value is not _INVALID
