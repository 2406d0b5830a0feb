"""`pachyderm list`: the entities of the network."""

from __future__ import annotations

from typing import Annotated

import typer

from pachyderm_cli.cli.session import JsonOption, Session, TypeOption


def list_(
    ctx: typer.Context,
    type_name: TypeOption = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", "-n", min=0, metavar="N", help="At most so many entities."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the entities, last written first. Needs none of your code.

    Example: pachyderm list --type counter --limit 20
    """
    from pachyderm_cli.cli import render, serialize  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import emit_each, note  # noqa: PLC0415 - as above

    session: Session = ctx.obj
    with session.open() as pachyderm:
        count = emit_each(pachyderm.entities(type_name, limit=limit), as_json, serialize.head, render.head)
        if count == 0 and not as_json:
            of_type = "" if type_name is None else f" of the type {type_name!r}"
            note(f"no entities{of_type} in the network {pachyderm.network!r}")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("list")(list_)
