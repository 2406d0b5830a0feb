"""What is said to the database of cursors."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Text, bindparam, case, func, literal_column, or_, select, update

from pachyderm_cli.store.distance import NOW
from pachyderm_cli.store.schema import cursors, events
from pachyderm_cli.store.statements.expressions import database_time

_TIME = database_time(literal_column(f"'{NOW}'", Text))
_LEASE = bindparam("lease", type_=cursors.c.lease.type)
_LEASE_END = database_time(bindparam("lease_for", type_=Text))
_NOTHING: Any = literal_column("NULL")

_is_the_one = (cursors.c.network == bindparam("network"), cursors.c.name == bindparam("name"))
_is_held = cursors.c.lease == _LEASE
_is_free = or_(cursors.c.lease.is_(None), cursors.c.lease_until <= _TIME)
_position = bindparam("position", type_=cursors.c.position.type)


def _make(dialect_insert: Any) -> Any:
    key: dict[str, Any] = {"network": bindparam("network"), "name": bindparam("name")}
    made = dialect_insert(cursors).values({**key, "position": _position, "created_at": _TIME, "updated_at": _TIME})
    return made.on_conflict_do_nothing()


def advance(network: Any, name: Any, lease: Any, position: Any) -> Any:
    """Return the statement that moves a cursor held under `lease`; each may be a value or a parameter."""
    is_held = (cursors.c.network == network, cursors.c.name == name, cursors.c.lease == lease)
    return update(cursors).where(*is_held).values(position=position, updated_at=_TIME)


_advanced = advance(bindparam("network"), bindparam("name"), _LEASE, _position)


MAKE = _make
TAKE = (
    update(cursors)
    .where(*_is_the_one, or_(_is_free, _is_held))  # it may be one's own where a connection was lost
    .values(lease=_LEASE, lease_until=_LEASE_END)
    .returning(cursors.c.position)
)
RENEW = update(cursors).where(*_is_the_one, _is_held).values(lease_until=_LEASE_END)
RELEASE = update(cursors).where(*_is_the_one, _is_held).values(lease=_NOTHING, lease_until=_NOTHING)
ADVANCE = _advanced
ADVANCE_FROM = _advanced.where(cursors.c.position == bindparam("expected", type_=cursors.c.position.type))
SET = (
    update(cursors)
    .where(*_is_the_one, _is_free)
    .values(position=_position, lease=_NOTHING, lease_until=_NOTHING, updated_at=_TIME)
)
DROP = cursors.delete().where(*_is_the_one, _is_free)
_behind = (
    select(func.count())
    .where(events.c.position > cursors.c.position, events.c.network == cursors.c.network)
    .scalar_subquery()
)
_columns = (
    cursors.c.name,
    cursors.c.position,
    _behind,
    case((_is_free, literal_column("0")), else_=literal_column("1")),
    cursors.c.lease_until,
    cursors.c.created_at,
    cursors.c.updated_at,
)
ALL = select(*_columns).where(cursors.c.network == bindparam("network")).order_by(cursors.c.name)
ONE = select(*_columns).where(*_is_the_one)
