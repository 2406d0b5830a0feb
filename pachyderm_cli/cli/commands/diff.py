"""`pachyderm diff`: two states side by side."""

from __future__ import annotations

from typing import Annotated

import typer

from pachyderm_cli.cli.completion import complete_references
from pachyderm_cli.cli.session import JsonOption, Session
from pachyderm_cli.errors import UsageError

_FORMS = "give two versions, as in diff REF 3 7, or another entity alone"
_SHORTEST_ID = 4  # digits of an id's prefix; fewer are a version
_LONGEST_VERSION = 18  # digits; Python reads numbers of up to some thousand


def diff(
    ctx: typer.Context,
    reference: Annotated[str, typer.Argument(metavar="REF", help="The entity.", autocompletion=complete_references)],
    left: Annotated[
        str,
        typer.Argument(
            metavar="A|REF2", help="A version of it; or another entity.", autocompletion=complete_references
        ),
    ],
    right: Annotated[
        str | None, typer.Argument(metavar="[B]", help="The version to compare with.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show how two states differ: of two versions or entities.

    Give an entity and two of its versions, or two entities. With --json it is a JSON Patch (RFC 6902) beside the two
    states.

    Example: pachyderm diff counter:@visits 3 7
    """
    from pachyderm_cli.cli import render_time, serialize_time  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import emit  # noqa: PLC0415 - as above

    session: Session = ctx.obj
    with session.open() as pachyderm:
        if right is None and left.isdecimal() and len(left) < _SHORTEST_ID:
            raise UsageError(f"version {left} and which other? {_FORMS}")
        if right is None:
            found = pachyderm.difference(reference, left)
        else:
            found = pachyderm.difference(reference, _version(left), _version(right))
        emit(found, as_json, serialize_time.difference, render_time.difference)


def _version(text: str) -> int:
    """Return the version that `text` names. Raises UsageError."""
    if not text.isdecimal() or not text.isascii() or len(text) > _LONGEST_VERSION:
        raise UsageError(f"{text!r} is no version: {_FORMS}")
    return int(text)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(diff)
