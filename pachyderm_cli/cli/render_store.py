"""The store as a whole as lines for people."""

from __future__ import annotations

from collections.abc import Iterator

from pachyderm_cli.cli.output import Line
from pachyderm_cli.store.backup import BackedUp


def backed_up(result: BackedUp) -> Iterator[Line]:
    """Show a copy that was made."""
    yield (
        (result.file, "bold"),
        (f": {counted(result.events, 'event')} of {counted(result.entities, 'entity', 'entities')}", ""),
        (f", schema {result.schema}", "dim"),
    )


def counted(count: int, one: str, many: str | None = None) -> str:
    """Return a number of things."""
    return f"{count} {one if count == 1 else many or one + 's'}"
