"""`pachyderm store …`: the database itself."""

from __future__ import annotations

import typer

from pachyderm_cli.cli.session import JsonOption, Session

app = typer.Typer(help="Look after the store itself.", rich_markup_mode=None)


@app.callback()
def store() -> None:
    """Look after the store itself."""


@app.command()
def migrate(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Bring a store that an older pachyderm made up to date; one that is up to date is left alone.

    Example: pachyderm store migrate
    """
    from pachyderm_cli.cli.output import emit  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.store.migrate import Migrated, migrate  # noqa: PLC0415 - loads Alembic

    session: Session = ctx.obj

    def serialize(result: Migrated) -> dict[str, object]:
        return {"store": result.store, "from": result.before, "to": result.after}

    def lines(result: Migrated) -> list[tuple[tuple[str, str], ...]]:
        changed = f"from schema {result.before} to {result.after}"
        text = f"already at schema {result.after}" if result.before == result.after else changed
        return [((f"{result.store}: {text}", ""),)]

    emit(migrate(session.config().store_url), as_json, serialize, lines)


@app.command()
def status(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Show what is in the store, network by network, how large it is, and how its database is set.

    Example: pachyderm store status --json
    """
    from pachyderm_cli.cli import render_store, serialize_store  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import emit  # noqa: PLC0415 - as above

    session: Session = ctx.obj
    with session.open() as pachyderm:
        emit(pachyderm.store_status(), as_json, serialize_store.status, render_store.status)
