"""Values that the checks make of annotations."""

from collections.abc import Mapping
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from pydantic import BaseModel, create_model

from pachyderm_cli import Message
from pachyderm_cli.checks.seen import Seen
from pachyderm_cli.checks.values import Values


def of_type(annotation: Any, *, default: Any = ...) -> type[Message]:
    """Return a message class whose one field is of that type."""
    return create_model("Go", __base__=Message, field=(annotation, default))


def drawn(model: type[BaseModel], hooks: Mapping[Any, Any] | None = None, seen: Seen | None = None) -> list[Any]:
    """Return values of the strategy for a class."""
    values = []

    @settings(max_examples=60, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(Values(seen or Seen(), hooks).of(model))
    def collect(value: Any) -> None:
        values.append(value)

    collect()
    return values


def fields(annotation: Any, **options: Any) -> list[Any]:
    """Return values for a field of that type."""
    return [each.field for each in drawn(of_type(annotation), **options)]
