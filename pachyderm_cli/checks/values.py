"""Strategies for the messages of an entity type."""

from __future__ import annotations

from collections import Counter
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
        self.fields: set[str] = set()  # that a hook might name
        self.left_out: list[str] = []  # fields that have a default, and nothing else is known of them
        self.tried: Counter[str] = Counter()  # how often one was made of each class, valid or not
        self.refused: dict[str, str] = {}  # why the last one was not valid
        self.takes_failures = False  # of validators for refusals, once they are known

    def of(self, model: type[BaseModel]) -> Strategy:
        """Return a strategy for the instances of `model` that pydantic takes. Raises Unguessable."""
        if model not in self._made:
            walk = Walk(self._seen, self._hooks, model.__name__)
            content = walk.of(model.__pydantic_core_schema__)
            self.used |= walk.used
            self.fields |= walk.fields
            self.left_out += walk.left_out
            self._made[model] = content.map(lambda value: self._validated(model, value)).filter(_is_valid)
        return self._made[model]

    def _validated(self, model: type[BaseModel], value: Any) -> Any:
        if isinstance(value, model):
            return value
        self.tried[model.__name__] += 1
        try:
            return model.model_validate(value)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            path = ".".join([model.__name__, *map(str, first["loc"])])
            self.refused[model.__name__] = f"{path}: {first['msg']}".rstrip(", ")
            return _INVALID
        except Exception as error:
            if self.takes_failures:
                return _INVALID
            raise ValidatorFailed(model, value, error) from error


def _is_valid(value: Any) -> bool:
    return value is not _INVALID
