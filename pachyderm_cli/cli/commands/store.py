"""`pachyderm store …`: the database itself."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated

import typer

from pachyderm_cli.cli.session import JsonOption, Session, TypeOption, require_type
from pachyderm_cli.errors import CheckFailed, StoreError

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


@app.command()
def verify(
    ctx: typer.Context,
    type_name: TypeOption = None,
    all_networks: Annotated[bool, typer.Option("--all-networks", help="Verify every network of the store.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Verify that the store is whole: its file, its histories, and all that is kept beside them.

    It reads only. Entities that there is code for are folded as well. Any finding is exit status 9.

    Example: pachyderm store verify --all-networks
    """
    from pachyderm_cli.cli import render_store, serialize_store  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import emit, emit_each, note, progress_told, results  # noqa: PLC0415 - as above

    session: Session = ctx.obj
    with session.open() as pachyderm, ExitStack() as bar:
        progress = bar.enter_context(progress_told("verifying"))
        verification = pachyderm.verify(type_name, all_networks=all_networks, progress=progress)
        found = iter(verification)
        if results().isatty():  # they would run into the progress bar, so they come after it
            found = iter(list(found))
            bar.close()
        emit_each(found, as_json, serialize_store.finding, render_store.finding)
        summary = verification.summary
        require_type(pachyderm, type_name, bool(summary.entities or summary.findings))
        emit(summary, as_json, serialize_store.verified, render_store.verified)
        if summary.not_loaded:
            note(f"not folded, since they cannot be loaded here: {', '.join(sorted(summary.not_loaded))}")
    if summary.findings:
        raise CheckFailed(
            f"{render_store.counted(summary.findings, 'finding')}: the store is not whole", findings=summary.findings
        )


@app.command()
def scrub(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Write a SQLite file anew, so that nothing is left in it of what was erased. On Postgres there is nothing to do.

    It takes as long as copying the file, and as much room again, and keeps writers waiting meanwhile.

    Example: pachyderm store scrub
    """
    from pachyderm_cli.cli.output import emit  # noqa: PLC0415 - see the package's docstring

    session: Session = ctx.obj
    with session.open() as pachyderm:
        is_scrubbed = pachyderm.scrub()
        where = str(pachyderm.store)
        emit(
            is_scrubbed,
            as_json,
            lambda done: {"store": where, "scrubbed": done},
            lambda done: [((f"{where}: {'written anew' if done else 'not written anew'}", ""),)],
        )
    if not is_scrubbed:
        raise StoreError("other processes kept reading the file; run it again when they are done")
