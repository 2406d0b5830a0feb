"""Module-level values of a project, put back before each sequence, so that each begins as a fresh process would."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator, MutableMapping, MutableSequence, MutableSet
from contextlib import suppress
from copy import deepcopy
from decimal import Decimal
from enum import Enum
from types import FunctionType, ModuleType
from typing import Any

from pachyderm_cli.domain.entity import EntityType

_VALUES = (bool, int, float, complex, str, bytes, Decimal, type(None), tuple, frozenset)
_CONTAINERS = (MutableMapping, MutableSequence, MutableSet, deque)


def project_modules(entity_type: EntityType) -> list[ModuleType]:
    """Return the type's module and those of its package that it uses, themselves or through one another.

    A package may be as large as a whole project; what the type cannot reach by a name is not looked into.
    """
    package = entity_type.handle.__module__.partition(".")[0]
    found: dict[str, ModuleType] = {}
    left = [entity_type.handle.__module__]
    while left:
        name = left.pop()
        module = sys.modules.get(name)
        if module is not None and name not in found and name.partition(".")[0] == package:
            found[name] = module
            left += {owner for value in list(vars(module).values()) for owner in _owners(value)}
    return list(found.values())


def _owners(value: Any) -> Iterator[str]:
    """Yield the names of the modules that a value is, or that it or its class is from."""
    if isinstance(value, ModuleType):
        yield value.__name__
        return
    for each in (value, type(value)):
        with suppress(Exception):  # whatever a value's own __getattr__ does
            if isinstance(name := each.__module__, str):
                yield name


class Pristine:
    """What the names of modules, and of the classes in them, meant when it was made."""

    def __init__(self, modules: list[ModuleType]) -> None:
        """Remember plain values and containers, also those that are defaults, and which functions have caches."""
        self._values: list[tuple[Any, str, Any]] = []
        self._contents: list[tuple[Any, Any]] = []
        self._caches: list[Callable[[], None]] = []
        for module in modules:
            for name, value in _names_of(module):
                self._remember(module, name, value)
                if isinstance(value, type) and value.__module__ == module.__name__ and not issubclass(value, Enum):
                    for inner, part in _names_of(value):
                        self._remember(value, inner, part)

    def restore(self) -> None:
        """Put everything back, containers in place: others may hold them too."""
        for owner, name, value in self._values:
            if vars(owner).get(name) is not value:
                setattr(owner, name, value)
        for container, content in self._contents:
            if container != content:
                _fill(container, deepcopy(content))
        for clear in self._caches:
            clear()

    def _remember(self, owner: Any, name: str, value: Any) -> None:
        if isinstance(value, _VALUES):
            self._values.append((owner, name, value))
        elif isinstance(value, _CONTAINERS):
            self._values.append((owner, name, value))
            self._remember_content(value)
        elif isinstance(value, FunctionType):
            for default in (*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()):
                if isinstance(default, _CONTAINERS):
                    self._remember_content(default)
        else:
            with suppress(Exception):  # whatever a value's own __getattr__ does
                if callable(value.cache_clear):
                    self._caches.append(value.cache_clear)

    def _remember_content(self, container: Any) -> None:
        with suppress(Exception):  # what cannot be copied stays as it is
            self._contents.append((container, deepcopy(container)))


def _names_of(owner: Any) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, value in list(vars(owner).items()) if not name.startswith("__"))


def _fill(container: Any, content: Any) -> None:
    container.clear()
    if isinstance(container, MutableSequence | deque):
        container.extend(content)
    elif isinstance(container, MutableMapping):
        container.update(content)
    else:
        for each in content:
            container.add(each)
