"""The store as a whole as JSON-ready dictionaries. The keys are stable, as those of `serialize`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pachyderm_cli.store.backup import BackedUp


def backed_up(result: BackedUp) -> dict[str, Any]:
    """Return which copy was made."""
    return asdict(result)
