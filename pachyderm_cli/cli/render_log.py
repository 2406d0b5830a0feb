"""The log as a whole, and its cursors, as lines for people."""

from __future__ import annotations

from collections.abc import Iterator

from pachyderm_cli.cli.output import Line
from pachyderm_cli.cli.pieces import entity, versioned
from pachyderm_cli.domain.timestamps import to_text
from pachyderm_cli.engine.networks import ListedNetwork
from pachyderm_cli.store.cursors import StoredCursor
from pachyderm_cli.store.erasing import Erasure
from pachyderm_cli.store.records import RecordedEvent


def event(recorded: RecordedEvent) -> Iterator[Line]:
    """Show an event with its place in the log, and whose it is, on one line."""
    yield (
        (f"{recorded.position:>8}  ", "dim"),
        *entity(recorded.entity),
        *versioned(recorded.version),
        (f"{to_text(recorded.recorded_at)}  ", "dim"),
        (f"{recorded.message} -> ", "dim"),
        (recorded.type, "bold"),
        (f" {recorded.data}", ""),
    )


def cursor(found: StoredCursor) -> Iterator[Line]:
    """Show a cursor on one line."""
    behind = "at the end" if found.behind == 0 else f"{found.behind} behind"
    held = "  followed" if found.is_held else ""
    yield ((found.name, "bold"), (f"  position {found.position}  {behind}{held}", ""))


def network(found: ListedNetwork) -> Iterator[Line]:
    """Show a network on one line, the current one with a star."""
    entities = f"{found.entities} {'entity' if found.entities == 1 else 'entities'}"
    events = f"{found.events} event{'' if found.events == 1 else 's'}"
    counted = f"{entities}  {events}" if found.problem is None else "cannot be read"
    yield (
        ("* " if found.is_current else "  ", "bold green"),
        (found.name, "bold"),
        (f"  {counted}  ", ""),
        (found.store, "dim"),
    )


def erased(result: Erasure) -> Iterator[Line]:
    """Show what was erased, and which copies there are of it."""
    queued = f"{result.effects} in the outbox" if result.effects else "nothing in the outbox"
    counted = f"{result.events} event{'' if result.events == 1 else 's'}, {queued}"
    yield (*entity(result.entity), (f" was erased, at version {result.last_version}: {counted}", ""))
    for copy in result.copies:
        yield (("  a copy of its history, by fork, is  ", ""), *entity(copy))
