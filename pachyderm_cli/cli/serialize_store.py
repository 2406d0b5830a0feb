"""The store as a whole as JSON-ready dictionaries. The keys are stable, as those of `serialize`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pachyderm_cli.domain.timestamps import to_text
from pachyderm_cli.engine.verifying import Verified
from pachyderm_cli.store.backup import BackedUp
from pachyderm_cli.store.findings import Finding
from pachyderm_cli.store.status import StoreStatus


def backed_up(result: BackedUp) -> dict[str, Any]:
    """Return which copy was made."""
    return asdict(result)


def status(result: StoreStatus) -> dict[str, Any]:
    """Return what a store is like."""
    return {
        "store": result.store,
        "schema": result.schema,
        "bytes": result.bytes,
        "last_position": result.last_position,
        "networks": [asdict(each) for each in result.networks],
        "imports": [{**asdict(each), "started_at": to_text(each.started_at)} for each in result.imports],
        "settings": result.settings,
    }


def finding(result: Finding) -> dict[str, Any]:
    """Return something that should not be so."""
    return {
        "check": result.check,
        "network": result.network,
        "entity": None if result.entity is None else {"type": result.entity[0], "id": result.entity[1]},
        "version": result.version,
        "problem": result.problem,
    }


def verified(result: Verified) -> dict[str, Any]:
    """Return how much was verified, and how much was found."""
    return {**asdict(result), "skipped": result.skipped}
