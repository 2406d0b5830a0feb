"""`pachyderm replay`: the state folded from the events alone, up to any version or time."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from pachyderm_cli.cli.session import ExistingReference, JsonOption, Session, find
from pachyderm_cli.errors import UsageError


def replay(
    ctx: typer.Context,
    reference: ExistingReference = None,
    to_version: Annotated[
        int | None,
        typer.Option("--to-version", min=0, metavar="N", help="Stop at this version; 0 is the initial state."),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help="Stop at this time, as 2026-01-31 or 2026-01-31T10:00:00Z."),
    ] = None,
    steps: Annotated[bool, typer.Option("--steps", help="Show every event, and what it changed.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the state at any version or time.

    It is folded from the events alone, without snapshots.

    Example: pachyderm replay counter:@visits --to-version 3
    """
    from pachyderm_cli.cli import render, serialize  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import emit, emit_each  # noqa: PLC0415 - as above

    if to_version is not None and at is not None:
        raise UsageError("give --to-version or --at, not both")
    moment = None if at is None else read_time(at)
    session: Session = ctx.obj
    with session.open() as pachyderm:
        entity = find(pachyderm, reference).entity
        if steps:
            emit_each(pachyderm.steps(entity, to_version=to_version, at=moment), as_json, serialize.step, render.step)
        else:
            emit(pachyderm.replay(entity, to_version=to_version, at=moment), as_json, serialize.state, render.state)


def read_time(text: str) -> datetime:
    """Return the moment that `text` names in ISO 8601; without an offset it is local time. Raises UsageError."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise UsageError(
            f"{text!r} is not a time; write it as 2026-01-31, 2026-01-31T10:00 (local) or 2026-01-31T10:00:00Z"
        ) from None


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(replay)
