"""`pachyderm try`: what a message would lead to."""

from __future__ import annotations

from typing import Annotated

import typer

from pachyderm_cli.cli.commands.send import DataOption, FieldsArgument, read_data
from pachyderm_cli.cli.completion import complete_messages, complete_references
from pachyderm_cli.cli.session import EntitiesOption, JsonOption, Session


def try_(
    ctx: typer.Context,
    reference: Annotated[
        str,
        typer.Argument(
            metavar="REF",
            help="The entity: one that exists, or TYPE:new, TYPE:@name.",
            autocompletion=complete_references,
        ),
    ],
    message: Annotated[
        str,
        typer.Argument(
            metavar="MESSAGE", help="The message's name, in any usual spelling.", autocompletion=complete_messages
        ),
    ],
    fields: FieldsArgument = None,
    data: DataOption = None,
    at_version: Annotated[
        int | None,
        typer.Option("--at-version", min=0, metavar="N", help="Decide at this version, not at the newest."),
    ] = None,
    entities: EntitiesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a message would lead to; nothing is written.

    Its events, effects and the state after it, or the rejection, with exit status 5. With --entities the code in
    that folder decides.

    Example: pachyderm try account:@alice withdraw amount=10 --at-version 2
    """
    from pachyderm_cli.cli import render_time, serialize_time  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import emit  # noqa: PLC0415 - as above

    session: Session = ctx.obj
    whole = None if data is None else read_data(data)
    with session.open(entities=entities) as pachyderm:
        receiver = pachyderm.receiver(reference)
        content = pachyderm.message(receiver.type, message, whole, fields=fields or [])
        tried = pachyderm.try_send(pachyderm.request(receiver, content), at_version=at_version)
        emit(tried, as_json, serialize_time.tried, render_time.tried)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("try")(try_)
