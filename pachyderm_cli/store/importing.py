"""Imports: the lines of an export into a store that has nothing of it yet, all of them or in parts.

While rows go in nobody else writes events: on Postgres by a lock on their table, which senders wait for and readers do
not. So positions can be given in the file's order, and every follower sees them come in that order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import bindparam, func, insert, select, text

from pachyderm_cli.domain.timestamps import now, to_text
from pachyderm_cli.errors import StoreError, UsageError
from pachyderm_cli.store.colliding import find_collision
from pachyderm_cli.store.exchange import CURSOR, ENTITY, EVENT, KINDS, Row
from pachyderm_cli.store.exported import Exported, Line
from pachyderm_cli.store.failures import is_constraint
from pachyderm_cli.store.imports import Unfinished, forget_parts, note_part, unfinished
from pachyderm_cli.store.schema import events
from pachyderm_cli.store.statement import Statement, Transaction
from pachyderm_cli.store.store import Store
from pachyderm_cli.store.wholeness import require_whole

ResultT = TypeVar("ResultT")

_BATCH = 1000  # lines that are inserted at a time
_BATCH_SIZE = 2**20  # or so many bytes
_PART = 5000  # lines that share a commit, of an import in parts
_PART_SIZE = 2**22

_INSERT = {
    kind.name: Statement(
        insert(kind.table).values({column.name: bindparam(column.name) for column in kind.table.columns})
    )
    for kind in KINDS
}
_LAST = Statement(select(func.coalesce(func.max(events.c.position), 0)))
_LAST_DRAWN = Statement(text("SELECT last_value FROM pachyderm_events_position_seq"))
_SET_LAST = Statement(
    text(
        "SELECT setval('pachyderm_events_position_seq', "
        "greatest(CAST(:last AS BIGINT), (SELECT last_value FROM pachyderm_events_position_seq)))"
    )
)


@dataclass(frozen=True, slots=True)
class Imported:
    """What was imported: into which store and network, from which, and how many rows of each kind."""

    store: str
    network: str
    from_network: str
    entities: int
    events: int
    cursors: int
    forks: int
    effects: int
    positions_kept: bool
    """Whether every event that this call imported has the position that it had."""
    went_on_after: int
    """How many lines an earlier call had imported."""


def import_whole(store: Store, exported: Exported, network: str) -> Imported:
    """Import all in one transaction; on an error nothing is written.

    Raises Collision for what the store has already, CheckFailed for an export that is damaged, UsageError where
    another import is unfinished, StoreError.
    """
    loading = _Loading(network)

    def work(transaction: Transaction) -> None:
        lock(transaction)
        found = unfinished(transaction, network)
        if found is not None:
            raise UsageError(
                f"an import into the network {network!r} is unfinished ({found.lines} lines of it are in the store); "
                "run it again with --resumable, or give it up with --abandon",
                network=network,
            )
        loading.begin(transaction)
        for batch in _batches(exported, _BATCH, _BATCH_SIZE):
            loading.insert(transaction, batch)
        loading.end(transaction)
        require_whole(transaction, network)

    _write(store, loading, work, "nothing was written")
    return _imported(store, exported, loading, 0)


def import_in_parts(store: Store, exported: Exported, network: str) -> Imported:
    """Import in parts, each in a transaction of its own that notes how far it came; go on with one that was begun.

    Raises as `import_whole` does, but what was written stays, and the same call again goes on behind it. UsageError
    also for other lines than those that the import was begun with.
    """
    parts = _Parts(store, exported, network)
    parts.skip_what_is_in()
    went_on_after = parts.done
    for part in _batches(exported, _PART, _PART_SIZE):
        parts.write(part)
    parts.finish()
    return _imported(store, exported, parts.loading, went_on_after)


class _Parts:
    """An import in parts."""

    def __init__(self, store: Store, exported: Exported, network: str) -> None:
        self._store = store
        self._exported = exported
        self._network = network
        self._noted = store.read(lambda transaction: unfinished(transaction, network))
        self._started_at = to_text(now()) if self._noted is None else self._noted.started_at
        self.loading = _Loading(network)

    @property
    def done(self) -> int:
        """How many lines are in the store."""
        return 0 if self._noted is None else self._noted.lines

    def skip_what_is_in(self) -> None:
        """Read the lines that are in the store. Raises UsageError where they are other lines."""
        if self._noted is None:
            return
        for line in self._exported:
            if line.number == self.done:
                break
        if self._exported.checksum != self._noted.checksum:
            raise UsageError(
                f"another import into the network {self._network!r} was begun at {self._started_at} and is unfinished: "
                f"its first {self.done} lines are in the store, and they are not those of this one; finish it first, "
                "or give it up with --abandon",
                network=self._network,
            )
        self.loading.position, self.loading.new_position = self._noted.position, self._noted.new_position

    def write(self, part: list[Line]) -> None:
        """Write some lines, and note it."""
        lines, checksum = part[-1].number, self._exported.checksum

        def work(transaction: Transaction) -> Unfinished:
            lock(transaction)
            self.loading.begin(transaction)
            for at in range(0, len(part), _BATCH):
                self.loading.insert(transaction, part[at : at + _BATCH])
            self.loading.end(transaction)
            come = Unfinished(lines, checksum, self.loading.position, self.loading.new_position, self._started_at)
            if unfinished(transaction, self._network) != self._noted:
                raise UsageError(
                    f"somebody else imports into the network {self._network!r} just now", network=self._network
                )
            note_part(transaction, self._network, self._noted, come)
            return come

        self._noted = _write(self._store, self.loading, work, f"the {self.done} lines before it stay")

    def finish(self) -> None:
        """See to it that all is well, and forget the parts."""

        def work(transaction: Transaction) -> None:
            require_whole(transaction, self._network)
            forget_parts(transaction, self._network)

        self._store.write(work)


class _Loading:
    """Rows that go into the store, and the positions that they get.

    Where there is no event yet, each keeps its position; otherwise they get those that come next, in their order.
    """

    def __init__(self, network: str) -> None:
        self.network = network
        self.position = 0  # of the last event, in the file
        self.new_position = 0  # which it has here
        self.batch: list[Line] = []  # what was inserted last
        self.all_kept = True  # whether each event that was inserted has the position that it had
        self._drawn = 0  # the last position that was given to anything
        self._is_kept = True

    def begin(self, transaction: Transaction) -> None:
        """Look at the positions in the store, in a transaction that holds the lock."""
        ((last,),) = transaction.rows(_LAST, {})
        self._is_kept = self.position == self.new_position and last <= self.position
        if not self._is_kept and not transaction.is_sqlite:
            ((drawn,),) = transaction.rows(_LAST_DRAWN, {})
            last = max(last, drawn)
        self._drawn = last

    def insert(self, transaction: Transaction, batch: list[Line]) -> None:
        """Insert the rows of some lines."""
        self.batch = batch
        rows: dict[str, list[Row]] = {kind.name: [] for kind in KINDS}
        for line in batch:
            rows[line.kind.name].append({"network": self.network, **line.row, **self._placed(line)})
        for name, each in rows.items():
            transaction.run_many(_INSERT[name], each)

    def end(self, transaction: Transaction) -> None:
        """Let the next event that anybody writes come behind these."""
        if self.new_position and not transaction.is_sqlite:
            transaction.rows(_SET_LAST, {"last": self.new_position})

    def _placed(self, line: Line) -> dict[str, int]:
        """Return the position that the line's row has here."""
        if line.kind is EVENT:
            self.position = line.row["position"]
            self._drawn = self.position if self._is_kept else self._drawn + 1
            self.new_position = self._drawn
            self.all_kept &= self._drawn == self.position
            return {"position": self.new_position}
        if line.kind in (ENTITY, CURSOR) and not self._is_kept:
            return {"position": self.new_position}
        return {}


def _batches(lines: Iterable[Line], most: int, size: int) -> Iterator[list[Line]]:
    """Yield the lines in lists, each of so many lines or bytes at most (one line may be larger), when it is full."""
    batch: list[Line] = []
    left = size
    for line in lines:
        batch.append(line)
        left -= line.size
        if len(batch) == most or left <= 0:
            yield batch
            batch, left = [], size
    if batch:
        yield batch


def lock(transaction: Transaction) -> None:
    """Keep everybody else from writing events until the transaction's end; on SQLite it does so itself."""
    if not transaction.is_sqlite:
        transaction.run("LOCK TABLE pachyderm_events IN SHARE ROW EXCLUSIVE MODE")


def _write(store: Store, loading: _Loading, work: Callable[[Transaction], ResultT], left: str) -> ResultT:
    try:
        return store.write(work)
    except StoreError as error:
        if not is_constraint(error.__cause__):
            raise
        raise find_collision(store, loading.network, loading.batch, left) from error


def _imported(store: Store, exported: Exported, loading: _Loading, went_on_after: int) -> Imported:
    return Imported(
        store=str(store),
        network=loading.network,
        from_network=exported.network,
        positions_kept=loading.all_kept,
        went_on_after=went_on_after,
        **exported.counts,
    )
