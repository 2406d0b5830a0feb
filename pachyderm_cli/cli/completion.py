"""What the shell offers while a command is typed: entity types and message names of the project."""

from __future__ import annotations

import os
from pathlib import Path

import typer


def complete_types(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the project's entity types that begin so."""
    return [name for name in _type_names(ctx) if name.startswith(incomplete)]


def complete_references(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return references that begin so: each type with a colon, then the forms that need no id."""
    type_name, colon, _ = incomplete.partition(":")
    if not colon:
        return [f"{name}:" for name in _type_names(ctx) if name.startswith(incomplete)]
    return [form for form in (f"{type_name}:new", f"{type_name}:@") if form.startswith(incomplete)]


def complete_statuses(incomplete: str) -> list[str]:
    """Return the statuses of effects in the outbox that begin so."""
    return [name for name in ("pending", "parked", "done", "rejected", "discarded") if name.startswith(incomplete)]


def complete_messages(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the messages, as they are spelt on the command line, that the reference's type takes."""
    type_name = str(ctx.params.get("reference") or "").partition(":")[0]
    from pachyderm_cli.domain.naming import command_spelling  # noqa: PLC0415 - as below

    try:
        names = [command_spelling(name) for name in _messages(ctx, type_name)]
    except Exception:  # noqa: BLE001 - completion has nowhere to tell, and must not break the prompt
        return []
    return [name for name in names if name.startswith(incomplete)]


def _messages(ctx: typer.Context, type_name: str) -> list[str]:
    from pachyderm_cli.domain.outline import messages_in  # noqa: PLC0415 - as below
    from pachyderm_cli.project import entity_file  # noqa: PLC0415 - as below

    folder = _entities(ctx)
    if folder is None or type_name not in _type_names(ctx):
        return []
    names = messages_in(entity_file(folder, type_name).read_bytes())
    if names is not None:
        return names
    from pachyderm_cli.engine.loader import FolderEntityTypes  # noqa: PLC0415 - loads pydantic, which mostly it need not

    return list(FolderEntityTypes(folder).get(type_name).messages)


def _type_names(ctx: typer.Context) -> list[str]:
    from pachyderm_cli.project import entity_names  # noqa: PLC0415 - as below

    try:
        folder = _entities(ctx)
        return [] if folder is None else entity_names(folder)
    except Exception:  # noqa: BLE001 - as above
        return []


def _entities(ctx: typer.Context) -> Path | None:
    """Return the folder of the project's entities, None outside of any project."""
    from pachyderm_cli.project import DEFAULT_ENTITIES, FILE_NAME, find_project, read_toml  # noqa: PLC0415 - on demand

    named = ctx.find_root().params.get("project") or os.environ.get("PACHYDERM_PROJECT") or None
    folder = find_project(named, required=False)
    return None if folder is None else folder / read_toml(folder / FILE_NAME).get("entities", DEFAULT_ENTITIES)
