"""Results as lines for people. Data is shown as stored, JSON on one line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pachyderm_cli.cli import render_effects
from pachyderm_cli.cli.output import Line
from pachyderm_cli.cli.pieces import entity, from_here, labelled, versioned
from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.domain.naming import command_spelling
from pachyderm_cli.domain.timestamps import to_text
from pachyderm_cli.engine.results import Inspection, Sent, StateAt
from pachyderm_cli.store.records import Head, RecordedEvent, StoredSnapshot

if TYPE_CHECKING:
    from pachyderm_cli.domain.description import EffectDelivery, EventPast, Usage


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


def protocol(entity_type: EntityType, *, lookup: bool) -> Iterator[Line]:
    """Show an entity type: where it is, how its messages and questions are written, its events, effects and state."""
    from pachyderm_cli.domain.description import (  # noqa: PLC0415 - only `describe` needs them
        describe,
        question_usages,
        usages,
    )

    described = describe(entity_type, lookup=lookup)
    yield ((entity_type.name, "bold cyan"), (f"  {from_here(entity_type.file)}", "dim"))
    if entity_type.doc:
        yield ((f"  {entity_type.doc.partition(chr(10))[0]}", ""),)
    yield from _written("messages", usages(entity_type))
    yield from _classes("events", described.events, {name: _past(each) for name, each in described.past.items()})
    deliveries = {name: _delivery(each) for name, each in described.deliveries.items()}
    yield from _classes("effects", described.effects, deliveries)
    if described.queries:
        yield from _written("questions", question_usages(entity_type))
    yield (("state", "bold"),)
    kept = "  (kept to look entities up by)" if described.lookup else ""
    yield ((f"  {getattr(entity_type.state_type, '__name__', entity_type.state_type)}", ""), (kept, "dim"))


def _written(label: str, usages: list[Usage]) -> Iterator[Line]:
    yield ((label, "bold"),)
    for usage in usages:
        yield ((f"  {' '.join((usage.message, *usage.fields))}", "green"), (f"  {usage.doc}".rstrip(), "dim"))


def _classes(label: str, schemas: dict[str, Any], notes: dict[str, str]) -> Iterator[Line]:
    if schemas:
        yield ((label, "bold"),)
    for name, schema in schemas.items():
        properties = ", ".join((schema or {}).get("properties", {}))
        yield ((f"  {name}", ""), (f"  {properties}".rstrip(), "dim"), (notes[name], ""))


def _past(described: EventPast) -> str:
    """Return the version that is written, and the former names; nothing of a class that never changed."""
    told = [f"version {described.version}"] if described.version > 1 else []
    if described.aliases:
        told.append(f"formerly {', '.join(described.aliases)}")
    return f"  ({', '.join(told)})" if told else ""


def _delivery(described: EffectDelivery) -> str:
    tries = f", up to {described.max_attempts} attempts" if described.max_attempts > 1 else ""
    seconds = "" if described.timeout is None else f", {described.timeout:g} seconds each"
    return f"  ({described.delivery.replace('_', ' ')}{tries}{seconds})"
