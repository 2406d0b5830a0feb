"""One entity's events, held against the log's rules while they are read in order."""

from __future__ import annotations

from collections.abc import Iterator

from pachyderm_cli.store.findings import Finding, Place
from pachyderm_cli.store.schema import ERASED
from pachyderm_cli.store.verifying import StoredEvent


class History:
    """What an entity's events have been so far; they come by version."""

    def __init__(self, network: str) -> None:
        self._network = network
        self._last: StoredEvent | None = None
        self.untold = 0  # findings that are counted alone
        self.can_be_folded = True  # as long as nothing was wrong that `update` would stumble over

    def checked(self, event: StoredEvent) -> list[Finding]:
        """Return what is wrong with the next event, beside those before it."""
        try:
            return list(self._findings(event))
        except (TypeError, ValueError) as error:  # a damaged file may hold anything in any column
            self.can_be_folded = False
            return [Finding("file", f"an event cannot be read: {error}", self._network)]

    def _findings(self, event: StoredEvent) -> Iterator[Finding]:
        before, self._last = self._last, event
        place = self._place(event)
        if event.type == ERASED or (before is not None and before.type == ERASED):
            self.can_be_folded = False
            if before is not None:
                yield place.finding("erased", "the entity was erased, and that is not the only row of its history")
        else:
            yield from self._in_order(place, before, event)
        if before is not None and event.position <= before.position:
            yield place.finding("position", f"its position {event.position} does not come after {before.position}")
        for finding in place.json(f"the data of the event {event.type}", event.data):
            self.can_be_folded = False
            yield finding
        yield from place.times(recorded_at=event.recorded_at)

    def _in_order(self, place: Place, before: StoredEvent | None, event: StoredEvent) -> Iterator[Finding]:
        expected = 1 if before is None else before.version + 1
        if event.version != expected:
            self.can_be_folded = False
            yield place.finding("version", f"version {expected} is missing: the next one is {event.version}")
            return  # what is missing may be of the same message
        of_the_same = before is not None and before.message_id == event.message_id
        ordinal = before.ordinal + 1 if before is not None and of_the_same else 0
        if event.ordinal != ordinal:
            told = f"it is number {event.ordinal} of the message {event.message_id}, where number {ordinal} is due"
            yield place.finding("ordinal", told)

    def at_the_end(self) -> Iterator[Finding]:
        """Yield what is wrong between the last event and the entity's head."""
        last = self._last
        if last is None:
            return
        place = self._place(last)
        if last.head_version is None:
            yield place.finding("head", f"there are events up to version {last.version}, and no such entity")
            return
        if last.head_version != last.version:
            yield place.finding(
                "head", f"the entity is said to be at version {last.head_version}, and its events end here"
            )
        if (last.head_type == ERASED) != (last.type == ERASED):
            told = "its head says that the entity was erased, and its events are there"
            yield place.finding(
                "erased", told if last.head_type == ERASED else "the events were erased, its head says not so"
            )
        elif last.type != ERASED and last.head_type != last.entity_type:
            told = f"the entity is said to be a {last.head_type}, and {last.entity_type} handled it last"
            yield place.finding("head", told)

    def _place(self, event: StoredEvent) -> Place:
        # An erased entity is named as its head has it.
        kind = event.head_type or event.entity_type
        return Place(self._network, (kind, event.entity_id), event.version)
