"""A project on disk: where it is, its file as TOML, the names of its entity modules. Loads next to nothing."""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path
from typing import Any

from pachyderm_cli.domain.reference import is_type_name
from pachyderm_cli.errors import ConfigError

FILE_NAME = "pachyderm.toml"
_LONGEST_SHOWN = 300
DEFAULT_ENTITIES = "entities"


def find_project(named: str | os.PathLike[str] | None, *, required: bool) -> Path | None:
    """Return the folder of the project `named`, or of the nearest one upwards from here; None if there is none.

    Raises ConfigError for one that was named and is not there, and where one is `required`.
    """
    if named is not None:
        if not os.fspath(named):
            raise ConfigError("the project's folder has an empty name; name it, or leave the option out")
        folder = here() / Path(named).expanduser() if not Path(named).is_absolute() else Path(named)
        folder = folder.resolve()
        if not _is_file(folder / FILE_NAME):
            raise ConfigError(f"{folder} is no project: it has no {FILE_NAME}; run: pachyderm init {named}")
        return folder
    try:
        current = here()
    except ConfigError:
        if required:
            raise
        return None
    for folder in (current, *current.parents):
        if _is_file(folder / FILE_NAME):
            _require_own(folder)
            return folder
    if required:
        raise ConfigError(
            f"this is no project: there is no {FILE_NAME} in {current} or above; run pachyderm init, or name a project "
            "with --project or a store with --store"
        )
    return None


def _require_own(folder: Path) -> None:
    """Raise ConfigError for a project that somebody else may have put in everybody's way, as into /tmp.

    It says which code is run. Who names the folder wants just that.
    """
    file = folder / FILE_NAME
    is_everybodys = folder.stat().st_mode & stat.S_IWOTH
    if is_everybodys and file.lstat().st_uid not in (os.geteuid(), 0):
        raise ConfigError(
            f"{file} is another user's, in a folder that everybody may write to, and its code would be run; if you "
            f"trust it, name it: --project {folder}",
            file=str(file),
        )


def is_folder(path: Path) -> bool:
    """Tell whether there is a folder of that name. Raises ConfigError where that cannot be told."""
    try:
        return path.is_dir()
    except OSError as error:  # a name that is too long is one
        raise _not_looked_at(path, error) from error


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:
        raise _not_looked_at(path, error) from error


def _not_looked_at(path: Path, error: OSError) -> ConfigError:
    shown = str(path) if len(str(path)) <= _LONGEST_SHOWN else f"{str(path)[:_LONGEST_SHOWN]}..."
    return ConfigError(f"{shown} cannot be looked at ({error.strerror})", file=shown)


def read_toml(path: Path) -> dict[str, Any]:
    """Return the project's file, which may hold anything yet. Raises ConfigError where it cannot be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}", file=str(path)) from error
    except (ValueError, RecursionError) as error:  # TOML's own errors, and a number of more digits than Python reads
        raise ConfigError(f"{path} is not TOML: {error}", file=str(path)) from error


def entity_names(folder: Path) -> list[str]:
    """Return the names of the modules in a folder of entities, sorted; those that begin with `_` are no entities."""
    found = []
    for file in folder.rglob("*.py"):
        parts = file.relative_to(folder).with_suffix("").parts
        name = ".".join(parts)
        if is_type_name(name) and not any(part.startswith("_") or "." in part for part in parts):
            found.append(name)
    return sorted(found)


def entity_file(folder: Path, name: str) -> Path:
    """Return the path of the entity module `name`."""
    return folder.joinpath(*name.split(".")).with_suffix(".py")


def here() -> Path:
    """Return the current folder. Raises ConfigError where it is gone."""
    try:
        return Path.cwd()
    except OSError as error:
        raise ConfigError(f"the current folder cannot be used ({error.strerror}); change into another") from error
