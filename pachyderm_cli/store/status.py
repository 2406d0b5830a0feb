"""What a store is like: how large, of which schema, how much is in each network, how the database is set."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Text, bindparam, column, func, select, table, text

from pachyderm_cli.domain.timestamps import from_text
from pachyderm_cli.store.existing import Existing, existing, file_of, is_there
from pachyderm_cli.store.failures import reads
from pachyderm_cli.store.records import ERASED
from pachyderm_cli.store.schema import cursors, entities, events, imports, lookups, outbox, snapshots
from pachyderm_cli.store.statement import Statement, Transaction
from pachyderm_cli.store.statements.expressions import is_listed
from pachyderm_cli.store.store import Store

_COUNTED = {
    each: Statement(select(each.c.network, func.count()).group_by(each.c.network))
    for each in (entities, snapshots, lookups, cursors)
}
_EVENTS = Statement(select(events.c.network, func.count(), func.max(events.c.position)).group_by(events.c.network))
_EFFECTS = Statement(
    select(outbox.c.network, outbox.c.status, func.count())
    .group_by(outbox.c.network, outbox.c.status)
    .order_by(outbox.c.network, outbox.c.status)
)
_GONE = Statement(
    select(entities.c.network, func.count()).where(entities.c.type == ERASED).group_by(entities.c.network)
)
_UNFINISHED = Statement(select(imports.c.network, imports.c.lines, imports.c.started_at).order_by(imports.c.network))

_PRAGMAS = (
    "journal_mode",
    "synchronous",
    "busy_timeout",
    "wal_autocheckpoint",
    "page_size",
    "page_count",
    "freelist_count",
    "auto_vacuum",
    "encoding",
)
_IN_WORDS = {
    "synchronous": {0: "off", 1: "normal", 2: "full", 3: "extra"},
    "auto_vacuum": {0: "none", 1: "full", 2: "incremental"},
}
_SQLITE_SETTINGS = {"sqlite_version": Statement(select(func.sqlite_version()))} | {
    name: Statement(text(f"PRAGMA {name}")) for name in _PRAGMAS
}
_pg_settings = table("pg_settings", column("name", Text), column("setting", Text), schema="pg_catalog")
_POSTGRES_SETTINGS = Statement(
    select(_pg_settings.c.name, _pg_settings.c.setting)
    .where(is_listed(_pg_settings.c.name, bindparam("names")))
    .order_by(_pg_settings.c.name)
)
_ASKED_OF_POSTGRES = (
    "data_checksums",
    "fsync",
    "full_page_writes",
    "max_connections",
    "server_encoding",
    "server_version",
    "synchronous_commit",
    "wal_level",
)
_POSTGRES_SIZE = Statement(
    text(
        "SELECT CAST(coalesce(sum(pg_total_relation_size(format('%I.%I', schemaname, tablename)::regclass)), 0)"
        " AS BIGINT) FROM pg_catalog.pg_tables"
        " WHERE schemaname = ANY (current_schemas(false)) AND left(tablename, 10) = 'pachyderm_'"
    )
)


@dataclass(slots=True)
class NetworkStatus:
    """How much is in a network; `effects` are counted by their status. Erased entities are among the entities."""

    network: str
    entities: int = 0
    erased: int = 0
    events: int = 0
    last_position: int = 0
    snapshots: int = 0
    lookups: int = 0
    cursors: int = 0
    effects: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UnfinishedImport:
    """An import that is not at its end: how many lines of its file are in the network, and since when."""

    network: str
    lines: int
    started_at: datetime


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """What a store is like. Without a store its `schema` is None, and nothing is in it.

    `settings` are the database's, by the database's own names, as a connection that sends reads them.
    """

    store: str
    schema: str | None = None
    bytes: int = 0
    networks: tuple[NetworkStatus, ...] = ()
    imports: tuple[UnfinishedImport, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def last_position(self) -> int:
        """The position of the newest event of all networks, 0 without any."""
        return max((each.last_position for each in self.networks), default=0)


def status_of(store: Store) -> StoreStatus:
    """Return what the store is like at this moment, whatever its schema; nothing is made. Raises StoreError."""
    if not is_there(store):
        return StoreStatus(str(store))
    with existing(store) as found:
        networks = _networks(found)
        return StoreStatus(
            store=str(store),
            schema=found.schema,
            bytes=_size_of_files(store) if store.is_sqlite else found.transaction.rows(_POSTGRES_SIZE, {})[0][0],
            networks=tuple(networks[name] for name in sorted(networks)),
            imports=tuple(_unfinished(found)),
            settings=_settings(found.transaction),
        )


def _networks(found: Existing) -> dict[str, NetworkStatus]:
    networks: dict[str, NetworkStatus] = {}

    def of(network: str) -> NetworkStatus:
        return networks.setdefault(network, NetworkStatus(network))

    if found.schema is None:
        return networks
    for counted, statement in _COUNTED.items():
        if counted.name in found.tables:  # an older schema lacks some
            for network, count in found.transaction.rows(statement, {}):
                setattr(of(network), counted.name.removeprefix("pachyderm_"), count)
    for network, count, last in found.transaction.rows(_EVENTS, {}):
        of(network).events, of(network).last_position = count, last
    for network, count in found.transaction.rows(_GONE, {}):
        of(network).erased = count
    if outbox.name in found.tables:
        for network, status, count in found.transaction.rows(_EFFECTS, {}):
            of(network).effects[status] = count
    return networks


def _unfinished(found: Existing) -> list[UnfinishedImport]:
    if imports.name not in found.tables:
        return []
    return [_import(row) for row in found.transaction.rows(_UNFINISHED, {})]


@reads("an unfinished import", str, int, str)
def _import(row: tuple[Any, ...]) -> UnfinishedImport:
    network, lines, started_at = row
    return UnfinishedImport(network, lines, from_text(started_at))


def _size_of_files(store: Store) -> int:
    file, size = file_of(store), 0
    for each in (file, file.with_name(f"{file.name}-wal")):
        with suppress(FileNotFoundError):
            size += each.stat().st_size
    return size


def _settings(transaction: Transaction) -> dict[str, Any]:
    if not transaction.is_sqlite:
        return dict(transaction.rows(_POSTGRES_SETTINGS, {"names": json.dumps(_ASKED_OF_POSTGRES)}))
    read = {name: transaction.rows(statement, {})[0][0] for name, statement in _SQLITE_SETTINGS.items()}
    return {name: _IN_WORDS[name].get(value, value) if name in _IN_WORDS else value for name, value in read.items()}
