"""What lines for people are made of, alike in all of them."""

from __future__ import annotations

from pathlib import Path

from pachyderm_cli.cli.output import Line, Piece
from pachyderm_cli.domain.reference import Reference

_LABEL = 10


def entity(reference: Reference) -> tuple[Piece, ...]:
    """Return an entity's reference."""
    return ((f"{reference.type}:", "cyan"), (str(reference.id), "bold cyan"))


def versioned(version: int) -> tuple[Piece, ...]:
    """Return a version in front of what happened then."""
    return ((f"{version:>6}  ", "cyan"),)


def labelled(label: str, *pieces: Piece) -> Line:
    """Return a line with a label in front."""
    return ((f"  {label:<{_LABEL}}", "dim"), *pieces)


def from_here(file: str) -> str:
    """Return the path as seen from the current folder, where the file is below it."""
    path, here = Path(file), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else file
