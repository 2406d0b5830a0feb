"""Appending: compare-and-swap on the head row, then the events; several sends may share one durable commit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, groupby, product
from typing import Any
from uuid import UUID

from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.acknowledgements import Acknowledged
from pachyderm_cli.store.events import find_message
from pachyderm_cli.store.failures import ConnectionLost, concerns_a_statement, is_constraint, is_lost_race
from pachyderm_cli.store.lookups import write_lookup
from pachyderm_cli.store.outbox import write_outbox
from pachyderm_cli.store.parameters import Parts, parameters_of, rows_of, with_given
from pachyderm_cli.store.records import Append, Outcome
from pachyderm_cli.store.settling import mark_parameters, settle, settle_each, settling
from pachyderm_cli.store.snapshots import write_snapshot
from pachyderm_cli.store.statement import Statement, Statements, Transaction
from pachyderm_cli.store.store import Store

_said = Statements("append")
_ONE = {parts: _said.one_of("ONE", parts.name) for parts in map(Parts._make, product((False, True), repeat=4))}


def append(store: Store, network: str, appends: Sequence[Append]) -> list[Outcome | StoreError]:
    """Write `appends` in one durable commit, each decided by its own compare-and-swap; return what became of each.

    Raises StoreError if the commit failed, and its kind ConnectionLost if it is not known whether it did; nothing
    was written then. Of several, one that the database refuses for a reason of its own does not hurt its neighbours:
    all are written one at a time, and a StoreError in the list is what became of those that were not.
    """
    try:
        return [*_append_together(store, network, appends)]
    except ConnectionLost:
        raise
    except _LeaseLost:
        if len(appends) > 1:
            return [_append_alone(store, network, each) for each in appends]
        return [Outcome.LEASE_LOST]
    except StoreError as error:
        if is_lost_race(error):
            return [Outcome.CONFLICT] * len(appends)
        if len(appends) > 1:
            if not concerns_a_statement(error.__cause__):
                raise
            return [_append_alone(store, network, each) for each in appends]
        # No race on versions can violate a constraint, the head decides those: it is a message id used before.
        if not is_constraint(error.__cause__):
            raise
        if find_message(store, network, appends[0].message_id) is None:
            raise StoreError(
                f"the store {store} refused an append that nothing else explains: its data is inconsistent"
            ) from error
        return [Outcome.MESSAGE_ID_USED]


def _append_alone(store: Store, network: str, each: Append) -> Outcome | StoreError:
    try:
        return append(store, network, [each])[0]
    except StoreError as error:  # of this append only: its neighbours may be written by now
        return error


def append_all(store: Store, network: str, appends: Sequence[Append]) -> list[int]:
    """Write all `appends` in one durable commit, in their order, or none of them.

    An entity's may follow one another, each expecting the version that the one before leads to. Return the indexes
    of those that another writer was before, or that do not follow so: if there are any, nothing was written.

    Raises StoreError; then nothing was written either, or for its kind ConnectionLost it is not known.
    """
    swaps = _swaps(appends)
    late = [index for swap in swaps if swap.is_broken for index in swap.indexes]
    if not appends or late:  # no commit for nothing, and no file where there is none yet
        return late
    # Everybody takes the rows' locks in one order, so that no two batches or groups wait for each other.
    swaps.sort(key=lambda swap: _lock_order(swap.expected, swap.entity_id))
    parameters = [parameters_of(network, each) for each in appends]
    rows = [*chain.from_iterable(map(rows_of, appends, parameters))]
    queued = [pair for pair in zip(appends, parameters, strict=True) if pair[0].outbox or pair[0].cancels]
    with_states = [each for each in appends if each.snapshot is not None or each.lookup is not None]

    def write(transaction: Transaction) -> None:
        late.extend(index for swap in _too_late(transaction, swaps, parameters) for index in swap.indexes)
        if late:
            raise _Undone
        transaction.run_many(_said.INSERT_EVENT, rows)
        write_outbox(transaction, queued)
        for each in with_states:
            _write_states(transaction, network, each)

    try:
        store.write(write)
    except _Undone:
        return sorted(late)
    except StoreError as error:
        if not is_lost_race(error):
            raise
        return list(range(len(appends)))
    return []


class _Undone(Exception):
    """Not all could be written: the transaction is rolled back."""


class _LeaseLost(Exception):
    """What an append settles is no longer this process's to settle: the transaction is rolled back."""


