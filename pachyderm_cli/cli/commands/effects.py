"""`pachyderm effects …`: what is in the outbox, and what is to become of it."""

from __future__ import annotations

import sys
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from pachyderm_cli.cli.completion import complete_statuses
from pachyderm_cli.cli.session import JsonOption, Session
from pachyderm_cli.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from pachyderm_cli.engine.results import QueuedEffect

app = typer.Typer(help="Look into the outbox: effects, messages and timers.", rich_markup_mode=None)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The effect's id, or a prefix of it.")]


@app.callback()
def effects() -> None:
    """Look into the outbox: effects that are tried until they are done, messages to entities, timers."""


@app.command("list")
def list_(
    ctx: typer.Context,
    status: Annotated[
        str | None,
        typer.Option(
            metavar="STATUS",
            help="Those that are pending, parked, done, rejected or discarded.",
            show_default="those not ended",
            autocompletion=complete_statuses,
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=0, metavar="N", help="At most so many effects.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the effects that are not ended, or those of a status; the next to be tried comes first.

    One that no code here can carry out is shown with the reason, and kept.

    Example: pachyderm effects list --status parked
    """
    from pachyderm_cli.cli import render_effects, serialize  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import emit_each, note  # noqa: PLC0415 - as above

    session: Session = ctx.obj
    with session.open() as pachyderm:
        most = None if limit is None else min(limit, sys.maxsize)
        found = islice(pachyderm.effects(status), most)
        count = emit_each(found, as_json, serialize.queued, render_effects.queued)
        if count == 0 and limit != 0 and not as_json:
            note(f"no effects {'wait' if status is None else f'are {status}'} in the network {pachyderm.network!r}")


@app.command()
def show(ctx: typer.Context, identifier: IdArgument, as_json: JsonOption = False) -> None:
    """Show all that is known of an effect.

    Example: pachyderm effects show 5b1c
    """
    from pachyderm_cli.cli import render_effects, serialize  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import emit  # noqa: PLC0415 - as above

    session: Session = ctx.obj
    with session.open() as pachyderm:
        emit(pachyderm.effect(identifier), as_json, serialize.queued, render_effects.whole)


@app.command()
def retry(
    ctx: typer.Context,
    identifier: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The effect's id, or a prefix of it.", show_default=False)
    ] = None,
    every_effect: Annotated[bool, typer.Option("--all", help="Every effect that is parked.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Let an effect that failed be tried again at once, as often as a new one; a worker does it.

    Example: pachyderm effects retry --all
    """
    from pachyderm_cli.cli import render_effects, serialize  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import emit_each, note  # noqa: PLC0415 - as above

    if (identifier is None) is not every_effect:
        raise UsageError("say which effect: give its id, or --all for every one that is parked")
    session: Session = ctx.obj
    with session.open() as pachyderm:
        chosen = pachyderm.retry_effects() if identifier is None else iter([pachyderm.retry_effect(identifier)])
        again = (pachyderm.effect(each.id) for each in chosen)
        count = emit_each(again, as_json, serialize.queued, render_effects.queued)
        if not as_json:
            note("pachyderm worker tries again" if count else f"nothing is parked in the network {pachyderm.network!r}")


@app.command()
def discard(
    ctx: typer.Context,
    identifier: IdArgument,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason, which is kept with it.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Give an effect up for good; it is kept, with the reason. On a terminal it asks first.

    Example: pachyderm effects discard 5b1c --why "the address is gone"
    """
    from pachyderm_cli.cli import render_effects, serialize  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import emit  # noqa: PLC0415 - as above

    session: Session = ctx.obj
    with session.open() as pachyderm:
        found = pachyderm.effect(identifier)
        if not yes and sys.stdin.isatty() and sys.stderr.isatty():
            _confirm(found)
        discarded = pachyderm.effect(pachyderm.discard_effect(found.stored.id, why).id)
        emit(discarded, as_json, serialize.queued, render_effects.queued)


def _confirm(found: QueuedEffect) -> None:
    """Ask whether the effect is to be discarded. Raises Interrupted if not."""
    from pachyderm_cli.cli import render_effects  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import write  # noqa: PLC0415 - as above

    for line in render_effects.queued(found):
        write(sys.stderr, line)
    sys.stderr.write("Discard it for good? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Interrupted("nothing was discarded")
