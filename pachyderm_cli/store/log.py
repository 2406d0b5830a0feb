"""The log of a network, read as it grows: nothing is missed, and each entity's events come in their order.

Positions are drawn before they are committed. On SQLite one writer comes after the other. On Postgres commits overtake
one another, so that a position may be seen while one below it is still to come; but whoever draws one holds the table's
lock for writers from before the draw until the commit can be seen. So where a position is missing, the reader notes who
holds that lock, and goes on beyond the gap once none of them holds it any more: what is missing then will never come.
Nothing is asked of the writers for it, nothing is stored beside the events that a dump into another server would make
untrue, and transactions that have not written to the log hold nobody up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple
from uuid import UUID

from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.confirming import confirm
from pachyderm_cli.store.events import recorded
from pachyderm_cli.store.failures import reads, unreadable
from pachyderm_cli.store.records import RecordedEvent
from pachyderm_cli.store.statement import Statement, Statements, Transaction
from pachyderm_cli.store.store import Store

PAGE = 1000
"""Rows of the log that are looked at a time, whatever network they are of."""

_LARGE = 4 * 2**20  # bytes of data that a page has, or little more than the last of its events

_said = Statements("log")
_PARTS = {
    (False, False): "all",
    (True, False): "of_type",
    (False, True): "of_entity",
    (True, True): "of_both",
}  # by whether a type and an entity are given


class Part(NamedTuple):
    """What of a network's log is read: all of it, or an entity type's events, or one entity's."""

    network: str
    type: str | None = None
    entity: UUID | None = None

    @property
    def statement(self) -> Statement:
        """The statement that reads some of it."""
        of_type, of_entity = self.type is not None, self.entity is not None
        return _said.one_of("PARTS", _PARTS[of_type, of_entity])


class _Writers(NamedTuple):
    """Transactions that wrote to the log at a moment, and the last position that was drawn before it."""

    drawn: int
    transactions: frozenset[str]


class LogReader:
    """Reads the log on from a position. For one thread.

    `position` is how far it has come: of what is at or before it, all that there will ever be was returned.
    """

    def __init__(self, store: Store, part: Part, after: int) -> None:
        """Read what comes after the position `after`."""
        self._store = store
        self._part = part
        self._settled = 0  # at or before this position nothing will come any more
        self._writers: _Writers | None = None
        self._connection: Transaction | None = None  # the one that was read on last
        self._server = ""  # and the server's life that it belongs to
        self.position = after

    def read(self) -> list[RecordedEvent] | None:
        """Return what comes next, at most a page; [] where nothing of it is in this part, None where nothing came yet.

        Raises StoreError.
        """
        return self._store.read(self._read)

    def _read(self, transaction: Transaction) -> list[RecordedEvent] | None:
        if not self._store.is_sqlite:
            self._recognize(transaction)
        found = transaction.rows(_said.POSITIONS, {"after": self.position, "page": PAGE})
        if not found:
            return None
        positions = fitting_positions(self.position, found)
        end = positions[-1] if self._store.is_sqlite else self._complete_up_to(transaction, positions)
        if end == self.position:
            return None
        part = self._part
        parameters = {
            "network": part.network,
            "entity_type": part.type,
            "entity_id": None if part.entity is None else str(part.entity),
            "after": self.position,
            "up_to": end,
            "page": end - self.position,  # as many as can be: what filled a gap since the first look is one more
        }
        wanted = {name: value for name, value in parameters.items() if value is not None}
        rows = transaction.rows(part.statement, wanted)
        confirm(transaction)
        self.position = end
        return [recorded(entity_id, tuple(row)) for entity_id, *row in rows]

    def _recognize(self, transaction: Transaction) -> None:
        """Forget what was known of gaps where another server answers, or this one after a crash.

        It may draw a position again that was drawn before, and lost.
        """
        if transaction is self._connection:
            return
        ((in_recovery, server),) = transaction.rows(_said.SERVER, {})
        if in_recovery:
            raise StoreError(
                "this Postgres is a standby, which does not tell who is writing on its primary, so that events could "
                "be missed; follow the primary"
            )
        if server != self._server:
            self._settled, self._writers = 0, None
        self._connection, self._server = transaction, server

    def _complete_up_to(self, transaction: Transaction, positions: Sequence[int]) -> int:
        """Return the last position of a page up to which the log is complete, at least the one read before."""
        end = positions[-1]
        if end - self.position == len(positions):
            return end
        if end > self._settled:
            self._look_for_writers(transaction)
        if end <= self._settled:
            return end
        complete = max(self.position, self._settled)
        for position in positions:
            if position == complete + 1:
                complete = position
            elif position > complete:
                break
        return complete

    def _look_for_writers(self, transaction: Transaction) -> None:
        """Find out up to where nothing will come any more."""
        now = _writers(transaction)
        if self._writers is not None and self._writers.transactions.isdisjoint(now.transactions):
            self._settled = self._writers.drawn
            self._writers = None
        if not now.transactions:
            self._settled = now.drawn
            self._writers = None
        elif self._writers is None:
            self._writers = now


@reads("the place and size of an event")
def fitting_positions(after: int, found: Sequence[tuple[int, int]]) -> list[int]:
    """Return, of positions with the sizes of their events, the first that are not too large together: one at least.

    Raises StoreError where they do not go up from `after`: in a damaged file the log's tree may lead back to where it
    was, and who reads on from the last of them would never come to an end.
    """
    sizes = accumulate(size for _, size in found)
    fitting = sum(size < _LARGE for size in sizes)
    positions = [position for position, _ in found[: fitting + 1]]
    if not all(one < other for one, other in pairwise([after, *positions])):
        raise unreadable("its log is out of order")
    return positions


def last_position(store: Store) -> int:
    """Return the highest position in the log, of whatever network; 0 if nothing was ever written."""
    ((last,),) = store.read(lambda transaction: transaction.rows(_said.LAST, {}))
    return int(last)


def settled_end(store: Store, pause: Callable[[], bool]) -> int:
    """Return the highest position in the log, once nothing can come at or before it any more.

    Who wrote to it before is waited for, with a `pause` between two looks, until that tells not to go on.
    """
    if store.is_sqlite:
        return last_position(store)
    drawn, writers = store.read(_writers)
    while writers and pause():
        writers &= store.read(_writers).transactions
    ((last,),) = store.read(lambda transaction: transaction.rows(_said.LAST_WITHIN, {"up_to": drawn}))
    return int(last)


def _writers(transaction: Transaction) -> _Writers:
    ((drawn,),) = transaction.rows(_said.LAST_DRAWN, {})  # first: whoever drew up to it is, or was, a writer
    return _Writers(drawn, frozenset(each for (each,) in transaction.rows(_said.WRITERS, {})))
