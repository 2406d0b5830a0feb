"""A bounded cache of folded entities, so that a warm send reads nothing before it writes.

What it holds may be behind the log at any time. The append's compare-and-swap finds that out; whatever is answered
without an append (a rejection, nothing to write) is checked against the log first.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from uuid import UUID

from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.engine.folding import Fold
from pachyderm_cli.errors import EntityFailed


class FoldCache:
    """The last folds that sends came to, the least recently used dropped first. Serves several threads.

    A state that could be changed in place is copied on its way in and out, so that neither user code nor a caller
    that changes what it was given can reach the one that is kept.
    """

    def __init__(self, capacity: int) -> None:
        """Keep at most `capacity` entities; 0 keeps none."""
        self._capacity = capacity
        self._folds: OrderedDict[tuple[str, int], Fold] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, entity_type: EntityType, entity_id: UUID) -> Fold | None:
        """Return the entity's fold as last known, or None."""
        key = (entity_type.name, entity_id.int)
        fold = self._folds.get(key)
        if fold is None:
            return None
        try:  # noqa: SIM105 - every send comes here, and `suppress` takes three times as long
            self._folds.move_to_end(key)
        except KeyError:  # dropped by another thread since
            pass
        return fold if entity_type.has_immutable_state else owned(entity_type, fold)

    def version(self, entity_type: EntityType, entity_id: UUID) -> int | None:
        """Return at which version the entity is kept, or None."""
        fold = self._folds.get((entity_type.name, entity_id.int))
        return None if fold is None else fold.version

    def put(self, entity_type: EntityType, entity_id: UUID, fold: Fold) -> None:
        """Keep `fold`, unless a newer one is kept already or its state cannot be copied."""
        if not self._capacity:
            return
        if not entity_type.has_immutable_state:
            try:
                fold = owned(entity_type, fold)
            except EntityFailed:  # the send that led here may be committed: it is slower, not failed
                self.drop(entity_type, entity_id)
                return
        key = (entity_type.name, entity_id.int)
        with self._lock:
            known = self._folds.get(key)
            if known is not None and known.version > fold.version:
                return
            self._folds[key] = fold
            self._folds.move_to_end(key)
            if len(self._folds) > self._capacity:
                self._folds.popitem(last=False)

    def drop(self, entity_type: EntityType, entity_id: UUID) -> None:
        """Forget the entity."""
        with self._lock:
            self._folds.pop((entity_type.name, entity_id.int), None)

    def clear(self) -> None:
        """Forget every entity."""
        with self._lock:
            self._folds.clear()


def owned(entity_type: EntityType, fold: Fold) -> Fold:
    """Return `fold` with a state that nobody else can change. Raises EntityFailed if it cannot be copied."""
    if entity_type.has_immutable_state:
        return fold
    return fold._replace(state=entity_type.own_state(fold.state))
