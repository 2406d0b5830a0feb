"""`pachyderm query`: what an entity answers to a question."""

from __future__ import annotations

from typing import Annotated

import typer

from pachyderm_cli.cli.commands.send import FieldsArgument
from pachyderm_cli.cli.completion import complete_questions, complete_references
from pachyderm_cli.cli.session import JsonOption, Session


def query(
    ctx: typer.Context,
    reference: Annotated[str, typer.Argument(metavar="REF", help="The entity.", autocompletion=complete_references)],
    question: Annotated[
        str,
        typer.Argument(
            metavar="QUESTION", help="The question's name, in any usual spelling.", autocompletion=complete_questions
        ),
    ],
    fields: FieldsArgument = None,
    at_version: Annotated[
        int | None, typer.Option("--at-version", min=0, metavar="N", help="Ask it as it was at this version.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Ask an entity a question; nothing is written.

    The answer is what its module's query(question, state) returns.

    Example: pachyderm query account:@alice can-pay amount=10
    """
    from pachyderm_cli.cli import render_time, serialize_time  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import emit  # noqa: PLC0415 - as above

    session: Session = ctx.obj
    with session.open() as pachyderm:
        entity = pachyderm.find(reference).entity
        asked = pachyderm.question(entity.type, question, fields=fields or [])
        answer = pachyderm.query(entity, asked, at_version=at_version)
        emit(answer, as_json, serialize_time.answer, render_time.answer)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(query)
