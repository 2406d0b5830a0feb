"""`pachyderm snapshot`: take, list or drop snapshots."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from pachyderm_cli.cli.session import ExistingReference, JsonOption, Session, TypeOption, find, require_type
from pachyderm_cli.errors import EntityFailed, UsageError

if TYPE_CHECKING:
    from pachyderm_cli.domain.reference import Reference
    from pachyderm_cli.engine.engine import Pachyderm
    from pachyderm_cli.store.records import StoredSnapshot


def snapshot(
    ctx: typer.Context,
    reference: ExistingReference = None,
    every_entity: Annotated[bool, typer.Option("--all", help="Of every entity of the network.")] = False,
    type_name: TypeOption = None,
    listing: Annotated[bool, typer.Option("--list", help="Only show the snapshots there are.")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Drop them; they are a cache, only speed is lost.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Take, list or drop snapshots.

    A snapshot makes loading an entity fast; dropping it loses speed alone.

    Example: pachyderm snapshot --all
    """
    from pachyderm_cli.cli import render, serialize  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import emit_each, progress  # noqa: PLC0415 - as above

    _require_sense(reference, type_name, every_entity=every_entity, listing=listing, drop=drop)
    session: Session = ctx.obj
    with session.open() as pachyderm:
        if every_entity:
            entities = [head.entity for head in pachyderm.entities(type_name)]
            require_type(pachyderm, type_name, bool(entities))
        else:
            entities = [find(pachyderm, reference).entity]
        if drop:
            whole = every_entity and type_name is None
            dropped = pachyderm.drop_snapshots(every_entity=True) if whole else 0
            dropped += 0 if whole else sum(pachyderm.drop_snapshots(entity) for entity in entities)
            emit_each([dropped], as_json, lambda count: {"dropped": count}, lambda count: [((f"dropped {count}", ""),)])
            return
        snapshots: Iterator[StoredSnapshot]
        if listing:
            snapshots = (each for entity in entities for each in pachyderm.snapshots(entity))
        else:
            snapshots = _taken(pachyderm, progress(entities, "snapshots", len(entities), printing=True))
        emit_each(snapshots, as_json, serialize.snapshot, render.snapshot)


def _taken(pachyderm: Pachyderm, entities: Iterable[Reference]) -> Iterator[StoredSnapshot]:
    """Yield a snapshot of each entity; at the end raise EntityFailed if there are some that cannot be folded."""
    failed: list[EntityFailed] = []
    count = 0
    for each in entities:
        count += 1
        try:
            yield pachyderm.snapshot(each)
        except EntityFailed as error:  # that entity fails, and the others go on
            failed.append(error)
    if len(failed) == 1 and count == 1:
        raise failed[0]
    if failed:
        which = "one of them" if len(failed) == 1 else f"{len(failed)} of them, the first"
        raise EntityFailed(f"{count} entities, and no snapshot of {which}: {failed[0].message}", **failed[0].details)


def _require_sense(
    reference: str | None, type_name: str | None, *, every_entity: bool, listing: bool, drop: bool
) -> None:
    if every_entity and reference is not None:
        raise UsageError("give a reference or --all, not both")
    if type_name is not None and not every_entity:
        raise UsageError("--type goes with --all")
    if listing and drop:
        raise UsageError("give --list or --drop, not both")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(snapshot)
