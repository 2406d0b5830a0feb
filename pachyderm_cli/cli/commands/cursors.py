"""`pachyderm cursors …`: how far followers have come."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from pachyderm_cli.cli.session import JsonOption, Session
from pachyderm_cli.errors import Interrupted

app = typer.Typer(help="Look after the cursors of followers.", rich_markup_mode=None)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The cursor.")]


@app.callback()
def cursors() -> None:
    """Look after the cursors of followers: how far each has come in the network's log."""


@app.command("list")
def list_(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List the cursors: where each stands, how many events come after that, and whether somebody follows by it.

    Example: pachyderm cursors list
    """
    from pachyderm_cli.cli import render_log, serialize_log  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import emit_each, note  # noqa: PLC0415 - as above

    session: Session = ctx.obj
    with session.open() as pachyderm:
        count = emit_each(pachyderm.cursors(), as_json, serialize_log.cursor, render_log.cursor)
        if count == 0 and not as_json:
            note(f"the network {pachyderm.network!r} has no cursors; pachyderm follow --cursor NAME makes one")


@app.command("set")
def set_(
    ctx: typer.Context,
    name: NameArgument,
    position: Annotated[
        int, typer.Argument(min=0, metavar="POSITION", help="What comes after it is followed next; 0: everything.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Put a cursor to a position, to follow again what comes after that, or to leave some out.

    Example: pachyderm cursors set letters 0
    """
    from pachyderm_cli.cli import render_log, serialize_log  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import emit  # noqa: PLC0415 - as above

    session: Session = ctx.obj
    with session.open() as pachyderm:
        emit(pachyderm.set_cursor(name, position), as_json, serialize_log.cursor, render_log.cursor)


@app.command()
def drop(
    ctx: typer.Context,
    name: NameArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Forget a cursor; a follower by that name would begin with the first event. On a terminal it asks first.

    Example: pachyderm cursors drop letters
    """
    from pachyderm_cli.cli import render_log, serialize_log  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import emit, write  # noqa: PLC0415 - as above

    session: Session = ctx.obj
    with session.open() as pachyderm:
        found = pachyderm.cursor(name)
        if not yes and sys.stdin.isatty() and sys.stderr.isatty():
            for line in render_log.cursor(found):
                write(sys.stderr, line)
            sys.stderr.write("Forget it? [y/N] ")
            sys.stderr.flush()
            if sys.stdin.readline().strip().lower() not in ("y", "yes"):
                raise Interrupted("nothing was dropped")
        emit(pachyderm.drop_cursor(name), as_json, serialize_log.cursor, render_log.cursor)
