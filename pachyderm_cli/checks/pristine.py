"""Module-level values of a project, put back before each sequence, so that each begins as a fresh process would."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator, MutableMapping, MutableSequence, MutableSet
from contextlib import suppress
from copy import deepcopy
from decimal import Decimal
from types import ModuleType
from typing import Any

from pachyderm_cli.domain.entity import EntityType

_VALUES = (bool, int, float, complex, str, bytes, Decimal, type(None), tuple, frozenset)
_CONTAINERS = (MutableMapping, MutableSequence, MutableSet, deque)


def project_modules(entity_type: EntityType) -> list[ModuleType]:
    """Return the loaded modules of the package that the type's module is in, or that module alone."""
    name = entity_type.handle.__module__
    package, dot, _ = name.partition(".")
    return [
        each for key, each in list(sys.modules.items()) if key == name or (dot and key.partition(".")[0] == package)
    ]


class Pristine:
    """What the modules' names meant when it was made."""

    def __init__(self, modules: list[ModuleType]) -> None:
        """Remember plain values and containers, and which functions have caches."""
        self._before: list[tuple[dict[str, Any], str, Any, Any]] = []
        self._caches: list[Callable[[], None]] = []
        for module in modules:
            for name, value in _names_of(module):
                if isinstance(value, _VALUES):
                    self._before.append((vars(module), name, value, None))
                elif isinstance(value, _CONTAINERS):
                    with suppress(Exception):  # what cannot be copied stays as it is
                        self._before.append((vars(module), name, value, deepcopy(value)))
                elif callable(getattr(value, "cache_clear", None)):
                    self._caches.append(value.cache_clear)

    def restore(self) -> None:
        """Put everything back, containers in place: others may hold them too."""
        for names, name, value, content in self._before:
            names[name] = value
            if content is not None and value != content:
                _fill(value, deepcopy(content))
        for clear in self._caches:
            clear()


def _names_of(module: ModuleType) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, value in list(vars(module).items()) if not name.startswith("__"))


def _fill(container: Any, content: Any) -> None:
    container.clear()
    if isinstance(container, MutableSequence | deque):
        container.extend(content)
    elif isinstance(container, MutableMapping):
        container.update(content)
    else:
        for each in content:
            container.add(each)
