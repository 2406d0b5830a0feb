"""Effects for tests of the store: what an engine would have made of those that `handle` emits."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import update

from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.domain.timestamps import to_text
from pachyderm_cli.store import outbox
from pachyderm_cli.store.append import append
from pachyderm_cli.store.records import Append, EffectStatus, Lease, NewEffect, Outcome, StoredEffect
from pachyderm_cli.store.schema import outbox as table
from pachyderm_cli.store.store import Store
from tests.support.appends import an_append, an_entity
from tests.support.raw import execute

NETWORK = "n"
HANDLER = "tally"


def an_effect(ordinal: int = 0, **values: Any) -> NewEffect:
    """Return one of the project's own effects, due at once."""
    given = {"id": uuid4(), "type": "Told", "data": "{}", "handler": HANDLER, **values}
    return NewEffect(ordinal=ordinal, **given)


def a_timer(
    entity: Reference, name: str = "t", *, after: float | None = 0, at: datetime | None = None, **values: Any
) -> NewEffect:
    """Return a timer of the entity's own."""
    due = {"after": None if after is None or at is not None else timedelta(seconds=after), "at": at}
    return an_effect(**{"type": "Timer", "to": entity, "message": "Add", "timer": name, **due, **values})


def a_lease(seconds: float = 60) -> Lease:
    """Return a lease that nobody has."""
    return Lease(uuid4(), seconds)


def queue(store: Store, *effects: NewEffect, network: str = NETWORK, entity: Reference | None = None) -> Append:
    """Append an event with those effects in their order, to a new entity unless one is given; return the append."""
    in_order = tuple(each._replace(ordinal=at) for at, each in enumerate(effects))
    one = an_append(entity or an_entity(), outbox=in_order)
    assert append(store, network, [one]) == [Outcome.APPENDED]
    return one


def claim(store: Store, lease: Lease | None = None, most: int = 100) -> list[StoredEffect]:
    """Claim what is due."""
    return outbox.claim(store, NETWORK, [HANDLER], lease or a_lease(), most)


def one(store: Store, effect_id: UUID) -> StoredEffect:
    """Return the effect of that id."""
    [found] = outbox.effects_between(store, NETWORK, effect_id, effect_id, 2)
    return found


def status(store: Store, effect_id: UUID) -> EffectStatus:
    """Return what became of the effect of that id."""
    return one(store, effect_id).status


def set_time(store_url: str, effect_id: UUID, moment: datetime, *columns: str) -> None:
    """Set when an effect is due, or its lease ends, past pachyderm."""
    values = dict.fromkeys(columns or ("next_attempt_at",), to_text(moment))
    execute(store_url, update(table).where(table.c.id == str(effect_id)).values(values))
