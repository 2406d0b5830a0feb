"""Importing a project's entity modules, so that each class has one identity and projects do not mix.

If `import entities` in this process means the project's own folder (the usual case in a user's script), modules
are imported under that name, and the user's classes are the engine's. Otherwise the folder becomes a package
under a private name, inside which `from entities.account import Deposit` and `from .account import Deposit`
find their own project's modules; so two projects, or two versions of one, can be open in one process.
"""

from __future__ import annotations

import builtins
import itertools
import sys
import threading
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.machinery import FileFinder, ModuleSpec, SourceFileLoader
from importlib.util import decode_source, find_spec, module_from_spec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

_private_numbers = itertools.count(1)
_finders: dict[str, _PrivateFinder] = {}
_lock = threading.RLock()


class EntityPackage:
    """The folder of a project's entity modules, as a package of this process."""

    def __init__(self, folder: Path) -> None:
        """Find out under which name the modules of `folder` are imported; imports nothing yet."""
        self.folder = folder
        self.name = folder.name if _is_importable(folder) else self._make_private()

    def load(self, type_name: str) -> ModuleType:
        """Import and return the module; whatever its code raises comes through, and is raised again next time."""
        with _lock:
            return import_module(f"{self.name}.{type_name}")

    def close(self) -> None:
        """Forget the modules that were loaded under a private name."""
        with _lock:
            if _finders.pop(self.name, None) is not None:
                for name in [name for name in sys.modules if _top(name) == self.name]:
                    del sys.modules[name]

    def _make_private(self) -> str:
        with _lock:
            name = f"_pachyderm_{next(_private_numbers)}_{self.folder.name}"
            finder = _PrivateFinder(name, self.folder)
            if not any(isinstance(each, _PrivatePackages) for each in sys.meta_path):
                sys.meta_path.insert(0, _PrivatePackages())
            _finders[name] = finder
            spec = ModuleSpec(name, loader=None, is_package=True)
            spec.submodule_search_locations = [str(self.folder)]
            sys.modules[name] = module_from_spec(spec)
            return name


class _PrivatePackages:
    """The import hook: hands names below a private package to that package's finder."""

    def find_spec(self, name: str, path: Sequence[str] | None, _target: ModuleType | None = None) -> ModuleSpec | None:
        finder = _finders.get(_top(name))
        return None if finder is None or path is None else finder.find(name, path)


class _PrivateFinder:
    def __init__(self, package: str, folder: Path) -> None:
        self.package = package
        self.public_name = folder.name

    def find(self, name: str, path: Sequence[str]) -> ModuleSpec | None:
        def loader(fullname: str, file: str) -> _PrivateLoader:
            return _PrivateLoader(fullname, file, self.package, self.public_name)

        namespace: list[str] = []
        for folder in path:
            spec = FileFinder(folder, (loader, [".py"])).find_spec(name)  # type: ignore[arg-type]  # any callable does
            if spec is None:
                continue
            if spec.loader is not None:
                return spec
            namespace.extend(spec.submodule_search_locations or [])
        if not namespace:
            return None
        found = ModuleSpec(name, loader=None, is_package=True)
        found.submodule_search_locations = namespace
        return found


class _PrivateLoader(SourceFileLoader):
    """Runs a module with an `import` that maps the project's public package name to its private one.

    It always compiles what the file says now: cached bytecode is matched by whole seconds and size, and might be
    of an earlier version, whose folds would then bear the fingerprint of this one.
    """

    def __init__(self, fullname: str, path: str, package: str, public_name: str) -> None:
        super().__init__(fullname, path)
        self._package = package
        self._public_name = public_name
        self._loaded: bytes | None = None

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        self._loaded = self.get_data(path)
        return self.source_to_code(self._loaded, path)

    def get_source(self, fullname: str) -> str | None:
        """Return the source that runs, though the file may say something else by now."""
        return super().get_source(fullname) if self._loaded is None else decode_source(self._loaded)

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": self._import}
        super().exec_module(module)

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,  # noqa: A002 - the signature of __import__
        locals: Mapping[str, Any] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        if level == 0 and _top(name) == self._public_name:
            name = self._package + name[len(self._public_name) :]
        return builtins.__import__(name, globals, locals, fromlist or (), level)


def _top(name: str) -> str:
    return name.partition(".")[0]


def _is_importable(folder: Path) -> bool:
    """Tell whether importing the folder's name, here and now, would mean this folder."""
    if not folder.name.isidentifier():
        return False
    try:
        spec = find_spec(folder.name)
    except (ImportError, ValueError):
        return False
    locations = [] if spec is None else list(spec.submodule_search_locations or [])
    return any(Path(location).resolve() == folder.resolve() for location in locations)
