"""`pachyderm send`: one message to one entity, or a file of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from pachyderm_cli.cli import line_file
from pachyderm_cli.cli.completion import complete_messages, complete_references
from pachyderm_cli.cli.session import JsonOption, Session
from pachyderm_cli.errors import UsageError

ReceiverArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="REF",
        help="The entity: TYPE:new, TYPE:@name, TYPE:ID, or the prefix of an existing one's id.",
        autocompletion=complete_references,
        show_default=False,
    ),
]
MessageArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="MESSAGE",
        help="The message's name, in any usual spelling.",
        autocompletion=complete_messages,
        show_default=False,
    ),
]
FieldsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[FIELD=VALUE]...", help="Its data.", show_default=False)
]
DataOption = Annotated[
    str | None, typer.Option(metavar="JSON|@FILE|-", help="Its data as one JSON object, instead of fields.")
]
IdOption = Annotated[
    str | None, typer.Option("--id", metavar="UUID", help="Name the message: sent again, it does nothing twice.")
]
ExpectOption = Annotated[
    int | None, typer.Option(min=0, metavar="VERSION", help="Handle it only if the entity is at this version.")
]
ConfigOption = Annotated[
    list[str] | None, typer.Option(metavar="KEY=VALUE", help="Add to the effects' config (may be repeated).")
]
NoEffectsOption = Annotated[
    bool,
    typer.Option(
        "--no-effects",
        help="Commit, and run no effect: a worker carries out those at least once, and the messages to entities.",
    ),
]
FileOption = Annotated[
    str | None, typer.Option("--file", "-f", metavar="PATH|-", help="Send the JSON Lines of this file instead.")
]
KeepGoingOption = Annotated[bool, typer.Option("--keep-going", "-k", help="With --file: go on after a bad line.")]


def send(
    ctx: typer.Context,
    reference: ReceiverArgument = None,
    message: MessageArgument = None,
    fields: FieldsArgument = None,
    data: DataOption = None,
    message_id: IdOption = None,
    expect: ExpectOption = None,
    config: ConfigOption = None,
    no_effects: NoEffectsOption = False,
    file: FileOption = None,
    keep_going: KeepGoingOption = False,
    as_json: JsonOption = False,
) -> None:
    """Send a message to an entity, and show what came of it.

    With --file every line is {"to": REF, "message": NAME, "data": {…}, "id": UUID}, the last two optional.

    Example: pachyderm send account:@alice deposit amount=10.50
    """
    from pachyderm_cli.cli import render, render_effects, serialize  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import emit, note  # noqa: PLC0415 - as above

    session: Session = ctx.obj
    options: dict[str, Any] = {"config": read_config(config or []), "effects": not no_effects}
    if file is not None:
        _require_alone(reference, data, message_id, expect)
        from pachyderm_cli.cli.batch import send_lines  # noqa: PLC0415 - as above

        with session.open() as pachyderm:
            send_lines(pachyderm, file, options, keep_going=keep_going, as_json=as_json)
        return
    if keep_going:
        raise UsageError("--keep-going goes with --file")
    if reference is None or message is None:
        raise UsageError(
            "say whom to send what: pachyderm send REF MESSAGE [FIELD=VALUE …]; see: pachyderm send --help"
        )
    identifier = None if message_id is None else read_id(message_id)
    whole = None if data is None else read_data(data)
    with session.open() as pachyderm:
        receiver = pachyderm.receiver(reference)
        content = pachyderm.message(receiver.type, message, whole, fields=fields or [])
        sent = pachyderm.send(receiver, content, message_id=identifier, expect=expect, **options)
        emit(sent, as_json, serialize.sent, render.sent)
        if sent.left:
            note(render_effects.left(sent.left))
        sent.require_effects()


def read_config(texts: list[str]) -> dict[str, Any]:
    """Return KEY=VALUE texts as a dictionary. Raises UsageError."""
    config = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError(f"--config takes KEY=VALUE, not {text!r}")
        config[key] = value
    return config


def read_id(text: str) -> UUID:
    """Return the UUID that `text` is. Raises UsageError."""
    try:
        return UUID(text)
    except ValueError:
        raise UsageError(f"--id takes a UUID, not {text!r}") from None


def read_data(text: str) -> bytes | str:
    """Return the JSON that --data names: itself, the content of a file, or standard input. Raises UsageError."""
    if text != "-" and not text.startswith("@"):
        return text
    try:
        if text == "-":
            content = sys.stdin.buffer.read(line_file.LONGEST_MESSAGE + 1)
        else:
            with Path(text[1:]).open("rb") as file:
                content = file.read(line_file.LONGEST_MESSAGE + 1)
    except (OSError, ValueError) as error:
        raise UsageError(f"--data {text}: {error}") from error
    if len(content) > line_file.LONGEST_MESSAGE:  # a device has no end
        raise UsageError(
            f"--data {text}: it is longer than the {line_file.LONGEST_MESSAGE // 2**20} MiB that a message may have"
        )
    return content


def _require_alone(*others: object) -> None:
    if any(other is not None for other in others):
        raise UsageError("--file brings references, messages, data and ids itself; leave them out")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(send)
