"""What a module says always holds of its entities' states."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.domain.faults import line_of
from pachyderm_cli.errors import EntityLoadError

_MARK = "__pachyderm_invariant__"

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


def invariant(function: FunctionT) -> FunctionT:
    """Mark a function of the state that `pachyderm check` holds every reachable state against.

    It returns something false (but for None, as a function of assertions does), or raises, where the state is not as it
    always must be. A function that is called `invariant` needs no mark. Nothing else ever calls it.
    """
    setattr(function, _MARK, True)
    return function


def invariants_of(entity_type: EntityType) -> Mapping[str, Callable[[Any], Any]]:
    """Return the invariants that the module of `entity_type` defines, by name, in order. Raises EntityLoadError."""
    handle = inspect.unwrap(entity_type.handle)
    module = getattr(handle, "__globals__", {})
    found = {
        name: value
        for name, value in module.items()
        if (name == "invariant" and value is not invariant)
        or (getattr(value, _MARK, None) is True and value.__module__ == handle.__module__)
    }
    for name, value in found.items():
        if not _takes_one(value):
            shown = "takes more than that, or less" if callable(value) else f"is {value!r}"
            problem = f"{entity_type.file}: {name} {shown}: write a function of the state alone"
            raise EntityLoadError(problem, file=entity_type.file, line=line_of(value))
    return found


def _takes_one(function: Any) -> bool:
    try:
        inspect.signature(function).bind(None)
    except (TypeError, ValueError):
        return False
    return True
