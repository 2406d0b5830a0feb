"""`pachyderm timers …`: what is to happen at a time."""

from __future__ import annotations

from typing import Annotated

import typer

from pachyderm_cli.cli.completion import complete_references
from pachyderm_cli.cli.session import JsonOption, Session
from pachyderm_cli.errors import UsageError

app = typer.Typer(help="Look at timers, and cancel them.", rich_markup_mode=None)


@app.callback()
def timers() -> None:
    """Look at timers and at messages with a time, and cancel them."""


@app.command("list")
def list_(
    ctx: typer.Context,
    reference: Annotated[
        str | None,
        typer.Argument(
            metavar="[REF]",
            help="Those of one entity: TYPE:ID, ID, a prefix of it, or TYPE:@name.",
            autocompletion=complete_references,
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the timers and messages with a time that are still to come, the earliest first.

    Example: pachyderm timers list reservation:@table-7
    """
    from pachyderm_cli.cli import render_effects, serialize  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import emit_each, note  # noqa: PLC0415 - as above

    session: Session = ctx.obj
    with session.open() as pachyderm:
        count = emit_each(pachyderm.timers(reference), as_json, serialize.timer, render_effects.timer)
        if count == 0 and not as_json:
            whose = f"in the network {pachyderm.network!r}" if reference is None else f"of {reference}"
            note(f"no timers {whose}")


@app.command()
def cancel(
    ctx: typer.Context,
    reference: Annotated[
        str,
        typer.Argument(metavar="ID|REF", help="A timer's id, or the entity.", autocompletion=complete_references),
    ],
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Which of the entity's timers.", show_default=False)
    ] = None,
    why: Annotated[
        str, typer.Option("--why", metavar="TEXT", help="The reason, which is kept with it.")
    ] = "cancelled by hand",
    as_json: JsonOption = False,
) -> None:
    """Cancel a timer, by the entity and the timer's name or by its id; it never fires.

    Example: pachyderm timers cancel reservation:@table-7 expire
    """
    from pachyderm_cli.cli import render_effects, serialize  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import emit  # noqa: PLC0415 - as above

    session: Session = ctx.obj
    with session.open() as pachyderm:
        if name is not None:
            found = pachyderm.timer(reference, name)
        elif ":" in reference:
            raise UsageError(f"say which of the timers of {reference}: pachyderm timers cancel {reference} NAME")
        else:
            found = pachyderm.effect(reference).stored
            if found.timer is None:
                raise UsageError(f"the effect {found.id} is no timer; pachyderm effects discard gives effects up")
        cancelled = pachyderm.discard_effect(found.id, why)
        emit(cancelled, as_json, serialize.timer, render_effects.timer)
