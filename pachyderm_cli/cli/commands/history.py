"""`pachyderm history`: every event of an entity."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Annotated

import typer

from pachyderm_cli.cli.session import ExistingReference, JsonOption, Session, find
from pachyderm_cli.errors import UsageError


def history(
    ctx: typer.Context,
    reference: ExistingReference = None,
    first: Annotated[
        int | None,
        typer.Option("--from", min=1, metavar="V", help="Begin at this version."),
    ] = None,
    last: Annotated[
        int | None,
        typer.Option("--to", min=0, metavar="V", help="End with this version."),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", "-n", min=0, metavar="N", help="At most so many events."),
    ] = None,
    reverse: Annotated[bool, typer.Option("--reverse", "-r", help="Newest first.")] = False,
    causes: Annotated[
        bool,
        typer.Option("--causes", help="Show what caused what: its messages with those before and after, as a tree."),
    ] = False,
    following: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with events as they are written, until it is ended.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show every event of an entity, oldest first. Needs none of your code.

    With --causes, every message that led to them, and all that those led to, to whatever entity.

    Example: pachyderm history counter:@visits --reverse --limit 10
    """
    from pachyderm_cli.cli import render, render_effects, serialize  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import emit, emit_each, finish  # noqa: PLC0415 - as above
    from pachyderm_cli.cli.stopping import stopped_by_signals  # noqa: PLC0415 - as above

    _require_sense(first, last, limit, reverse=reverse, causes=causes, following=following)
    session: Session = ctx.obj
    stopping = stopped_by_signals(as_json=as_json, at_once=True) if following else nullcontext()
    with stopping as stop, session.open() as pachyderm:
        entity = find(pachyderm, reference).entity
        if causes:
            emit_each(pachyderm.causes(entity), as_json, serialize.caused, render_effects.caused)
            return
        recorded = pachyderm.history(
            entity, from_version=first or 1, to_version=last, limit=limit, reverse=reverse, follow=stop
        )
        for each in recorded:
            emit(each, as_json, serialize.event, render.event)
            if stop is not None:
                finish()  # whoever follows has each line as it comes
                if stop.is_set():
                    return


def _require_sense(
    first: int | None, last: int | None, limit: int | None, *, reverse: bool, causes: bool, following: bool
) -> None:
    if following and (reverse or causes):
        raise UsageError("--follow goes on with what comes; leave out --reverse and --causes")
    if causes and (reverse or any(each is not None for each in (first, last, limit))):
        raise UsageError("--causes shows whole trees; leave out --from, --to, --limit and --reverse")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(history)
