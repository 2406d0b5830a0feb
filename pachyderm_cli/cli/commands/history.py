"""`pachyderm history`: every event of an entity."""

from __future__ import annotations

from typing import Annotated

import typer

from pachyderm_cli.cli.session import ExistingReference, JsonOption, Session, find


def history(
    ctx: typer.Context,
    reference: ExistingReference = None,
    first: Annotated[int, typer.Option("--from", min=1, metavar="V", help="Begin at this version.")] = 1,
    last: Annotated[
        int | None,
        typer.Option("--to", min=0, metavar="V", help="End with this version."),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", "-n", min=0, metavar="N", help="At most so many events."),
    ] = None,
    reverse: Annotated[bool, typer.Option("--reverse", "-r", help="Newest first.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show every event of an entity, oldest first. Needs none of your code.

    Example: pachyderm history counter:@visits --reverse --limit 10
    """
    from pachyderm_cli.cli import render, serialize  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import emit_each  # noqa: PLC0415 - as above

    session: Session = ctx.obj
    with session.open() as pachyderm:
        recorded = pachyderm.history(
            find(pachyderm, reference).entity, from_version=first, to_version=last, limit=limit, reverse=reverse
        )
        emit_each(recorded, as_json, serialize.event, render.event)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(history)
