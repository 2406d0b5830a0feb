"""What the shell offers while a command is typed: entity types and message names of the project."""

from __future__ import annotations

from typing import Any

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


def complete_messages(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the messages, as they are spelt on the command line, that the reference's type takes."""
    type_name = str(ctx.params.get("reference") or "").partition(":")[0]
    from pachyderm_cli.domain.naming import command_spelling  # noqa: PLC0415 - as below

    try:
        names = [command_spelling(name) for name in _entity_types(ctx).get(type_name).messages]
    except Exception:  # noqa: BLE001 - completion has nowhere to tell, and must not break the prompt
        return []
    return [name for name in names if name.startswith(incomplete)]


def _type_names(ctx: typer.Context) -> list[str]:
    try:
        return list(_entity_types(ctx).names())
    except Exception:  # noqa: BLE001 - as above
        return []


def _entity_types(ctx: typer.Context) -> Any:
    from pachyderm_cli.config import load_config  # noqa: PLC0415 - only a completion that needs it loads it
    from pachyderm_cli.engine.loader import FolderEntityTypes, NoEntityTypes  # noqa: PLC0415

    given = ctx.find_root().params
    entities = load_config(given.get("project"), store=given.get("store")).entities
    return NoEntityTypes() if entities is None else FolderEntityTypes(entities)
