"""`pachyderm follow`: the network's log, live."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from pachyderm_cli.cli.completion import complete_references
from pachyderm_cli.cli.session import JsonOption, Session, TypeOption
from pachyderm_cli.errors import NotFound, UsageError

if TYPE_CHECKING:
    from pachyderm_cli.engine.engine import Pachyderm
    from pachyderm_cli.engine.following import Following


def follow(
    ctx: typer.Context,
    start: Annotated[
        int | None,
        typer.Option("--from", min=1, metavar="POSITION", help="Begin with the event at this position, or after it."),
    ] = None,
    from_start: Annotated[bool, typer.Option("--from-start", help="Begin with the first event there is.")] = False,
    cursor: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Go on where this cursor stands, and take it along. A new one: the start."),
    ] = None,
    command: Annotated[
        str | None,
        typer.Option("--exec", metavar="COMMAND", help="Run this for each event, as JSON on its standard input."),
    ] = None,
    max_attempts: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="With --exec: stop after so many failures.", show_default="goes on"),
    ] = None,
    type_name: TypeOption = None,
    entity: Annotated[
        str | None,
        typer.Option(metavar="REF", help="Only events of this entity.", autocompletion=complete_references),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="End with the last event that there is now.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Print events as they are written, by whatever process. Needs none of your code.

    It misses none, and each entity's come in their order. Without --from, --from-start or --cursor it begins with what
    is written from now on. A cursor is taken along once what was printed is out, or the command has exited with 0;
    after a failure the command is tried again, later and later, with --once too.

    Example: pachyderm follow --cursor letters --exec ./write-a-letter
    """
    from pachyderm_cli.cli.stopping import stopped_by_signals  # noqa: PLC0415 - see the package's docstring

    _require_sense(start, from_start=from_start, cursor=cursor, command=command, max_attempts=max_attempts)
    after = 0 if from_start else None if start is None else start - 1
    session: Session = ctx.obj
    with stopped_by_signals(as_json=as_json, at_once=command is None) as stop, session.open() as pachyderm:
        _greet(pachyderm, cursor, once=once)
        following = pachyderm.follow(
            after=after, cursor=cursor, type_name=type_name, reference=entity, wait=not once, stop=stop
        )
        with following as log:
            if command is None:
                _print_each(log, stop, as_json=as_json)
            else:
                _execute_each(log, stop, command, max_attempts)


def _print_each(log: Following, stop: threading.Event, *, as_json: bool) -> None:
    from pachyderm_cli.cli import render_log, serialize  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import emit, finish  # noqa: PLC0415 - as above

    for event in log:
        emit(event, as_json, serialize.event, render_log.event)
        if log.is_caught_up or stop.is_set():
            finish()
            log.commit()
        if stop.is_set():
            return
    log.commit()


def _execute_each(log: Following, stop: threading.Event, command: str, max_attempts: int | None) -> None:
    from pachyderm_cli.cli.executing import Execution  # noqa: PLC0415 - see the package's docstring

    execution = Execution(command, max_attempts, stop)
    for event in log:
        if not execution.run(event):
            return
        log.commit()
        if stop.is_set():
            return
    log.commit()


def _require_sense(
    start: int | None, *, from_start: bool, cursor: str | None, command: str | None, max_attempts: int | None
) -> None:
    if start is not None and from_start:
        raise UsageError("give --from or --from-start, not both")
    if max_attempts is not None and command is None:
        raise UsageError("--max-attempts goes with --exec")
    if command is not None and not command.strip():
        raise UsageError("--exec needs a command")
    if cursor is not None and not cursor:
        raise UsageError("--cursor needs a name")


def _greet(pachyderm: Pachyderm, cursor: str | None, *, once: bool) -> None:
    """Say what is to be known at the start."""
    from pachyderm_cli.cli.output import note  # noqa: PLC0415 - see the package's docstring

    if cursor is not None:
        try:
            if pachyderm.cursor(cursor).is_held and not once:
                note(f"another follower has the cursor {cursor!r}; waiting until it ends, or its lease has run out")
        except NotFound:
            pass  # it is about to be made
    if not once and sys.stderr.isatty():
        note(f"following the network {pachyderm.network!r}; Ctrl-C ends it")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(follow)
