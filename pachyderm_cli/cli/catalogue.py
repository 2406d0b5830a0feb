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
SUMMARIES = {
    "init": "Write a small project that runs.",
    "send": "Send a message to an entity, and show what came of it.",
    "try": "Show what a message would lead to; nothing is written.",
    "query": "Ask an entity a question; nothing is written.",
    "history": "Show every event of an entity, oldest first.",
    "follow": "Print events as they are written, by whatever process.",
    "inspect": "Show all that is known of an entity now.",
    "replay": "Show the state at any version or time.",
    "diff": "Show how two states differ: of two versions or entities.",
    "fork": "Copy a history into a new entity, to play on from there.",
    "snapshot": "Take, list or drop snapshots.",
    "list": "List the entities, last written first.",
    "networks": "List the networks: those that pachyderm.toml names, those in the stores, and the one that commands "
    "are for now.",
    "describe": "Show entity types and their messages.",
    "check": "Find out whether entity modules keep the contract.",
    "worker": "Carry out what is due in the outbox: effects, messages, timers.",
    "erase": "Erase an entity for good: its events, snapshots, effects, timers, and what is kept of it for lookup.",
    "backup": "Copy a SQLite store into a file while others write to it.",
    "export": "Write the network as JSON Lines that lose nothing, for import into another store.",
    "import": "Read what `export` wrote into a store that has none of its entities.",
    "copy": "Copy the network into another store, from SQLite to Postgres or back: export and import in one.",
    "effects": "Look into the outbox: effects, messages and timers.",
    "timers": "Look at timers, and cancel them.",
    "cursors": "Look after the cursors of followers.",
    "store": "Look after the store itself.",
}
"""What each command does, in the first sentence of its own help, so that the help of all need load none of them."""

_TAKEN = frozenset({"try", "import", "list"})


class Catalogue(Mapping[str, TyperCommand | TyperGroup]):
    """What a group takes for a dictionary of its commands."""

    def __init__(self) -> None:
        """Know every name, and none of the commands."""
        self._loaded: dict[str, TyperCommand | TyperGroup] = {}

    def __getitem__(self, name: str) -> TyperCommand | TyperGroup:
        """Return the command. Raises KeyError."""
        if name not in SUMMARIES:
            raise KeyError(name)
        if name not in self._loaded:
            self._loaded[name] = _load(name)
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(SUMMARIES)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(SUMMARIES)


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
