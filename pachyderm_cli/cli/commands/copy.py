"""`pachyderm copy`: the network into another store."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from pachyderm_cli.cli.commands.import_ import note_other_names
from pachyderm_cli.cli.session import JsonOption, Session


def copy(
    ctx: typer.Context,
    to: Annotated[str, typer.Option("--to", metavar="URL", help="The store to copy into.", show_default=False)],
    to_network: Annotated[
        str | None, typer.Option(metavar="NAME", help="What the network is called there.", show_default="the same")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Copy the network into another store, from SQLite to Postgres or back: export and import in one.

    The store is made if it is not there; it must have none of the network's entities. All of it is in, or nothing.

    Example: pachyderm copy --to postgresql://localhost/shop
    """
    from pachyderm_cli.cli import render_moving, serialize_moving  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import emit, progress_told  # noqa: PLC0415 - as above

    session: Session = ctx.obj
    with session.open() as pachyderm:
        with progress_told("copying") as progress:
            copied = pachyderm.copy_to(to, network=to_network, progress=progress)
        emit(copied, as_json, partial(serialize_moving.copied, str(pachyderm.store)), render_moving.imported)
        note_other_names(copied)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(copy)
