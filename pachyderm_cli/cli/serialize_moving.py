"""Exports, imports and copies as JSON-ready dictionaries. The keys are stable, as those of `serialize`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pachyderm_cli.store.abandoning import Abandoned
from pachyderm_cli.store.importing import Imported


def exported(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return which file was written, and what is in it."""
    return dict(result)


def imported(result: Imported) -> dict[str, Any]:
    """Return what came into which store."""
    return asdict(result)


def abandoned(result: Abandoned) -> dict[str, Any]:
    """Return what went again of an import that was given up."""
    return result._asdict()


def copied(source: str, result: Imported) -> dict[str, Any]:
    """Return what was copied from which store into which."""
    document = asdict(result)
    return {"from": source, "to": document.pop("store"), **document}
