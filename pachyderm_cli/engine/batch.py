"""Many sends in one durable commit: decided in their order, each on what those before it lead to, in or out together.

What one of them cannot share (a lost race again and again, a statement that the database refuses) is found by halving;
what is left alone is sent as any other message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.engine.cache import owned
from pachyderm_cli.engine.deciding import Committed, Delivery, Prepared, Request, Terms
from pachyderm_cli.engine.folding import Fold
from pachyderm_cli.engine.sending import RECONNECTIONS, Sender, pause
from pachyderm_cli.errors import PachydermError, StoreError
from pachyderm_cli.store.append import append_all
from pachyderm_cli.store.events import find_messages
from pachyderm_cli.store.failures import ConnectionLost, concerns_a_statement
from pachyderm_cli.store.records import RecordedMessage

Outcome = Committed | PachydermError

_ATTEMPTS = 4
"""How often a batch is decided anew against other writers before it is halved."""


class Batch:
    """Messages to be sent in order."""

    def __init__(self, sender: Sender, requests: Sequence[Request], terms: Terms, *, keep_going: bool) -> None:
        """Send `requests` by `sender`; without `keep_going`, none after the first that fails."""
        self._sender = sender
        self._keep_going = keep_going
        self.deliveries = [_delivery(sender, request, terms) for request in requests]
        """The messages, or why one cannot be sent, in the order of the requests."""
        self.has_queued = False
        """Whether there is something in the outbox now that is this process's to carry out. The caller unsets it."""
        self._waiting = [*self.deliveries]
        self._most = len(requests)  # how many are tried together
        self._conflicts = 0
        self._lost = 0
        self._in_doubt: list[_Attempt] = []  # those of which it is not known whether they were committed
        self._repeated = _Repeated(sender)

    def send(self) -> Iterator[Outcome]:
        """Yield what became of each message, in order, once that is durable: committed, or why not.

        Without `keep_going` the first that failed is the last. Raises StoreError where the connection to the
        database stayed lost: what was yielded before is committed, and the message ids tell of the rest.
        """
        while self._waiting:
            done = self._recorded() or (self._send_together() if self._most > 1 else [self._send_alone()])
            if not done:
                continue
            self.has_queued |= _has_queued(done)
            del self._waiting[: len(done)]
            self._in_doubt.clear()
            self._most = min(2 * self._most, len(self._waiting))  # after trouble, back to many
            yield from done
            if not self._keep_going and isinstance(done[-1], PachydermError):
                return

    def _recorded(self) -> list[Outcome]:
        """Return what became of the attempt whose commit was not answered, but is in the log; [] if there is none.

        All of it counts as it was decided: anew, a message that led to nothing would see what came after it.
        """
        if not self._in_doubt:
            return []
        sender = self._sender
        ids = {each.append.message_id for attempt in self._in_doubt for each in attempt.prepared}
        known = find_messages(sender.store, sender.network, [*ids])
        for attempt in self._in_doubt:
            if attempt.is_recorded_as(known):
                attempt.keep()
                return attempt.outcomes
        return []

    def _send_alone(self) -> Outcome:
        delivery = self._waiting[0]
        if isinstance(delivery, PachydermError):
            return delivery
        try:
            return self._sender.deliver(delivery)
        except ConnectionLost:
            raise
        except PachydermError as error:
            return error

    def _send_together(self) -> list[Outcome]:
        """Commit the first of those that wait, as many as can be; return what became of them, [] if nothing did."""
        sender = self._sender
        attempt = _Attempt(sender, self._waiting[: self._most], self._repeated, keep_going=self._keep_going)
        try:
            attempt.decide()
            conflicts = append_all(sender.store, sender.network, [each.append for each in attempt.prepared])
        except ConnectionLost:
            sender.cache.clear()
            self._lost += 1
            if self._lost > RECONNECTIONS:
                raise
            for delivery, prepared in zip(attempt.deliveries, attempt.prepared, strict=True):
                delivery.leave_in_doubt(prepared)
            if attempt.prepared:
                self._in_doubt.append(attempt)
            pause(self._lost)
            return []
        except StoreError as error:
            # Whose fault it is shows when each is alone; where all are concerned, the first one will tell.
            self._most = max(1, len(attempt.outcomes) // 2) if concerns_a_statement(error.__cause__) else 1
            return []
        if not conflicts:
            attempt.keep()
            return attempt.outcomes
        for index in conflicts:
            delivery = attempt.deliveries[index]
            sender.cache.drop(delivery.entity_type, delivery.entity.id)
        self._conflicts += 1
        if self._conflicts % _ATTEMPTS == 0:
            self._most = max(1, self._most // 2)
        pause(self._conflicts)
        return []


class _Attempt:
    """One pass over some messages: what each leads to if all that is to be appended is."""

    def __init__(
        self, sender: Sender, waiting: Sequence[Delivery | PachydermError], repeated: _Repeated, *, keep_going: bool
    ) -> None:
        self._sender = sender
        self._waiting = waiting
        self._repeated = repeated
        self._keep_going = keep_going
        # By the ids' `int`, as a UUID's own hash takes longer, and a file has many lines.
        self._folds: dict[int, tuple[Delivery, Fold]] = {}  # by entity, with who led to it
        self._overdue: set[int] = set()  # entities with a timer that comes before their next message
        self.outcomes: list[Outcome] = []
        self.deliveries: list[Delivery] = []
        self.prepared: list[Prepared] = []
        """What is to be appended, and for which of the `deliveries`."""

    def decide(self) -> None:
        """Decide as many messages as can be without seeing a commit of those before."""
        asked = [each.id for each in self._waiting if isinstance(each, Delivery) and each.id_may_be_known]
        known = find_messages(self._sender.store, self._sender.network, asked) if asked else {}
        ids: set[int] = set()
        for delivery in self._waiting:
            if isinstance(delivery, PachydermError):
                outcome: Outcome = delivery
            else:
                found = self._folds.get(delivery.entity.id.int)
                is_other_type_s = found is not None and found[0].entity_type is not delivery.entity_type
                if is_other_type_s or delivery.id.int in ids or delivery.entity.id.int in self._overdue:
                    return  # what became of the one before is to be read from the log
                ids.add(delivery.id.int)
                outcome = self._decided(delivery, known.get(delivery.id) if known else None, found)
            self.outcomes.append(outcome)
            if isinstance(outcome, PachydermError) and not self._keep_going:
                return

    def keep(self) -> None:
        """Note that all of it is committed."""
        for delivery, fold in self._folds.values():
            self._sender.cache.put(delivery.entity_type, delivery.entity.id, fold)

    def is_recorded_as(self, known: Mapping[UUID, RecordedMessage]) -> bool:
        """Tell whether it is this very attempt that led to the messages `known`, by id."""
        return all(
            (found := known.get(append.message_id)) is not None
            and found.entity.id == append.entity.id
            and append.is_recorded_as(found)
            for append, _ in self.prepared
        )

    def _decided(
        self, delivery: Delivery, known: RecordedMessage | None, found: tuple[Delivery, Fold] | None
    ) -> Outcome:
        try:
            if known is not None:
                return self._repeated.outcome(delivery, known)
            if found is None:
                prepared = self._sender.decided(delivery)
            else:
                prepared = delivery.prepare(owned(delivery.entity_type, found[1]))
        except ConnectionLost:
            raise
        except PachydermError as error:
            return error
        if prepared.append.events:
            self.deliveries.append(delivery)
            self.prepared.append(prepared)
            self._folds[delivery.entity.id.int] = (delivery, prepared.committed.fold)
            queued = prepared.append.outbox
            if queued and any(effect.is_overdue_at(prepared.append.recorded_at) for effect in queued):
                self._overdue.add(delivery.entity.id.int)
        return prepared.committed


class _Repeated:
    """Messages that are in the log already: a file that is sent again has many, in the order of their versions."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._folds: dict[UUID, tuple[EntityType, Fold]] = {}  # at the last of an entity's that was asked for

    def outcome(self, delivery: Delivery, known: RecordedMessage) -> Committed:
        """Return the message's first outcome once more. Raises MessageIdConflict and what folding raises."""
        entity_type, entity = delivery.entity_type, delivery.entity
        found = self._folds.get(entity.id)
        before = None
        if found is not None and found[0] is entity_type and found[1].version <= known.last_version:
            before = owned(entity_type, found[1])
        committed = self._sender.recorded(delivery, known, before)
        self._folds[entity.id] = (entity_type, owned(entity_type, committed.fold))
        return committed


def _has_queued(outcomes: Sequence[Outcome]) -> bool:
    """Tell whether one of them has put something into the outbox."""
    committed = (each for each in outcomes if not isinstance(each, PachydermError) and each.effects)
    return any(planned.queued is not None for each in committed for planned in each.effects)


def _delivery(sender: Sender, request: Request, terms: Terms) -> Delivery | PachydermError:
    try:
        return sender.delivery(request, terms)
    except PachydermError as error:
        return error
