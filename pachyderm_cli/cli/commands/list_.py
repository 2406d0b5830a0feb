"""`pachyderm list`: the entities of the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pachyderm_cli.cli.session import JsonOption, Session, TypeOption
from pachyderm_cli.errors import UsageError

if TYPE_CHECKING:
    from pachyderm_cli.engine.engine import Pachyderm


def list_(
    ctx: typer.Context,
    type_name: TypeOption = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", "-n", min=0, metavar="N", help="At most so many entities."),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where", metavar="CONDITION", help="Only those whose state fulfils it: 'balance<0' (may be repeated)."
        ),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option("--sort", metavar="FIELD", help="In the order of a field of the state; -FIELD: greatest first."),
    ] = None,
    show: Annotated[
        str | None, typer.Option("--show", metavar="FIELDS", help="Show these fields of the state: owner,balance.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the entities, last written first.

    With --where, --sort or --show those of a type that keeps its states for lookup (lookup = True in its module).

    Example: pachyderm list --type account --where 'balance<0' --sort -balance --show owner,balance
    """
    from pachyderm_cli.cli import render, serialize  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import emit_each, note  # noqa: PLC0415 - as above

    session: Session = ctx.obj
    by_state = bool(where) or sort is not None or show is not None
    with session.open() as pachyderm:
        if by_state:
            count = _by_state(pachyderm, type_name, where or [], sort, show, limit, as_json=as_json)
        else:
            count = emit_each(pachyderm.entities(type_name, limit=limit), as_json, serialize.head, render.head)
        if count == 0 and not as_json:
            of_type = "" if type_name is None else f" of the type {type_name!r}"
            fitting = " that fit" if by_state else ""
            note(f"no entities{of_type}{fitting} in the network {pachyderm.network!r}")


def _by_state(
    pachyderm: Pachyderm,
    type_name: str | None,
    where: list[str],
    sort: str | None,
    show: str | None,
    limit: int | None,
    *,
    as_json: bool,
) -> int:
    """Print the entities found by their state; return how many there were."""
    from pachyderm_cli.cli import render_time, serialize_time  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import emit, note  # noqa: PLC0415 - as above

    if type_name is None:
        raise UsageError("--where, --sort and --show go with --type: the states of one type have the same fields")
    paths = [] if show is None else [path.strip() for path in show.split(",")]
    found = pachyderm.lookup(type_name, where=where, sort=sort, limit=limit)
    if found.stale:
        note(
            f"{found.stale} entities of the type {type_name} are left out: what is kept of their state is stale; "
            f"run: pachyderm snapshot --all --type {type_name}"
        )
    for each in found.found:
        shown = each.fields(paths)
        emit(
            each,
            as_json,
            lambda it, shown=shown: serialize_time.found(it, shown),  # type: ignore[misc]  # a lambda cannot be annotated
            lambda it, shown=shown: render_time.found(it, shown),  # type: ignore[misc]  # as above
        )
    return len(found.found)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("list")(list_)
