"""Entity types by name: from a project's folder, or from modules that the caller has at hand."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import Any, Protocol, runtime_checkable

from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.domain.naming import suggestion
from pachyderm_cli.domain.protocol import load_error, read_entity
from pachyderm_cli.domain.reference import is_type_name
from pachyderm_cli.engine.imports import EntityPackage
from pachyderm_cli.errors import ConfigError, EntityLoadError, PachydermError, UnknownEntityType
from pachyderm_cli.project import entity_file, entity_names, is_folder


@runtime_checkable
class EntityTypes(Protocol):
    """Where the engine gets entity types from."""

    def get(self, name: str) -> EntityType:
        """Return the entity type. Raises UnknownEntityType or EntityLoadError."""

    def names(self) -> list[str]:
        """Return the names of all types there are, sorted, whether they can be loaded or not."""

    def close(self) -> None:
        """Let go of what was loaded."""


class ModuleEntityTypes:
    """Entity types read from modules in memory, for embedding."""

    def __init__(self, modules: Iterable[ModuleType] | Mapping[str, Any]) -> None:
        """Read every module now. Raises EntityLoadError."""
        named = modules.items() if isinstance(modules, Mapping) else ((_type_name(m), m) for m in modules)
        self._types: dict[str, EntityType] = {}
        for name, module in named:
            if not is_type_name(name):
                raise ConfigError(
                    f"{name!r} cannot be an entity type's name; write it as in counter or billing.invoice"
                )
            if name in self._types:
                raise ConfigError(f"two modules are called {name}; give them names: {{'{name}': module, …}}")
            self._types[name] = read_entity(name, module)

    def get(self, name: str) -> EntityType:
        """Return the entity type. Raises UnknownEntityType."""
        if name not in self._types:
            raise unknown_type(name, self._types)
        return self._types[name]

    def names(self) -> list[str]:
        """Return the names of all types, sorted."""
        return sorted(self._types)

    def close(self) -> None:
        """Do nothing: the modules are the caller's."""


class FolderEntityTypes:
    """Entity types read from the modules below a folder, each when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        """Remember the folder; nothing is read yet, so that what needs no user code works without any."""
        self._folder = folder
        self._package: EntityPackage | None = None
        self._types: dict[str, EntityType] = {}
        self._lock = threading.RLock()

    def get(self, name: str) -> EntityType:
        """Return the entity type. Raises UnknownEntityType, or EntityLoadError naming file and line."""
        found = self._types.get(name)
        if found is not None:
            return found
        with self._lock:
            if name not in self._types:
                self._types[name] = self._load(name)
            return self._types[name]

    @property
    def folder(self) -> Path:
        """The folder."""
        return self._folder

    def names(self) -> list[str]:
        """Return the names of the modules in the folder, sorted; those that begin with `_` are no entities."""
        return entity_names(self._folder)

    def close(self) -> None:
        """Forget the modules, unless the process knows them under the folder's own name."""
        with self._lock:
            self._types.clear()
            if self._package is not None:
                self._package.close()
                self._package = None

    def _load(self, name: str) -> EntityType:
        if not is_folder(self._folder):
            raise ConfigError(
                f"there is no folder of entity modules at {self._folder}; make it, or name another as 'entities' "
                "in pachyderm.toml"
            )
        # Only a name that stands in the listing is made a path, or reaches the import system, whatever the file system
        # folds together.
        if name not in self.names():
            raise unknown_type(name, self.names(), f" in {self._folder}")
        file = entity_file(self._folder, name)
        if self._package is None:
            self._package = EntityPackage(self._folder)
        try:
            module = self._package.load(name)
        except SyntaxError as error:
            raise load_error(f"syntax error: {error.msg}", error.filename or str(file), error.lineno or 1) from error
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise self._import_failed(name, file, error) from error
        return read_entity(name, module)

    def _import_failed(self, name: str, file: Path, error: BaseException) -> EntityLoadError:
        frames = [
            (frame.filename, frame.lineno or 1)
            for frame in extract_tb(error.__traceback__)
            if Path(frame.filename).is_relative_to(self._folder)
        ]
        where, line = frames[-1] if frames else (str(file), 1)
        return load_error(f"{name} cannot be imported: {type(error).__name__}: {error}", where, line)


class NoEntityTypes:
    """No entity types at all: a store is looked at outside of any project."""

    def get(self, name: str) -> EntityType:
        """Raise UnknownEntityType, saying how to have a project."""
        raise UnknownEntityType(
            f"there is no entity type {name!r} here: this is no project (no pachyderm.toml in this folder or "
            "above); run pachyderm init, or name the project with --project",
            entity_type=name,
        )

    def names(self) -> list[str]:
        """Return nothing."""
        return []

    def close(self) -> None:
        """Do nothing."""


def readable_types(types: EntityTypes) -> list[str]:
    """Return the names of the entity types that can be loaded."""
    found = []
    for name in types.names():
        try:
            types.get(name)
        except PachydermError:
            continue
        found.append(name)
    return found


def unknown_type(name: str, known: Iterable[str], where: str = "") -> UnknownEntityType:
    """Return the error for a type that is not there, with the nearest name that is."""
    return UnknownEntityType(f"there is no entity type {name!r}{where}; {suggestion(name, known)}", entity_type=name)


def _type_name(module: ModuleType) -> str:
    """Return the type a module stands for: its name without the package of entities it may be in."""
    head, dot, tail = module.__name__.partition(".")
    return tail if dot and head == "entities" else module.__name__
