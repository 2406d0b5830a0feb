"""`pachyderm list`: the entities of the network."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from pachyderm_cli.cli.session import JsonOption, Session, TypeOption
from pachyderm_cli.domain.naming import suggestion
from pachyderm_cli.errors import UsageError

if TYPE_CHECKING:
    from pachyderm_cli.domain.entity import EntityType
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

    With --where, --sort or --show those of one type, by id or in the order of a field. The type has to keep its
    states for lookup: lookup = True in its module.

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
    from pachyderm_cli.domain.conditions import read_condition, read_path  # noqa: PLC0415 - as above

    if type_name is None:
        raise UsageError("--where, --sort and --show go with --type: the states of one type have the same fields")
    paths = [] if show is None else [path.strip() for path in show.split(",")]
    named = [read_condition(text).path for text in where] + [read_path(path) for path in paths]
    if sort is not None:
        named.append(read_path(sort.removeprefix("-")))
    _require_fields(pachyderm.entity_type(type_name), named)
    found = pachyderm.lookup(type_name, where=where, sort=sort, limit=limit)
    if found.stale:
        left_out = "1 entity" if found.stale == 1 else f"{found.stale} entities"
        note(
            f"{left_out} of the type {type_name!r} left out, because what is kept of the state is stale; "
            f"run: pachyderm snapshot --all --type {type_name}"
        )
    for each in found.found:
        shown = each.fields(paths)
        emit(each, as_json, partial(serialize_time.found, shown=shown), partial(render_time.found, shown=shown))
    return len(found.found)


def _require_fields(entity_type: EntityType, paths: list[tuple[str, ...]]) -> None:
    """Refuse a field that no state of the type has, where that can be told. Raises UsageError."""
    state = entity_type.state_type
    fields = getattr(state, "model_fields", None)
    if not isinstance(fields, dict) or state.model_config.get("extra") == "allow":
        return
    known = {*fields, *(info.alias for info in fields.values() if info.alias), *state.model_computed_fields}
    for name, *_ in paths:
        if name not in known:
            raise UsageError(f"a state of the type {entity_type.name!r} has no {name!r}; {suggestion(name, known)}")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("list")(list_)
