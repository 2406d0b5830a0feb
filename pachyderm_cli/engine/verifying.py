"""Verifying a store: every row held against every rule that can be told from what is stored. It reads only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, groupby
from operator import attrgetter

from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.engine.histories import History
from pachyderm_cli.engine.loader import EntityTypes
from pachyderm_cli.engine.replay_testing import Diverged, Row, against_kept
from pachyderm_cli.errors import EntityFailed, PachydermError, StoreError
from pachyderm_cli.store.events import PAGE
from pachyderm_cli.store.existing import existing, nothing_there
from pachyderm_cli.store.findings import Finding, Place
from pachyderm_cli.store.records import ERASED
from pachyderm_cli.store.shape import findings_of_indexes, findings_of_stamps, findings_of_tables, stamps_of
from pachyderm_cli.store.sound_values import is_network, shown
from pachyderm_cli.store.statement import Transaction
from pachyderm_cli.store.store import Store
from pachyderm_cli.store.texts import json_problem
from pachyderm_cli.store.verifying import (
    TABLES,
    StoredEvent,
    Table,
    count_of_events,
    file_findings,
    findings_of,
    import_findings,
    networks_in,
    stored_events,
    up_to_damage,
)
from pachyderm_cli.store.version import SCHEMA_VERSION

MOST_OF_AN_ENTITY = 100
"""So many findings of one entity's events are told, at most; the rest are counted."""


@dataclass(slots=True)
class Verified:
    """How much was verified, and how much was found.

    `folded` entities were folded with the code here, and `compared` of their snapshots and kept states, those that this
    very code made, held against that. `not_loaded` has why a type's entities could not be folded, by type.
    """

    networks: int = 0
    entities: int = 0
    events: int = 0
    snapshots: int = 0
    lookups: int = 0
    effects: int = 0
    forks: int = 0
    cursors: int = 0
    folded: int = 0
    compared: int = 0
    findings: int = 0
    not_loaded: dict[str, str] = field(default_factory=dict)

    @property
    def skipped(self) -> int:
        """How many snapshots and kept states other code made, so that nothing tells what they should be."""
        return self.snapshots + self.lookups - self.compared


