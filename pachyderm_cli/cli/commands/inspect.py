"""`pachyderm inspect`: all that is known of an entity now."""

from __future__ import annotations

import typer

from pachyderm_cli.cli.session import ExistingReference, JsonOption, Session, find


def inspect(ctx: typer.Context, reference: ExistingReference = None, as_json: JsonOption = False) -> None:
    """Show all that is known of an entity now.

    Its version and state, when it was written, its snapshots, effects not done, and timers.

    Example: pachyderm inspect counter:@visits
    """
    from pachyderm_cli.cli import render, serialize  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import emit  # noqa: PLC0415 - as above

    session: Session = ctx.obj
    with session.open() as pachyderm:
        emit(pachyderm.inspect(find(pachyderm, reference).entity), as_json, serialize.inspection, render.inspection)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(inspect)
