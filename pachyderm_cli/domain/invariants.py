"""What a module says always holds of its entities' states."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.errors import EntityLoadError

_MARK = "__pachyderm_invariant__"

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


def invariant(function: FunctionT) -> FunctionT:
    """Mark a function of the state that `pachyderm check` holds every reachable state against.

    It returns False, or raises, where the state is not as it always must be. A function that is called `invariant`
    needs no mark. Nothing else ever calls it.
    """
    setattr(function, _MARK, True)
    return function


def invariants_of(entity_type: EntityType) -> Mapping[str, Callable[[Any], Any]]:
    """Return the invariants that the module of `entity_type` defines, by name, in order. Raises EntityLoadError."""
    module = getattr(entity_type.handle, "__globals__", {})
    if "invariant" in module and not callable(module["invariant"]):
        problem = f"{entity_type.file}: invariant is {module['invariant']!r}: write a function of the state"
        raise EntityLoadError(problem, file=entity_type.file, line=1)
    return {
        name: value
        for name, value in module.items()
        if inspect.isfunction(value)
        and value.__module__ == entity_type.handle.__module__
        and (name == "invariant" or getattr(value, _MARK, False))
    }
