"""Exports: a network, or a part of it, as lines, all of one moment, in constant memory.

Events come in the order of their positions, and an entity or a cursor right after the event whose position it names: so
whoever reads the lines can give the events new positions, and knows at each line which one it means.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from heapq import merge
from itertools import takewhile
from operator import itemgetter
from typing import Any

from sqlalchemy import Select, bindparam, func, literal_column, select

from pachyderm_cli.errors import UsageError
from pachyderm_cli.store.exchange import (
    CURSOR,
    EFFECT,
    ENTITY,
    EVENT,
    FORK,
    KINDS,
    Kind,
    Wanted,
    footer_line,
    header_line,
    row_line,
)
from pachyderm_cli.store.existing import existing, nothing_there
from pachyderm_cli.store.imports import unfinished
from pachyderm_cli.store.log import fitting_positions
from pachyderm_cli.store.schema import cursors, entities, events, forks, outbox
from pachyderm_cli.store.statement import Statement, Transaction
from pachyderm_cli.store.store import Store
from pachyderm_cli.store.version import SCHEMA_VERSION

Progress = Callable[[int, int], None]
"""Told how many lines are written, of how many."""

_PAGE = 500  # events that are looked for at a time

_heads = entities.alias("head")
_after = events.c.position > bindparam("after")
# Set apart, with a limit: otherwise SQLite would search by an index for all of the network.
_page = (
    select(events)
    .where(_after, events.c.position <= bindparam("up_to"))
    .order_by(events.c.position)
    .limit(bindparam("page"))
    .subquery("page")
)


def _chosen(found: Select[Any], network: Any, entity_id: Any) -> dict[str, Statement]:
    """Return the statement for all of a network, for the entities of a type, and for one entity."""
    found = found.where(network == bindparam("network"))
    is_of_type: Select[Any] = select(literal_column("1")).where(
        _heads.c.network == network, _heads.c.id == entity_id, _heads.c.type == bindparam("type")
    )
    return {
        "all": Statement(found),
        "type": Statement(found.where(is_of_type.exists())),
        "entity": Statement(found.where(entity_id == bindparam("entity", type_=entities.c.id.type))),
    }


def _rows_of(kind: Kind, entity_id: Any, *order: Any) -> dict[str, Statement]:
    return _chosen(select(*kind.columns).order_by(*order), kind.table.c.network, entity_id)


_EVENTS = _chosen(
    select(*(_page.c[column.name] for column in EVENT.columns)).order_by(_page.c.position),
    _page.c.network,
    _page.c.entity_id,
)
_HEADS = _rows_of(ENTITY, entities.c.id, entities.c.position, entities.c.id)
_FORKS = _rows_of(FORK, forks.c.entity_id, forks.c.entity_id)
_EFFECTS = _rows_of(EFFECT, outbox.c.entity_id, outbox.c.entity_id, outbox.c.version, outbox.c.ordinal, outbox.c.id)
_COUNTS = [
    _chosen(select(func.count()).select_from(table), table.c.network, entity_id)
    for table, entity_id in ((events, events.c.entity_id), (entities, entities.c.id), (outbox, outbox.c.entity_id))
]
_POSITIONS = Statement("log.POSITIONS")
_CURSORS = Statement(select(*CURSOR.columns).where(cursors.c.network == bindparam("network")))


def export_lines(store: Store, wanted: Wanted, progress: Progress | None = None) -> Generator[str, None, None]:
    """Yield the lines of an export, each with its end. What is written meanwhile is not in it, and nobody waits for it.

    Raises StoreError where there is no store, UsageError for a network into which an import is unfinished.
    """
    with existing(store) as source:
        if source.schema is None:
            raise nothing_there(store)
        if source.schema != SCHEMA_VERSION:
            store.database  # noqa: B018 - says what is to be done about an older one
        _require_finished(source.transaction, wanted.network)
        counts = dict.fromkeys((kind.plural for kind in KINDS), 0)
        checksum = hashlib.sha256()
        line = header_line(wanted)
        export = _Export(source.transaction, wanted)
        total = 0 if progress is None else export.count()
        for number, (kind, row) in enumerate(export.rows()):
            checksum.update(line.encode())
            yield line
            counts[kind.plural] += 1
            line = row_line(kind, row)
            if progress is not None and number % _PAGE == 0:
                progress(number, total)
        checksum.update(line.encode())
        yield line
        yield footer_line(counts, checksum.hexdigest())


def _require_finished(transaction: Transaction, network: str) -> None:
    found = unfinished(transaction, network)
    if found is not None:
        raise UsageError(
            f"an import into the network {network!r} is unfinished, so that it has only a part of what it is to have; "
            "run the same import again, or give it up with pachyderm import --abandon",
            network=network,
        )


class _Export:
    """Reads what is wanted, on a connection on which everything is of one moment."""

    def __init__(self, transaction: Transaction, wanted: Wanted) -> None:
        self._transaction = transaction
        self._wanted = wanted
        self._part = "all" if wanted.is_all else "type" if wanted.type is not None else "entity"
        entity = None if wanted.entity is None else str(wanted.entity)
        self._parameters = {"network": wanted.network, "type": wanted.type, "entity": entity}

    def count(self) -> int:
        """Return how many rows there are, but for the few of some kinds."""
        return sum(self._transaction.rows(each[self._part], self._parameters)[0][0] for each in _COUNTS)

    def rows(self) -> Iterator[tuple[Kind, tuple[Any, ...]]]:
        """Yield what is wanted, in the order of the lines."""
        yield from self._log()
        for kind, statements in ((FORK, _FORKS), (EFFECT, _EFFECTS)):
            for row in self._transaction.stream(statements[self._part], self._parameters):
                yield kind, row

    def _log(self) -> Iterator[tuple[Kind, tuple[Any, ...]]]:
        """Yield the events, and among them entities and cursors. A cursor stands at an event, or at 0.

        One that had come further, over other networks' events, has missed nothing when it goes on from there.
        """
        at = ENTITY.columns.index(entities.c.position)
        of_events = ((row[0], EVENT, row) for row in self._events())
        left = self._cursors()
        last = 0
        with closing(self._transaction.stream(_HEADS[self._part], self._parameters)) as heads:
            of_heads = ((row[at], ENTITY, row) for row in heads)
            for position, kind, row in merge(of_events, of_heads, key=itemgetter(0)):
                if kind is EVENT:
                    passed = list(takewhile(lambda each: each["position"] < position, left))  # noqa: B023 - used at once
                    del left[: len(passed)]
                    yield from _standing_at(last, passed)
                    last = position
                yield kind, row
        yield from _standing_at(last, left)

    def _events(self) -> Iterator[tuple[Any, ...]]:
        after = 0
        while True:
            page = {"after": after, "page": _PAGE}
            positions = fitting_positions(after, self._transaction.rows(_POSITIONS, page))
            if not positions:
                return
            end = positions[-1]
            yield from self._transaction.stream(_EVENTS[self._part], {**self._parameters, **page, "up_to": end})
            after = end

    def _cursors(self) -> list[dict[str, Any]]:
        """Return the cursors by position; those of a network are few."""
        if not self._wanted.is_all:
            return []
        names = [column.name for column in CURSOR.columns]
        found = self._transaction.rows(_CURSORS, self._parameters)
        return sorted((dict(zip(names, row, strict=True)) for row in found), key=itemgetter("position"))


def _standing_at(position: int, passed: list[dict[str, Any]]) -> Iterator[tuple[Kind, tuple[Any, ...]]]:
    for each in sorted(passed, key=itemgetter("name")):
        at_rest = {**each, "position": position, "lease": None, "lease_until": None}
        yield CURSOR, tuple(at_rest.values())
