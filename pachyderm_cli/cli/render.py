"""Results as lines for people. Data is shown as stored, JSON on one line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pachyderm_cli.cli import render_effects
from pachyderm_cli.cli.output import Line
from pachyderm_cli.cli.pieces import entity, labelled, versioned
from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.domain.naming import command_spelling
from pachyderm_cli.domain.timestamps import to_text
from pachyderm_cli.engine.results import Inspection, Sent, StateAt
from pachyderm_cli.store.records import Head, RecordedEvent, StoredSnapshot

if TYPE_CHECKING:
    from pachyderm_cli.domain.description import EffectDelivery


def state(result: StateAt) -> Iterator[Line]:
    """Show a state at a version."""
    yield (*entity(result.entity), (f" at version {result.version}", ""))
    yield labelled("state", (result.state_json, "green"))


def sent(result: Sent) -> Iterator[Line]:
    """Show what a send led to."""
    again = " (this message was handled before; nothing was done again)" if result.duplicate else ""
    nothing = " (no events)" if not result.events else ""
    yield (*entity(result.entity), (f" at version {result.version}{again}{nothing}", ""))
    for event in result.events:
        yield (*versioned(event.version), (event.type, "bold"), (f" {event.data}", ""))
    yield labelled("state", (result.state_json, "green"))
    for each in result.effects:
        yield from render_effects.effect(each)


def event(recorded: RecordedEvent) -> Iterator[Line]:
    """Show an event of the log on one line."""
    yield (
        *versioned(recorded.version),
        (f"{to_text(recorded.recorded_at)}  ", "dim"),
        (f"{recorded.message} -> ", "dim"),
        (recorded.type, "bold"),
        (f" {recorded.data}", ""),
    )


def inspection(result: Inspection) -> Iterator[Line]:
    """Show all that is known of an entity."""
    yield from state(result)
    yield labelled("network", (result.network, ""))
    yield labelled("events", (str(result.version), ""))
    yield labelled("created", (to_text(result.created_at), ""))
    yield labelled("updated", (to_text(result.updated_at), ""))
    snapshots = ", ".join(f"version {each.version}" for each in result.snapshots) or "none"
    yield labelled("snapshots", (snapshots, ""))
    if result.origin is not None:
        origin = result.origin
        yield labelled("forked", *entity(origin.entity), (f" at version {origin.version}", ""))
    for each in result.effects:
        yield from render_effects.open_effect(each)
    for each in result.timers:
        yield from render_effects.own_timer(each)


def snapshot(taken: StoredSnapshot) -> Iterator[Line]:
    """Show a snapshot on one line."""
    yield (
        *entity(taken.entity),
        (f"  version {taken.version}  {to_text(taken.taken_at)}  ", ""),
        (taken.fingerprint, "dim"),
    )


def head(found: Head) -> Iterator[Line]:
    """Show an entity of a listing on one line."""
    yield (*entity(found.entity), (f"  version {found.version}  ", ""), (to_text(found.updated_at), "dim"))


def type_summary(summary: dict[str, Any]) -> Iterator[Line]:
    """Show an entity type on one line: its messages, or why it cannot be loaded."""
    if summary["error"]:
        yield ((summary["type"], "bold cyan"), ("  cannot be loaded: ", "bold red"), (summary["error"], ""))
        return
    messages = ", ".join(command_spelling(name) for name in summary["messages"])
    yield ((summary["type"], "bold cyan"), (f"  {messages}", ""))
    if summary["doc"]:
        yield ((f"  {summary['doc']}", "dim"),)


def protocol(entity_type: EntityType) -> Iterator[Line]:
    """Show an entity type: where it is, how its messages are written, its events, effects and state."""
    from pachyderm_cli.domain.description import describe, usages  # noqa: PLC0415 - only `describe` needs them

    described = describe(entity_type)
    yield ((entity_type.name, "bold cyan"), (f"  {_from_here(entity_type.file)}", "dim"))
    if entity_type.doc:
        yield ((f"  {entity_type.doc.partition(chr(10))[0]}", ""),)
    yield (("messages", "bold"),)
    for usage in usages(entity_type):
        yield ((f"  {' '.join((usage.message, *usage.fields))}", "green"), (f"  {usage.doc}".rstrip(), "dim"))
    for label, classes in (
        ("events", described.events),
        ("effects", described.effects),
        ("queries", described.queries),
    ):
        if classes:
            yield ((label, "bold"),)
            for name, schema in classes.items():
                properties = ", ".join((schema or {}).get("properties", {}))
                delivery = _delivery(described.deliveries[name]) if label == "effects" else ""
                yield ((f"  {name}", ""), (f"  {properties}".rstrip(), "dim"), (delivery, ""))
    yield (("state", "bold"),)
    yield ((f"  {getattr(entity_type.state_type, '__name__', entity_type.state_type)}", ""),)


def _delivery(described: EffectDelivery) -> str:
    tries = f", up to {described.max_attempts} attempts" if described.max_attempts > 1 else ""
    seconds = "" if described.timeout is None else f", {described.timeout:g} seconds each"
    return f"  ({described.delivery.replace('_', ' ')}{tries}{seconds})"


def _from_here(file: str) -> str:
    """Return the path as seen from the current folder, where the file is below it."""
    path, here = Path(file), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else file
