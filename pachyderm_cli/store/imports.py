"""How far imports in parts have come: what the table of unfinished imports is told, and tells."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import bindparam, insert, select, update

from pachyderm_cli.store.schema import imports
from pachyderm_cli.store.statement import Statement, Transaction

_in_network = imports.c.network == bindparam("network")
_names = ("lines", "checksum", "position", "new_position", "started_at")
_FIND = Statement(select(*(imports.c[name] for name in _names)).where(_in_network))
_now = {name: bindparam(f"now_{name}", type_=imports.c[name].type) for name in _names}
_BEGIN = Statement(insert(imports).values({"network": bindparam("network"), **_now}))
_GO_ON = Statement(update(imports).where(_in_network).values(_now))
_END = Statement(imports.delete().where(_in_network))


class Unfinished(NamedTuple):
    """How far an import has come: so many lines, with that checksum, are in the store.

    `position` is that of the last event among them in the file, `new_position` the one that it has here.
    """

    lines: int
    checksum: str
    position: int
    new_position: int
    started_at: str


def unfinished(transaction: Transaction, network: str) -> Unfinished | None:
    """Return the import into the network that is not at its end, None if there is none."""
    rows = transaction.rows(_FIND, {"network": network})
    return Unfinished(*rows[0]) if rows else None


def note_part(transaction: Transaction, network: str, before: Unfinished | None, now: Unfinished) -> None:
    """Note how far the import has come, which had come as far as `before` says."""
    given = {f"now_{name}": value for name, value in now._asdict().items()}
    transaction.count(_BEGIN if before is None else _GO_ON, {"network": network, **given})


def forget_parts(transaction: Transaction, network: str) -> None:
    """Note that the import is at its end."""
    transaction.count(_END, {"network": network})
