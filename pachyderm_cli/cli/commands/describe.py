"""`pachyderm describe`: the entity types of the project, or the protocol of one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pachyderm_cli.cli.completion import complete_types
from pachyderm_cli.cli.session import JsonOption, Session
from pachyderm_cli.errors import EntityLoadError

if TYPE_CHECKING:
    from pachyderm_cli.engine.engine import Pachyderm


def describe(
    ctx: typer.Context,
    type_name: Annotated[
        str | None,
        typer.Argument(metavar="[TYPE]", help="The entity type.", autocompletion=complete_types, show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show entity types and their messages.

    Without TYPE, all of the project; with it, its messages, events, effects, questions and state.

    Example: pachyderm describe counter
    """
    from pachyderm_cli.cli import render, serialize  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import emit, emit_each, note  # noqa: PLC0415 - as above

    session: Session = ctx.obj
    with session.open() as pachyderm:
        if type_name is not None:
            entity_type = pachyderm.entity_type(type_name.partition(":")[0])
            # A type may be named in pachyderm.toml as well.
            lookup = entity_type.name in session.config().lookups
            emit(
                entity_type,
                as_json,
                partial(serialize.protocol, lookup=lookup),
                partial(render.protocol, lookup=lookup),
            )
            return
        names = pachyderm.type_names()
        if not names and not as_json:
            note("this project has no entity modules")
        summaries = [_summary(pachyderm, name) for name in names]
        emit_each(summaries, as_json, lambda summary: summary, render.type_summary)
        for summary in summaries:
            if summary["error"]:
                # One broken module does not hide the others, but it is no success either.
                pachyderm.entity_type(summary["type"])


def _summary(pachyderm: Pachyderm, name: str) -> dict[str, Any]:
    try:
        entity = pachyderm.entity_type(name)
    except EntityLoadError as error:
        return {"type": name, "file": error.details.get("file"), "messages": [], "doc": "", "error": error.message}
    doc = entity.doc.partition("\n")[0]
    return {"type": name, "file": entity.file, "messages": list(entity.messages), "doc": doc, "error": None}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(describe)
