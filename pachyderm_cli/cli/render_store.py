"""The store as a whole as lines for people."""

from __future__ import annotations

from collections.abc import Iterator

from pachyderm_cli.cli.output import Line
from pachyderm_cli.cli.pieces import labelled
from pachyderm_cli.domain.timestamps import to_text
from pachyderm_cli.engine.verifying import Verified
from pachyderm_cli.store.backup import BackedUp
from pachyderm_cli.store.findings import Finding
from pachyderm_cli.store.status import NetworkStatus, StoreStatus
from pachyderm_cli.store.version import SCHEMA_VERSION


def backed_up(result: BackedUp) -> Iterator[Line]:
    """Show a copy that was made."""
    yield (
        (result.file, "bold"),
        (f": {counted(result.events, 'event')} of {counted(result.entities, 'entity', 'entities')}", ""),
        (f", schema {result.schema}", "dim"),
    )


def status(result: StoreStatus) -> Iterator[Line]:
    """Show what a store is like."""
    yield ((result.store, "bold"),)
    if result.schema is None:
        yield labelled("schema", ("none: nothing was sent yet", ""))
    elif result.schema == SCHEMA_VERSION:
        yield labelled("schema", (result.schema, ""))
    else:
        yield labelled("schema", (f"{result.schema}, to be brought to {SCHEMA_VERSION} by pachyderm store migrate", ""))
    yield labelled("size", (counted(result.bytes, "byte"), ""))
    yield labelled("position", (str(result.last_position), ""))
    for network in result.networks:
        yield labelled("network", (network.network, "cyan"), (f": {', '.join(_contents(network))}", ""))
    for each in result.imports:
        told = f": {counted(each.lines, 'line')} since {to_text(each.started_at)}, not at its end"
        yield labelled("import", (each.network, "cyan"), (told, ""))
    for name, value in result.settings.items():
        yield labelled("setting", (f"{name}={value}", "dim"))


def _contents(network: NetworkStatus) -> Iterator[str]:
    erased = f" ({network.erased} erased)" if network.erased else ""
    yield counted(network.entities, "entity", "entities") + erased
    yield counted(network.events, "event")
    for count, what in ((network.snapshots, "snapshot"), (network.lookups, "lookup"), (network.cursors, "cursor")):
        if count:
            yield counted(count, what)
    for name, count in network.effects.items():
        yield f"{counted(count, 'effect')} {name}"


def finding(result: Finding) -> Iterator[Line]:
    """Show something that should not be so."""
    named = "" if result.entity is None else f"{result.entity[0]}:{result.entity[1]}"
    where = [each for each in (result.network, named) if each]
    at = "" if result.version is None else f" version {result.version}"
    told = f": {result.problem}" if where else result.problem
    yield (("✗ ", "bold red"), (f"{result.check}  ", "bold"), (" ".join(where), "cyan"), (f"{at}{told}", ""))


def verified(result: Verified) -> Iterator[Line]:
    """Show how much was verified, and how much was found."""
    read = (counted(result.entities, "entity", "entities"), counted(result.events, "event"))
    told = f"{', '.join(read)} verified, {counted(result.folded, 'entity', 'entities')} folded: "
    yield ((told, ""), (counted(result.findings, "finding"), "red" if result.findings else "green"))


def counted(count: int, one: str, many: str | None = None) -> str:
    """Return a number of things."""
    return f"{count} {one if count == 1 else many or one + 's'}"
