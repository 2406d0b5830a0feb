"""`pachyderm fork`: a copy of a history, to play on from there."""

from __future__ import annotations

from typing import Annotated

import typer

from pachyderm_cli.cli.completion import complete_references
from pachyderm_cli.cli.session import ExistingReference, JsonOption, Session, find


def fork(
    ctx: typer.Context,
    reference: ExistingReference = None,
    to_version: Annotated[
        int | None, typer.Option("--to-version", min=1, metavar="N", help="Copy up to this version; else all of it.")
    ] = None,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="REF2|new",
            help="The entity to copy into, which must not be there yet.",
            autocompletion=complete_references,
        ),
    ] = "new",
    as_json: JsonOption = False,
) -> None:
    """Copy a history into a new entity, to play on from there.

    Events only: no effects, no timers. Where it came from is recorded, and inspect shows it.

    Example: pachyderm fork counter:@visits --to-version 3 --to counter:@what-if
    """
    from pachyderm_cli.cli import render_time, serialize_time  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import emit  # noqa: PLC0415 - as above

    session: Session = ctx.obj
    with session.open() as pachyderm:
        entity = find(pachyderm, reference).entity
        forked = pachyderm.fork(entity, to_version=to_version, to=to)
        emit(forked, as_json, serialize_time.forked, render_time.forked)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(fork)
