"""One entity's events, held against the log's rules while they are read in order."""

from __future__ import annotations

from pachyderm_cli.store.findings import Finding, Place
from pachyderm_cli.store.records import ERASED
from pachyderm_cli.store.row_checks import columns_of
from pachyderm_cli.store.schema import events
from pachyderm_cli.store.sound_histories import Copied, First, StoredHead, faults_of_head, faults_of_next
from pachyderm_cli.store.sound_rows import Fault, faults_of
from pachyderm_cli.store.verifying import StoredEvent

_NOT_FOLDED = {"version", "erased", "json"}  # after such a finding


class History:
    """What an entity's events have been so far; they come by version."""

    def __init__(self, network: str) -> None:
        self._network = network
        self._last: StoredEvent | None = None
        self._first: First | None = None
        self.untold = 0  # findings that are counted alone
        self.can_be_folded = True  # as long as nothing was wrong that `update` would stumble over

    def checked(self, event: StoredEvent) -> list[Finding]:
        """Return what is wrong with the next event, beside those before it."""
        try:
            found = self._faults(event)
        except (TypeError, ValueError) as error:  # a damaged file may hold anything in any column
            self.can_be_folded = False
            return [Finding("file", f"an event cannot be read: {error}", self._network)]
        if event.type == ERASED or any(each.check in _NOT_FOLDED for each in found):
            self.can_be_folded = False
        return list(self._place(event).findings(found)) if found else []

    def _faults(self, event: StoredEvent) -> list[Fault]:
        before, self._last = self._last, event
        if before is None:
            self._first = First(event.version, event.recorded_at, event.message_id, event.caused_by)
        own, _ = columns_of(events, event)
        return [*faults_of(events, own), *faults_of_next(before, event)]

    def at_the_end(self) -> list[Finding]:
        """Return what is wrong between the events and the entity's head."""
        last = self._last
        if last is None or self._first is None:
            return []
        head = None if last.head_version is None else StoredHead._make(last[_HEAD : _HEAD + len(StoredHead._fields)])
        copied = None if last.copied is None else Copied(last.copied, str(last.copied_at))
        try:
            return list(self._place(last).findings(faults_of_head(head, self._first, last, copied)))
        except (TypeError, ValueError) as error:  # as above
            return [Finding("file", f"a head cannot be read: {error}", self._network)]

    def _place(self, event: StoredEvent) -> Place:
        # An erased entity is named as its head has it.
        kind = event.head_type or event.entity_type
        return Place(self._network, (kind, event.entity_id), event.version)


_HEAD = StoredEvent._fields.index("head_type")
