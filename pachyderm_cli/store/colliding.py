"""What of an import is in the store already: found once the database has refused it, to tell it by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from sqlalchemy import bindparam, literal_column, select

from pachyderm_cli.errors import CheckFailed, Collision, PachydermError
from pachyderm_cli.store.exchange import CURSOR, EFFECT, ENTITY, EVENT, FORK, Kind, Row
from pachyderm_cli.store.exported import Line
from pachyderm_cli.store.statement import Statement, Transaction
from pachyderm_cli.store.store import Store

_BATCH = 500  # lines that are looked for at a time


class _Key(NamedTuple):
    """Columns of which no two rows of a network have the same."""

    statement: Statement
    columns: tuple[str, ...]
    what: Callable[[Row], str]


def _key(kind: Kind, columns: tuple[str, ...], what: Callable[[Row], str]) -> _Key:
    table = kind.table
    keys = [table.c[name] == bindparam(name, type_=table.c[name].type) for name in ("network", *columns)]
    return _Key(Statement(select(literal_column("1")).select_from(table).where(*keys)), columns, what)


def _message(row: Row) -> str:
    return f"the message {row['message_id']}"


_KEYS = {
    EVENT.name: (
        _key(EVENT, ("entity_id", "version"), lambda row: f"the entity {row['entity_type']}:{row['entity_id']}"),
        _key(EVENT, ("message_id", "ordinal"), _message),
    ),
    ENTITY.name: (_key(ENTITY, ("id",), lambda row: f"the entity {row['type']}:{row['id']}"),),
    CURSOR.name: (_key(CURSOR, ("name",), lambda row: f"the cursor {row['name']!r}"),),
    FORK.name: (_key(FORK, ("entity_id",), lambda row: f"the entity {row['entity_id']}"),),
    EFFECT.name: (
        _key(EFFECT, ("id",), lambda row: f"the effect {row['id']}"),
        _key(EFFECT, ("message_id", "ordinal"), _message),
    ),
}


def find_collision(store: Store, network: str, lines: Sequence[Line], left: str) -> PachydermError:
    """Return the error for lines that the database refused, naming the first that is in the store; `left` ends it."""

    def find(transaction: Transaction) -> tuple[Line, str] | None:
        return next(_found(transaction, network, lines), None)

    found = store.read(find)
    if found is None:
        first, last = lines[0].number, lines[-1].number
        return CheckFailed(f"lines {first} to {last} say something twice that an export says once; {left}", line=first)
    line, what = found
    return Collision(
        f"line {line.number}: {what} is in the network {network!r} already; {left}",
        line=line.number,
        kind=line.kind.name,
        network=network,
    )


def require_free(store: Store, network: str, lines: Iterable[Line], after: int) -> None:
    """Raise Collision for the first of the lines after so many that is in the store; read them a few at a time."""
    later = (line for line in lines if line.number > after)
    while batch := list(islice(later, _BATCH)):
        if store.read(lambda transaction: next(_found(transaction, network, batch), None)) is not None:
            raise find_collision(store, network, batch, "nothing was written" if not after else "what is in stays")


def _found(transaction: Transaction, network: str, lines: Sequence[Line]) -> Iterator[tuple[Line, str]]:
    for line in lines:
        for key in _KEYS[line.kind.name]:
            parameters = {"network": network, **{name: line.row[name] for name in key.columns}}
            if transaction.rows(key.statement, parameters):
                yield line, key.what(line.row)
