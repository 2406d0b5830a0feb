"""The outbox's statements go by the right index, also in a store of which the database has no statistics yet."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import make_url, text

from pachyderm_cli.domain.timestamps import to_text
from pachyderm_cli.store.append import append
from pachyderm_cli.store.distance import distance
from pachyderm_cli.store.outbox import discard
from pachyderm_cli.store.records import EffectStatus, NewEffect
from pachyderm_cli.store.statement import Statement, Statements
from pachyderm_cli.store.statements.outbox import SETTLED
from pachyderm_cli.store.store import Store
from tests.support.appends import an_append, an_entity
from tests.support.clocks import START
from tests.support.raw import connected

said = Statements("outbox")
BY_KEY = {
    name: getattr(said, name)
    for name in ("BEGIN_ATTEMPT", "SETTLE", "FINISH", "LET_GO", "SEIZE", "RETRY", "DISCARD", "BY_IDS")
}
BY_KEY["SETTLED"] = Statement(SETTLED)
BY_OTHERS = {
    "CANCEL_TIMERS": (Statement("enqueue.CANCEL_TIMERS"), "ix_pachyderm_outbox_entity"),
    "OWN_TIMERS": (said.OWN_TIMERS, "ix_pachyderm_outbox_entity"),
    "OF_ENTITY": (said.OF_ENTITY, "ix_pachyderm_outbox_entity"),
    "BY_MESSAGES": (said.BY_MESSAGES, "uq_pachyderm_outbox_message"),
    "HAS_CANDIDATES": (said.HAS_CANDIDATES, "ix_pachyderm_outbox_next_attempt"),
    "CLAIM": (said.CLAIM, "ix_pachyderm_outbox_next_attempt"),
    "RENEW": (said.RENEW, "ix_pachyderm_outbox_next_attempt"),
    "NEXT_DUE": (said.NEXT_DUE, "ix_pachyderm_outbox_next_attempt"),
    "REVIVE": (said.REVIVE, "ix_pachyderm_outbox_parked"),
    "HANDLERS_OF_PARKED": (said.HANDLERS_OF_PARKED, "ix_pachyderm_outbox_parked"),
    "BY_STATUS, pending": (said.one_of("BY_STATUS", EffectStatus.PENDING), "ix_pachyderm_outbox_next_attempt"),
    "BY_STATUS, parked": (said.one_of("BY_STATUS", EffectStatus.PARKED), "ix_pachyderm_outbox_parked"),
}


def parameters() -> Mapping[str, Any]:
    """Return a value for whatever a statement takes."""
    ids = ("id", "first", "last", "held_by", "lease", "entity_id", "settles", "done_id", "done_held_by")
    return {
        **{name: str(uuid4()) for name in ids},
        **dict.fromkeys(("network", "done_network", "status", "handler_name", "current", "error", "fingerprint"), "n"),
        **dict.fromkeys(("handlers", "cancels"), '["tally"]'),
        **dict.fromkeys(("lease_for", "again_in", "ended"), distance(30)),
        "message_ids": f'["{uuid4()}"]',
        "at": to_text(START),
        "uncounted": 0,
        "most": 1,
    }


def plan_of(store_url: str, statement: Statement) -> list[str]:
    """Return the database's plan for a statement, in a store with some effects, half of them ended."""
    store = Store(store_url)
    for number in range(20):
        queued = NewEffect(uuid4(), 0, "Mail", "{}", "tally")
        append(store, "n", [an_append(an_entity(), outbox=(queued,))])
        if number % 2:
            discard(store, "n", queued.id, "enough")
    store.close()
    with connected(store_url) as connection:
        compiled = statement.for_dialect(connection.dialect.name)
        if make_url(store_url).get_backend_name() == "sqlite":
            explain = f"EXPLAIN QUERY PLAN {compiled.text}"
            return [row[-1] for row in connection.exec_driver_sql(explain, tuple(compiled.arguments(parameters())))]
        for way in ("seqscan", "bitmapscan"):  # what the planner likes best for a few rows
            connection.execute(text(f"SET LOCAL enable_{way} TO off"))
        return [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {compiled.text}", parameters())]


def searches(plan: list[str]) -> list[str]:
    """Return the steps that look for rows of the outbox."""
    return [
        step for step in plan if "pachyderm_outbox" in step and ("SEARCH" in step or "SCAN" in step or "Scan" in step)
    ]


@pytest.mark.parametrize("name", BY_KEY)
def test_one_effect_is_found_by_its_key(store_url: str, name: str) -> None:
    """What is done to one effect reads one row, however many others are pending."""
    found = searches(plan_of(store_url, BY_KEY[name]))
    assert found
    assert all("PRIMARY KEY (id" in step or "using pk_pachyderm_outbox" in step for step in found), found


@pytest.mark.parametrize("name", BY_OTHERS)
def test_several_effects_are_found_by_their_index(store_url: str, name: str) -> None:
    """Nothing reads the whole outbox of a network: most of it is ended, and of no interest."""
    statement, index = BY_OTHERS[name]
    found = searches(plan_of(store_url, statement))
    assert any(index in step for step in found), found
    assert all(index in step or "PRIMARY KEY (id=?" in step or "using pk_pachyderm_outbox" in step for step in found)
