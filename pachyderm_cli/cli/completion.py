"""What the shell offers while a command is typed: the project's entity types, their messages and questions."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from pachyderm_cli.domain.entity import EntityType


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
    from pachyderm_cli.domain.outline import messages_in  # noqa: PLC0415 - on demand

    return _spelt(ctx, incomplete, messages_in, lambda entity_type: entity_type.messages)


def complete_questions(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the questions, as they are spelt on the command line, that the reference's type answers."""
    from pachyderm_cli.domain.outline import questions_in  # noqa: PLC0415 - on demand

    return _spelt(ctx, incomplete, questions_in, lambda entity_type: entity_type.questions)


def _spelt(
    ctx: typer.Context,
    incomplete: str,
    told: Callable[[bytes], list[str] | None],
    known: Callable[[EntityType], Iterable[str]],
) -> list[str]:
    """Return what the reference's type takes: as the module's text tells (`told`), or else as its import does."""
    from pachyderm_cli.domain.naming import command_spelling  # noqa: PLC0415 - on demand
    from pachyderm_cli.project import entity_file  # noqa: PLC0415 - as above

    type_name = str(ctx.params.get("reference") or "").partition(":")[0]
    try:
        folder = _entities(ctx)
        if folder is None or type_name not in _type_names(ctx):
            return []
        names: Iterable[str] | None = told(entity_file(folder, type_name).read_bytes())
        if names is None:
            from pachyderm_cli.engine.loader import FolderEntityTypes  # noqa: PLC0415 - loads pydantic: seldom needed

            names = known(FolderEntityTypes(folder).get(type_name))
        spelt = [command_spelling(name) for name in names]
    except Exception:  # noqa: BLE001 - completion has nowhere to tell, and must not break the prompt
        return []
    return [name for name in spelt if name.startswith(incomplete)]


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
