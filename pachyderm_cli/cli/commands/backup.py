"""`pachyderm backup`: a copy of the store, while it is in use."""

from __future__ import annotations

from typing import Annotated

import typer

from pachyderm_cli.cli.session import JsonOption, Session


def backup(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="The file to be made.", show_default=False)],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Copy a SQLite store into a file while others write to it.

    The copy is the store as it was at one moment. It is checked before it gets its name.

    Example: pachyderm backup pachyderm-monday.db
    """
    from pachyderm_cli.cli import render_store, serialize_store  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.ending import ended_by_signals  # noqa: PLC0415 - as above
    from pachyderm_cli.cli.kept_stores import require_no_store  # noqa: PLC0415 - as above
    from pachyderm_cli.cli.output import emit, progress_told  # noqa: PLC0415 - as above

    session: Session = ctx.obj
    require_no_store(session.config(), file)
    with ended_by_signals(), session.open() as pachyderm:
        with progress_told("copying") as progress:
            copied = pachyderm.backup(file, replace=force, progress=progress)
        emit(copied, as_json, serialize_store.backed_up, render_store.backed_up)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(backup)
