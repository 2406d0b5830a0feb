"""`pachyderm export`: a network as lines that lose nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pachyderm_cli.cli.completion import complete_references
from pachyderm_cli.cli.session import JsonOption, Session, TypeOption, require_type

if TYPE_CHECKING:
    from pachyderm_cli.engine.engine import Pachyderm


def export(
    ctx: typer.Context,
    file: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Write into this file; -: standard output.")
    ] = "-",
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there, if it is no store.")] = False,
    type_name: TypeOption = None,
    entity: Annotated[
        str | None, typer.Option(metavar="REF", help="Only this entity.", autocompletion=complete_references)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write the network as JSON Lines that lose nothing, for import into another store.

    The lines are of one moment, and writers need not wait. A file gets its name once it is whole.

    Example: pachyderm export -o monday.jsonl
    """
    from pachyderm_cli.cli import render_moving, serialize_moving  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.ending import ended_by_signals  # noqa: PLC0415 - as above
    from pachyderm_cli.cli.kept_stores import require_no_store  # noqa: PLC0415 - as above
    from pachyderm_cli.cli.line_file import LONGEST_LINE  # noqa: PLC0415 - as above
    from pachyderm_cli.cli.output import emit, note, pass_on, progress_told, results  # noqa: PLC0415 - as above
    from pachyderm_cli.store.new_file import write_new_file  # noqa: PLC0415 - as above

    session: Session = ctx.obj
    if file != "-":
        require_no_store(session.config(), file)
    with ended_by_signals(), session.open() as pachyderm:
        _require_something(pachyderm, type_name)
        with progress_told("exporting", beside=file == "-" and results().isatty()) as progress:
            lines = pachyderm.export(type_name=type_name, reference=entity, progress=progress)
            with closing(lines):
                passing = _Passing(lines, LONGEST_LINE)
                if file == "-":
                    pass_on(passing)
                else:
                    size = write_new_file(Path(file), passing, replace=force)
        if file != "-":
            written = {"store": str(pachyderm.store), "network": pachyderm.network, "file": file, "bytes": size}
            emit({**written, **passing.footer}, as_json, serialize_moving.exported, render_moving.exported)
        if not passing.footer["entities"] and not as_json:
            note(f"the network {pachyderm.network!r} has no entities")
        if passing.is_too_long:
            note("a line of it is longer than import reads; pachyderm copy takes it from store to store")


class _Passing:
    """Lines on their way, the last of them kept. `is_too_long` tells whether one has more than `longest` bytes."""

    def __init__(self, lines: Iterable[str], longest: int) -> None:
        self._lines = lines
        self._longest = longest
        self._last = ""
        self.is_too_long = False

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self._last = line
            if len(line) > self._longest // 4:  # in UTF-8 it may be too long
                self.is_too_long = self.is_too_long or len(line.encode()) > self._longest
            yield line

    @property
    def footer(self) -> dict[str, Any]:
        """What the last line says: how many of each kind there are."""
        footer: dict[str, Any] = json.loads(self._last)["end"]
        return footer


def _require_something(pachyderm: Pachyderm, type_name: str | None) -> None:
    if type_name is not None:
        require_type(pachyderm, type_name, any(pachyderm.entities(type_name, limit=1)))


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(export)
