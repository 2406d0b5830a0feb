"""What every command shares: the options before the command, opening the engine, and the usual arguments."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import typer

from pachyderm_cli.cli.completion import complete_references, complete_types

if TYPE_CHECKING:
    from pachyderm_cli.config import Config
    from pachyderm_cli.engine.engine import Pachyderm
    from pachyderm_cli.store.records import Head

ExistingReference = Annotated[
    str | None,
    typer.Argument(
        metavar="[REF]",
        help="The entity: TYPE:ID, ID, a prefix of it, or TYPE:@name. Left out: the one written to last.",
        autocompletion=complete_references,
        show_default=False,
    ),
]
TypeOption = Annotated[
    str | None,
    typer.Option(
        "--type", metavar="TYPE", help="Only entities that this type handled last.", autocompletion=complete_types
    ),
]
EntitiesOption = Annotated[
    str | None, typer.Option("--entities", metavar="DIR", help="Use the entity modules in this folder.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, one document a line.")]


@dataclass(frozen=True)
class Session:
    """The options before the command."""

    project: str | None = None
    store: str | None = field(default=None, repr=False)  # may hold a password
    network: str | None = None

    @property
    def named_network(self) -> str | None:
        """The network, where an option or the environment names one."""
        return (os.environ.get("PACHYDERM_NETWORK") or None) if self.network is None else self.network

    def config(self, entities: str | None = None) -> Config:
        """Return the configuration that the options, the environment and the project's file give together.

        `entities` is a folder to take modules from instead. Raises ConfigError.
        """
        from pachyderm_cli.config import load_config  # noqa: PLC0415 - loads pydantic, which --help does without

        config = load_config(self.project, store=self.store, network=self.network)
        return config if entities is None else config.with_entities(entities)

    @contextmanager
    def open(self, entities: str | None = None) -> Iterator[Pachyderm]:
        """Lend the engine for it; what user code prints meanwhile, and what the engine warns of, is told aside."""
        from pachyderm_cli.cli.output import prints_aside, warnings_noted  # noqa: PLC0415 - with the rest of a command
        from pachyderm_cli.engine.engine import Pachyderm  # noqa: PLC0415 - loads SQLAlchemy, as above

        with prints_aside(), warnings_noted(), Pachyderm.from_config(self.config(entities)) as pachyderm:
            yield pachyderm


def require_type(pachyderm: Pachyderm, type_name: str | None, is_there: bool) -> None:  # noqa: FBT001 - what was found
    """Raise UnknownEntityType for a type that has neither an entity nor a module: it is misspelt."""
    if type_name is not None and not is_there and type_name not in pachyderm.type_names():
        pachyderm.entity_type(type_name)


def find(pachyderm: Pachyderm, reference: str | None) -> Head:
    """Return the entity that `reference` means; one that was left out is named on standard error."""
    from pachyderm_cli.cli.output import note  # noqa: PLC0415 - with the rest of what a command needs

    found = pachyderm.find(reference)
    if reference is None:
        note(f"the entity written to last: {found.entity}")
    return found