class _Swap:
    """An entity's head moved once for all that is appended to it."""

    __slots__ = ("ahead", "entity_id", "expected", "indexes", "is_broken", "to_version")

    def __init__(self, first: Append) -> None:
        self.entity_id = first.entity.id
        self.expected = self.to_version = first.expected_version
        self.ahead = 0  # events that go into the log before those of the last append
        self.indexes: list[int] = []
        self.is_broken = False  # an append expects another version than the one before it leads to

    def parameters(self, each: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Return those of its statement, given those of `each` append: the last one's, from where the first begins."""
        own = {"expected": self.expected, "created_at": each[self.indexes[0]]["created_at"], "ahead": self.ahead}
        return {**each[self.indexes[-1]], **own}


def _swaps(appends: Sequence[Append]) -> list[_Swap]:
    """Return one for each entity."""
    found: dict[int, _Swap] = {}
    ahead = 0
    for index, each in enumerate(appends):
        swap = found.get(each.entity.id.int)
        if swap is None:
            swap = found[each.entity.id.int] = _Swap(each)
        elif swap.to_version != each.expected_version:
            swap.is_broken = True
        swap.to_version = each.version
        swap.ahead = ahead
        swap.indexes.append(index)
        ahead += len(each.events)
    return [*found.values()]


def _too_late(transaction: Transaction, swaps: Sequence[_Swap], parameters: Sequence[dict[str, Any]]) -> list[_Swap]:
    """Move the heads, and return the swaps that did not find theirs at the version that they expect."""
    late: list[_Swap] = []
    for is_new, run in groupby(swaps, lambda swap: not swap.expected):
        of_one_kind = list(run)
        counts = transaction.counts_of_many(
            _said.CREATE if is_new else _said.ADVANCE, [swap.parameters(parameters) for swap in of_one_kind]
        )
        late.extend(swap for swap, count in zip(of_one_kind, counts, strict=True) if count != 1)
    return late


def _lock_order(expected: int, entity_id: UUID) -> tuple[bool, int]:
    return expected > 0, entity_id.int


def _append_together(store: Store, network: str, appends: Sequence[Append]) -> list[Outcome]:
    """Append, and mark done what other sends' effects have left, whatever becomes of the appends."""
    if not store.acknowledgements.are_waiting:
        return _append_with(store, network, appends, ())
    with store.acknowledgements.taken() as marks:
        return _append_with(store, network, appends, marks)


def _append_with(store: Store, network: str, appends: Sequence[Append], marks: Sequence[Acknowledged]) -> list[Outcome]:
    """Append, in as few round trips as the database allows, and mark done what `marks` say."""
    if len(appends) == 1 and not store.is_sqlite and _is_one_statement(appends[0]) and len(marks) <= 1:
        # One statement, which commits by itself, in one round trip.
        return [store.run(lambda transaction: _swapped_alone(transaction, network, appends[0], marks))]

    if store.is_sqlite:
        return store.write(lambda transaction: _written(transaction, network, appends, marks))
    order = sorted(range(len(appends)), key=lambda at: _lock_order(appends[at].expected_version, appends[at].entity.id))
    in_order = [appends[at] for at in order]
    if all(_is_one_statement(each) for each in appends):
        work = [(_swap_with_events(each), with_given(network, each)) for each in in_order]
        counts = store.run(lambda transaction: transaction.commit([*work, *settling(marks)]))
        outcomes = [_outcome(count, each) for count, each in zip(counts[: len(work)], in_order, strict=True)]
    else:
        outcomes = store.write(lambda transaction: _written(transaction, network, in_order, marks))
    return [outcome for _, outcome in sorted(zip(order, outcomes, strict=True), key=lambda pair: pair[0])]


def _written(
    transaction: Transaction, network: str, appends: Sequence[Append], marks: Sequence[Acknowledged]
) -> list[Outcome]:
    """Write inside the caller's transaction; a snapshot and what is settled wait for the outcome of the swap.

    Raises _LeaseLost. Heads are locked before rows of the outbox by everybody.
    """
    write = _swapped_on_sqlite if transaction.is_sqlite else _swapped_on_postgres
    outcomes = write(transaction, network, appends)
    for outcome, each in zip(outcomes, appends, strict=True):
        if outcome is not Outcome.APPENDED:
            continue
        if each.settles is not None and not settle(transaction, network, each.settles):
            raise _LeaseLost
        _write_states(transaction, network, each)
    if marks:
        settle_each(transaction, marks)
    return outcomes


def _write_states(transaction: Transaction, network: str, each: Append) -> None:
    if each.snapshot is not None:
        write_snapshot(transaction, network, each.entity, each.snapshot, each.recorded_at)
    if each.lookup is not None:
        write_lookup(transaction, network, each.entity, each.lookup)


def _is_one_statement(each: Append) -> bool:
    """Tell whether Postgres can write it all in one statement."""
    return each.snapshot is None and each.settles is None and each.lookup is None


def _swapped_on_sqlite(transaction: Transaction, network: str, appends: Sequence[Append]) -> list[Outcome]:
    """Swap, one statement for each append, then insert the events of those that were in time."""
    outcomes: list[Outcome] = []
    rows: list[dict[str, Any]] = []
    with_outbox: list[tuple[Append, dict[str, Any]]] = []
    for each in appends:
        parameters = parameters_of(network, each)
        parameters["ahead"] = len(rows)
        if transaction.count(_said.ADVANCE if each.expected_version else _said.CREATE, parameters) != 1:
            outcomes.append(Outcome.CONFLICT)
            continue
        outcomes.append(Outcome.APPENDED)
        rows += rows_of(each, parameters)
        if each.outbox or each.cancels:
            with_outbox.append((each, parameters))
    transaction.run_many(_said.INSERT_EVENT, rows)
    if with_outbox:
        write_outbox(transaction, with_outbox)
    return outcomes


def _swapped_on_postgres(transaction: Transaction, network: str, appends: Sequence[Append]) -> list[Outcome]:
    """Swap and insert, one statement for each append; those of a kind that follow one another in one round trip."""
    outcomes: list[Outcome] = []
    for statement, run in groupby(appends, _swap_with_events):
        of_one_kind = list(run)
        counts = transaction.counts_of_many(statement, [with_given(network, each) for each in of_one_kind])
        outcomes.extend(_outcome(count, each) for count, each in zip(counts, of_one_kind, strict=True))
    return outcomes


def _swapped_alone(transaction: Transaction, network: str, each: Append, marks: Sequence[Acknowledged]) -> Outcome:
    parameters = with_given(network, each)
    for mark in marks:
        parameters |= mark_parameters(mark)
    return _outcome(transaction.count(_swap_with_events(each, marks=bool(marks)), parameters), each)


def _outcome(inserted: int, each: Append) -> Outcome:
    return Outcome.APPENDED if inserted == len(each.events) else Outcome.CONFLICT


def _swap_with_events(each: Append, *, marks: bool = False) -> Statement:
    """Return the one statement for Postgres that moves the append's head and, where it moved, writes the rest of it.

    With `marks` it also marks done an effect of another send's, wherever the head is.
    """
    return _ONE[Parts(not each.expected_version, bool(each.outbox), bool(each.cancels), marks)]
