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
from importlib.abc import Loader
from importlib.machinery import FileFinder, ModuleSpec, SourceFileLoader
from importlib.util import decode_source, find_spec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

_private_numbers = itertools.count(1)
_folders: dict[str, Path] = {}
_lock = threading.RLock()


class EntityPackage:
    """The folder of a project's entity modules, as a package of this process."""

    def __init__(self, folder: Path) -> None:
        """Find out under which name the modules of `folder` are imported; imports nothing yet."""
        self.folder = folder
        self._is_private = not _is_importable(folder)
        with _lock:
            if not any(isinstance(each, _EntityPackages) for each in sys.meta_path):
                sys.meta_path.insert(0, _EntityPackages())
            number = next(_private_numbers) if self._is_private else 0
            self.name = f"_pachyderm_{number}_{folder.name}" if self._is_private else folder.name
            _folders[self.name] = folder

    def load(self, type_name: str) -> ModuleType:
        """Import and return the module; whatever its code raises comes through, and is raised again next time."""
        with _lock:
            return import_module(f"{self.name}.{type_name}")

    def close(self) -> None:
        """Forget the modules that were loaded under a private name."""
        with _lock:
            if self._is_private and _folders.pop(self.name, None) is not None:
                for name in [name for name in sys.modules if _top(name) == self.name]:
                    del sys.modules[name]


class _EntityPackages:
    """The import hook: finds the modules of entity packages, and leaves every other name alone."""

    def find_spec(self, name: str, path: Sequence[str] | None, _target: ModuleType | None = None) -> ModuleSpec | None:
        package = _top(name)
        folder = _folders.get(package)
        if folder is None:
            return None
        if name == package:
            return _package_spec(package, folder)
        return _module_spec(name, path or [], package, folder.name)


def _package_spec(package: str, folder: Path) -> ModuleSpec:
    """Return the spec of the package itself: its `__init__.py`, if there is one, or none."""
    file = folder / "__init__.py"
    loader = _SourceLoader(package, str(file), package, folder.name) if file.is_file() else None
    spec = ModuleSpec(package, loader or _EmptyPackageLoader(folder.name), is_package=True)
    if loader is not None:
        spec.origin = str(file)
        spec.has_location = True
    spec.submodule_search_locations = [str(folder)]
    return spec


def _module_spec(name: str, path: Sequence[str], package: str, public_name: str) -> ModuleSpec | None:
    def loader(fullname: str, file: str) -> _SourceLoader:
        return _SourceLoader(fullname, file, package, public_name)

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


class _EmptyPackageLoader(Loader):
    """Makes a package that has no `__init__.py`."""

    def __init__(self, public_name: str) -> None:
        self._public_name = public_name

    def create_module(self, _spec: ModuleSpec) -> None:
        """Leave making the module to the import system."""

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__pachyderm_public_name__"] = self._public_name


class _SourceLoader(SourceFileLoader):
    """Runs a module with an `import` that maps the project's public package name to its private one, if it has one.

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
        if self._package != self._public_name:
            module.__dict__["__builtins__"] = {**vars(builtins), "__import__": self._import}
        if module.__name__ == self._package:
            module.__dict__["__pachyderm_public_name__"] = self._public_name
        super().exec_module(module)

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,  # noqa: A002 - the signature of __import__
        locals: Mapping[str, Any] | None = None,  # noqa: A002 - as above
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
    # A namespace of several folders is more than this one; what it gives for a name may be another project's.
    locations = [] if spec is None else list(spec.submodule_search_locations or [])
    return {Path(location).resolve() for location in locations} == {folder.resolve()}