class Verification:
    """Yields findings, once, and counts in `summary` what it has read."""

    def __init__(
        self,
        store: Store,
        types: EntityTypes,
        network: str | None,
        type_name: str | None,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        """Verify a network, or all of them (None); only entities of a type, or all (None)."""
        self.summary = Verified()
        self._store = store
        self._types = types
        self._network = network
        self._type_name = type_name
        self._progress = progress
        self._total = 0
        self._loaded: dict[str, EntityType | None] = {}

    def __iter__(self) -> Iterator[Finding]:
        with existing(self._store) as found:
            if found.schema is None:
                raise nothing_there(self._store)
            stamps = stamps_of(found.transaction)
            if SCHEMA_VERSION not in stamps:
                raise StoreError(
                    f"the store {self._store} was made by an older pachyderm (schema {found.schema}, this one reads "
                    f"{SCHEMA_VERSION}); run: pachyderm store migrate",
                    store=str(self._store),
                )
            for finding in chain(findings_of_stamps(stamps), up_to_damage(None, self._all(found.transaction))):
                self.summary.findings += 1
                yield finding

    def _all(self, transaction: Transaction) -> Iterator[Finding]:
        transaction.read_any_text()
        yield from up_to_damage(None, file_findings(transaction))
        missing = list(up_to_damage(None, findings_of_tables(transaction)))
        yield from missing
        if missing:  # what is not there cannot be read
            return
        yield from up_to_damage(None, findings_of_indexes(transaction))
        networks = networks_in(transaction) if self._network is None else [self._network]
        for network in [each for each in networks if not each.isprintable()]:  # nor may it be text to ask for it by
            yield Finding("network", f"{shown(network)} is no name of a network", network)
            networks.remove(network)
        if self._progress is not None:
            self._total = sum(count_of_events(transaction, network) for network in networks)
        for network in networks:
            self.summary.networks += 1
            unfinished = list(up_to_damage(network, import_findings(transaction, network)))
            yield from unfinished
            for finding in self._of_network(transaction, network):
                # What is still to come is not missing: an import brings heads after their events.
                if not (unfinished and finding.check == "head"):
                    yield finding

    def _of_network(self, transaction: Transaction, network: str) -> Iterator[Finding]:
        if not is_network(network):
            yield Finding("network", f"{shown(network)} is no name of a network", network)
        yield from up_to_damage(network, self._log(transaction, network))
        for table in TABLES:
            for finding in up_to_damage(network, findings_of(transaction, table, network, self._type_name)):
                if finding is not None:
                    yield finding
                else:
                    self._count_row(table)

    def _count_row(self, table: Table) -> None:
        if table.counted:
            setattr(self.summary, table.name, getattr(self.summary, table.name) + 1)

    def _log(self, transaction: Transaction, network: str) -> Iterator[Finding]:
        for _, events in groupby(stored_events(transaction, network, self._type_name), attrgetter("entity_id")):
            yield from self._entity(network, events)

    def _entity(self, network: str, events: Iterator[StoredEvent]) -> Iterator[Finding]:
        """Yield what is wrong with an entity's events, and with what was kept of their fold."""
        first = next(events)
        place = Place(network, (first.head_type or first.entity_type, first.entity_id))
        history = History(network)
        kept: dict[int, dict[str, str]] = {}
        found: list[Finding] = []
        entity_type = self._entity_type(first.head_type)
        pages = self._pages(history, chain((first,), events), entity_type, kept, found)
        if entity_type is not None:
            self.summary.folded += 1
            yield from _against_kept(place, entity_type, pages, kept)
        for _ in pages:  # the rest, where the fold came to no end
            pass
        yield from found
        if history.untold:
            yield place.finding("more", f"{history.untold} more findings in the events of this entity")
        yield from history.at_the_end()

    def _pages(
        self,
        history: History,
        events: Iterator[StoredEvent],
        entity_type: EntityType | None,
        kept: dict[int, dict[str, str]],
        found: list[Finding],
    ) -> Iterator[list[Row]]:
        """Yield the events to be folded, in pages; beside that, what is wrong with each goes into `found`."""
        page: list[Row] = []
        for event in events:
            self._count_event()
            for finding in history.checked(event):
                if len(found) < MOST_OF_AN_ENTITY:
                    found.append(finding)
                else:
                    history.untold += 1
            if entity_type is None or not history.can_be_folded:
                continue
            page.append((event.version, event.type, event.data, event.type_version))
            states = _states_by(entity_type, event)
            if states:
                kept[event.version] = states
                self.summary.compared += len(states)
            if len(page) >= PAGE:
                yield page
                page = []
        if page:
            yield page

    def _count_event(self) -> None:
        self.summary.events += 1
        if self._progress is not None and self.summary.events % PAGE == 0:
            self._progress(self.summary.events, self._total)

    def _entity_type(self, name: str | None) -> EntityType | None:
        """Return the entity type, None where there is no code for it here."""
        if name is None or name == ERASED:
            return None
        if name not in self._loaded:
            try:
                self._loaded[name] = self._types.get(name)
            except PachydermError as error:
                self._loaded[name] = None
                self.summary.not_loaded[name] = error.message
        return self._loaded[name]


def _states_by(entity_type: EntityType, event: StoredEvent) -> dict[str, str]:
    """Return the states after an event that this very code made and kept, by what they are."""
    states = {
        "snapshot": (event.snapshot_fingerprint, event.snapshot),
        "lookup": (event.lookup_fingerprint, event.lookup),
    }
    return {
        kind: state
        for kind, (fingerprint, state) in states.items()
        if state is not None and fingerprint == entity_type.fingerprint and json_problem(state) is None
    }


def _against_kept(
    place: Place, entity_type: EntityType, pages: Iterator[list[Row]], kept: dict[int, dict[str, str]]
) -> Iterator[Finding]:
    try:
        for each in against_kept(entity_type, pages, kept):
            yield place._replace(version=each.version).finding(each.kind or "fold", each.problem)
    except Diverged as failed:
        yield place._replace(version=failed.version).finding("fold", failed.problem)
    except EntityFailed as failed:
        yield place.finding("fold", failed.message)
