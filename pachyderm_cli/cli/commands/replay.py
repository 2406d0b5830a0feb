"""`pachyderm replay`: the state folded from the events alone, up to any version or time."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from pachyderm_cli.cli.session import (
    EntitiesOption,
    ExistingReference,
    JsonOption,
    Session,
    TypeOption,
    find,
    require_type,
)
from pachyderm_cli.errors import CheckFailed, UsageError

if TYPE_CHECKING:
    from pachyderm_cli.engine.engine import Pachyderm


ToVersionOption = Annotated[
    int | None,
    typer.Option("--to-version", min=0, metavar="N", help="Stop at this version; 0 is the initial state."),
]
AtOption = Annotated[
    str | None,
    typer.Option("--at", metavar="TIME", help="Stop at this time, as 2026-01-31 or 2026-01-31T10:00:00Z."),
]
StepsOption = Annotated[bool, typer.Option("--steps", help="Show every event, and what it changed.")]
FromVersionOption = Annotated[
    int | None, typer.Option("--from-version", min=1, metavar="N", help="With --steps: begin with this version.")
]
AllOption = Annotated[
    bool, typer.Option("--all", help="Replay every entity, and report those that come out otherwise.")
]
JobsOption = Annotated[
    int | None,
    typer.Option("--jobs", "-j", min=1, metavar="N", help="With --all: on so many processes. Default: all cores."),
]


def replay(
    ctx: typer.Context,
    reference: ExistingReference = None,
    to_version: ToVersionOption = None,
    at: AtOption = None,
    steps: StepsOption = False,
    from_version: FromVersionOption = None,
    every_entity: AllOption = False,
    type_name: TypeOption = None,
    entities: EntitiesOption = None,
    jobs: JobsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the state at any version or time.

    It is folded from the events alone, without snapshots.

    With --all every entity of the network is folded, and held against its snapshots, or with --entities against what
    the code in that folder gives, version by version. What differs or fails is reported, with exit status 9.

    Example: pachyderm replay counter:@visits --to-version 3
    """
    from pachyderm_cli.cli import render, render_time, serialize  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import emit, emit_each  # noqa: PLC0415 - as above

    if to_version is not None and at is not None:
        raise UsageError("give --to-version or --at, not both")
    if from_version is not None and not steps:
        raise UsageError("--from-version goes with --steps")
    session: Session = ctx.obj
    if every_entity:
        if reference is not None or steps or to_version is not None or at is not None:
            raise UsageError("--all replays every entity, whole: give no reference, version, time or --steps beside it")
        with session.open() as pachyderm:
            _replay_all(pachyderm, type_name, entities, jobs, as_json=as_json)
        return
    if type_name is not None or jobs is not None:
        raise UsageError("--type and --jobs go with --all")
    moment = None if at is None else read_time(at)
    with session.open(entities=entities) as pachyderm:
        entity = find(pachyderm, reference).entity
        if steps:
            found = pachyderm.steps(entity, to_version=to_version, at=moment, from_version=from_version or 1)
            emit_each(found, as_json, serialize.step, render_time.step)
        else:
            emit(pachyderm.replay(entity, to_version=to_version, at=moment), as_json, serialize.state, render.state)


def _replay_all(
    pachyderm: Pachyderm, type_name: str | None, entities: str | None, jobs: int | None, *, as_json: bool
) -> None:
    """Replay every entity, print those that come out otherwise, and raise CheckFailed if there are any."""
    from pachyderm_cli.cli import render_time, serialize_time  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import emit_each, note, progress, results  # noqa: PLC0415 - as above

    total = sum(1 for _ in pachyderm.entities(type_name))
    require_type(pachyderm, type_name, bool(total))
    every = progress(pachyderm.replay_all(type_name, entities=entities, jobs=jobs), "replaying", total)
    diverged = (each for each in every if each.problem is not None)
    # On a terminal they would run into the progress bar, so they come after it.
    shown = list(diverged) if results().isatty() else diverged
    count = emit_each(shown, as_json, serialize_time.replayed, render_time.replayed)
    if count:
        verb = "comes" if count == 1 else "come"
        raise CheckFailed(f"{count} of {_entities(total)} {verb} out otherwise than before", diverged=count)
    if as_json:
        return
    if total:
        note(f"{_entities(total)} replayed, and none comes out otherwise than before")
    else:
        of_type = "" if type_name is None else f" of the type {type_name!r}"
        note(f"no entities{of_type} in the network {pachyderm.network!r}")


def _entities(count: int) -> str:
    return f"{count} entit{'y' if count == 1 else 'ies'}"


def read_time(text: str) -> datetime:
    """Return the moment that `text` names in ISO 8601; without an offset it is local time. Raises UsageError."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise UsageError(
            f"{text!r} is not a time; write it as 2026-01-31, 2026-01-31T10:00 (local) or 2026-01-31T10:00:00Z"
        ) from None


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(replay)
