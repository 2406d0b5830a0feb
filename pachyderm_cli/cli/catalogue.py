"""The commands by name: a command's module is imported, and its parser made, only when it is asked for.

Together they take as long to load as a short command takes to run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from pachyderm_cli.cli.parameters import lighten

# In the order in which the help shows them. Each has a module of its name, with an underscore where Python took it.
_NAMES = (
    "init",
    "send",
    "try",
    "query",
    "history",
    "follow",
    "inspect",
    "replay",
    "diff",
    "fork",
    "snapshot",
    "list",
    "networks",
    "describe",
    "check",
    "worker",
    "erase",
    "backup",
    "export",
    "import",
    "copy",
    "effects",
    "timers",
    "cursors",
    "store",
)
_TAKEN = frozenset({"try", "import", "list"})


class Catalogue(Mapping[str, TyperCommand | TyperGroup]):
    """What a group takes for a dictionary of its commands."""

    def __init__(self) -> None:
        """Know every name, and none of the commands."""
        self._loaded: dict[str, TyperCommand | TyperGroup] = {}

    def __getitem__(self, name: str) -> TyperCommand | TyperGroup:
        """Return the command. Raises KeyError."""
        if name not in _NAMES:
            raise KeyError(name)
        if name not in self._loaded:
            self._loaded[name] = _load(name)
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(_NAMES)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(_NAMES)


def _load(name: str) -> TyperCommand | TyperGroup:
    module = import_module(f"pachyderm_cli.cli.commands.{name}{'_' if name in _TAKEN else ''}")
    app = getattr(module, "app", None)
    if app is None:
        app = typer.Typer(rich_markup_mode=None)
        module.register(app)
    app._add_completion = False  # noqa: SLF001 - the options to install it are those of the whole
    command: Any = typer.main.get_command(app)
    command.name = name
    lighten(command)
    return command  # type: ignore[no-any-return]
