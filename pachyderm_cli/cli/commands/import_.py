"""`pachyderm import`: the lines of an export into a store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Annotated

import typer

from pachyderm_cli.cli.session import JsonOption, Session
from pachyderm_cli.errors import CheckFailed, UsageError

if TYPE_CHECKING:
    from pachyderm_cli.cli.line_file import LineFile
    from pachyderm_cli.store.exported import Exported
    from pachyderm_cli.store.importing import Imported


def import_(
    ctx: typer.Context,
    file: Annotated[
        str | None, typer.Argument(metavar="FILE", help="What export wrote; -: standard input.", show_default=False)
    ] = None,
    resumable: Annotated[
        bool, typer.Option("--resumable", help="In parts; the same command goes on after whatever ended it.")
    ] = False,
    abandon: Annotated[
        bool, typer.Option("--abandon", help="Give up a --resumable one that never came to its end. Takes no FILE.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Read what `export` wrote into a store that has none of its entities. All of it is checked, and in or not.

    It goes into the network that it is from, unless --network or PACHYDERM_NETWORK names another.

    Example: pachyderm import monday.jsonl
    """
    from pachyderm_cli.cli import render_moving, serialize_moving  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.line_file import opened  # noqa: PLC0415 - as above
    from pachyderm_cli.cli.output import emit  # noqa: PLC0415 - as above

    session: Session = ctx.obj
    if abandon:
        if file is not None or resumable:
            raise UsageError("--abandon goes alone: it gives up what was begun, whatever the file")
        with session.open() as pachyderm:
            emit(pachyderm.abandon_import(), as_json, serialize_moving.abandoned, render_moving.abandoned)
        return
    if file is None:
        raise UsageError("say which FILE is to be imported; - is standard input")
    with opened(file) as lines:
        imported = _import(session, lines, resumable=resumable)
    emit(imported, as_json, serialize_moving.imported, render_moving.imported)
    note_other_names(imported)


def _import(session: Session, file: LineFile, *, resumable: bool) -> Imported:
    from pachyderm_cli.cli.output import progress  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.store.existing import is_made  # noqa: PLC0415 - as above
    from pachyderm_cli.store.exported import LONGEST_HEADER  # noqa: PLC0415 - as above

    def lines(what: str) -> Iterator[bytes]:
        return progress(file.lines(LONGEST_HEADER), what, file.size, size=len)

    is_pipe = file.size is None
    exported = _exported(lines("importing") if is_pipe else file.lines(LONGEST_HEADER))
    named = session.named_network
    with replace(session, network=exported.network if named is None else named).open() as pachyderm:
        if not is_pipe:
            if resumable:  # what is wrong with it, or in its way, is found before any of it is in
                pachyderm.require_free(_exported(lines("checking")))
            elif not is_made(pachyderm.store):
                for _ in _exported(lines("checking")):  # before anything is made
                    pass
            exported = _exported(lines("importing"))
        return pachyderm.import_lines(exported, resumable=resumable)


def _exported(lines: Iterator[bytes]) -> Exported:
    """Return the export that the lines are. Raises as `Exported` does, CheckFailed also for other ends of lines."""
    from pachyderm_cli.store.exported import Exported  # noqa: PLC0415 - see the package's docstring

    first = next(lines, b"")
    exported = Exported(chain([first], lines))
    if first.endswith(b"\r\n"):  # JSON reads as before, and only the checksum, at the end, would tell
        raise CheckFailed(
            "line 1: it ends in CR LF, and export writes LF: on its way the file was taken for text and changed; "
            "transfer it again as binary, or mend it by: tr -d '\\r' < FILE > OTHER",
            line=1,
        )
    return exported


def note_other_names(imported: Imported) -> None:
    """Say so where names mean other entities in the network than in the one that they were given in."""
    from pachyderm_cli.cli.output import note  # noqa: PLC0415 - see the package's docstring

    if imported.network != imported.from_network:
        note(
            f"ids are as they were in the network {imported.from_network!r}; "
            f"names such as @visits mean others in {imported.network!r}"
        )


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import")(import_)
