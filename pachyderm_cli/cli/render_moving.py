"""Exports, imports and copies as lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pachyderm_cli.cli.output import Line
from pachyderm_cli.cli.render_store import counted
from pachyderm_cli.store.abandoning import Abandoned
from pachyderm_cli.store.importing import Imported


def exported(result: Mapping[str, Any]) -> Iterator[Line]:
    """Show a file that was written."""
    yield ((result["file"], "bold"), (f": {_contents(result)}", ""), (f", {counted(result['bytes'], 'byte')}", "dim"))


def imported(result: Imported) -> Iterator[Line]:
    """Show what came into which store."""
    positions = "positions as they were" if result.positions_kept else "at new positions"
    contents = _contents(
        {"events": result.events, "entities": result.entities, "effects": result.effects, **_few(result)}
    )
    yield (
        (result.store, "bold"),
        (" network ", ""),
        (result.network, "cyan"),
        (f": {contents}", ""),
        (f", {positions}", "dim"),
    )


def abandoned(result: Abandoned) -> Iterator[Line]:
    """Show what went again of an import that was given up."""
    gone = f"{counted(result.events, 'event')} of {counted(result.entities, 'entity', 'entities')}"
    yield ((f"the import was given up; {gone} that had come in by half are gone again", ""),)


def _few(result: Imported) -> dict[str, int]:
    return {"cursors": result.cursors, "forks": result.forks}


def _contents(counts: Mapping[str, Any]) -> str:
    told = [f"{counted(counts['events'], 'event')} of {counted(counts['entities'], 'entity', 'entities')}"]
    told += [counted(counts[name], name.removesuffix("s")) for name in ("effects", "cursors", "forks") if counts[name]]
    return ", ".join(told)
