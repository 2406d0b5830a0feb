"""Every query that a command makes is answered by an index; lists of heads alone read those of the network."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from pachyderm_cli import Pachyderm
from pachyderm_cli.store import outbox
from pachyderm_cli.store.records import EffectStatus, Lease
from pachyderm_cli.store.statement import Transaction
from tests.support.courier import Do, Forget, Order, Pass, Post, Remind
from tests.support.engines import tally_engine
from tests.support.office import Office
from tests.support.raw import connected
from tests.support.tally import Add

MESSAGE_ID = UUID("5d0fb0a7-62a4-4cf5-8d29-3b2e9b1f9d55")

COMMANDS: dict[str, Callable[[Pachyderm], Any]] = {
    "send to a new entity": lambda engine: engine.send("tally:new", Add()),
    "send": lambda engine: engine.send("tally:@a", Add()),
    "send with an id": lambda engine: engine.send("tally:@a", Add(), message_id=MESSAGE_ID),
    "send again": lambda engine: [engine.send("tally:@b", Add(), message_id=MESSAGE_ID) for _ in range(2)],
    "send several": lambda engine: engine.send_all(
        [engine.request(f"tally:@{name}", Add(), message_id=uuid4()) for name in ("a", "b", "b", "new")]
    ),
    "send several again": lambda engine: [
        engine.send_all([engine.request("tally:@a", Add(), message_id=MESSAGE_ID), engine.request("tally:@b", Add())])
        for _ in range(2)
    ],
    "state by prefix": lambda engine: engine.state(str(engine.receiver("tally:@a").id)[:8]),
    "state without type": lambda engine: engine.state(str(engine.receiver("tally:@a").id)),
    "history": lambda engine: list(engine.history("tally:@a")),
    "history of the last written": lambda engine: list(engine.history()),
    "history in reverse": lambda engine: list(engine.history("tally:@a", from_version=2, reverse=True)),
    "inspect": lambda engine: engine.inspect("tally:@a"),
    "replay": lambda engine: engine.replay("tally:@a", to_version=1),
    "snapshot": lambda engine: engine.snapshot("tally:@a"),
    "snapshot --list": lambda engine: engine.snapshots("tally:@a"),
    "snapshot --drop": lambda engine: engine.drop_snapshots("tally:@a"),
    "snapshot --drop --all": lambda engine: engine.drop_snapshots(every_entity=True),
    "list": lambda engine: list(engine.entities()),
    "list --limit": lambda engine: list(engine.entities(limit=3)),
    "list --type": lambda engine: list(engine.entities("tally")),
    "fork": lambda engine: engine.fork("tally:@b", to_version=2),
    "inspect a fork": lambda engine: engine.inspect(engine.fork("tally:@b").entity),
    "try": lambda engine: engine.try_send(engine.request("tally:@b", Add())),
    "replay --all": lambda engine: list(engine.replay_all()),
    "lookup": lambda engine: engine.lookup("tally", where=["count>1"]),
    "lookup: send": lambda engine: engine.send("tally:@a", Add()),
    "lookup: snapshot": lambda engine: engine.snapshot("tally:@a"),
}

Statement = tuple[str, Any]


@contextmanager
def noting() -> Iterator[list[Statement]]:
    """Give the list of the statements on pachyderm's tables that are run meanwhile."""
    found: list[Statement] = []
    original, original_many = Transaction._prepared, Transaction._prepared_many

    def noted(transaction: Transaction, statement: Any, parameters: Any) -> tuple[str, Any]:
        prepared = original(transaction, statement, parameters)
        found.append(prepared)
        return prepared

    def noted_many(transaction: Transaction, statement: Any, each: Any) -> tuple[str, Any]:
        text, arguments = original_many(transaction, statement, each)
        found.extend((text, its) for its in arguments)
        return text, arguments

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Transaction, "_prepared", noted)
        patched.setattr(Transaction, "_prepared_many", noted_many)
        yield found
    assert found


def statements_of(store_url: str, name: str) -> list[Statement]:
    """Return the statements that a command runs on a store with some entities."""
    kept = ["tally"] if name.startswith("lookup") else []
    # Without the cache, so that what a cold process reads is seen too.
    with tally_engine(store_url, snapshots_every=2, cached=0, lookups=kept) as engine:
        for letter in "aabbb":
            engine.send(f"tally:@{letter}", Add())
        with noting() as found:
            COMMANDS[name](engine)
    return found


def lists_heads(statement: str) -> bool:
    """Tell whether a statement lists a network's heads by their last write, for which there is no index."""
    return "FROM pachyderm_entities" in statement and "position DESC" in statement.replace('"', "")


def sorts_a_few(statement: str) -> bool:
    """Tell whether a statement is about an entity's snapshots or what it has in the outbox."""
    return "pachyderm_snapshots" in statement or "pachyderm_outbox" in statement


@pytest.mark.parametrize("command", COMMANDS)
def test_sqlite_searches_by_index(sqlite_url: str, command: str) -> None:
    """SQLite's plan has no scan of a table, and no search of the log by its network alone.

    Only heads that are listed, and an entity's few snapshots and timers, are sorted.
    """
    for statement, parameters in statements_of(sqlite_url, command):
        with connected(sqlite_url) as connection:
            plan = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", tuple(parameters))]
        scans = [step for step in plan if step.startswith("SCAN")]
        assert not [step for step in scans if "CONSTANT ROW" not in step and "json_each" not in step], (statement, plan)
        assert not [step for step in plan if "pachyderm_events" in step and "(network=?)" in step], (statement, plan)
        if not sorts_a_few(statement) and not lists_heads(statement):
            assert not [step for step in plan if "TEMP B-TREE" in step], (statement, plan)


@pytest.mark.postgres
@pytest.mark.parametrize("command", COMMANDS)
def test_postgres_can_search_by_index(postgres_url: str, command: str) -> None:
    """With sequential scans and sorting discouraged, Postgres has another way for every statement but lists of heads.

    The log is searched by entity or by message id; the counter of its positions is a table of one row.
    """
    for statement, parameters in statements_of(postgres_url, command):
        with connected(postgres_url) as connection:
            for way in ("seqscan", "bitmapscan", "sort"):  # what the planner likes best for a few rows
                connection.execute(text(f"SET LOCAL enable_{way} TO off"))
            plan = [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)]
        scans = [step for step in plan if "Seq Scan" in step]
        assert not [step for step in scans if "pachyderm_events_position_seq" not in step], (statement, plan)
        # An append puts the events of one message in order; that is no search.
        if not sorts_a_few(statement) and "INSERT" not in statement and not lists_heads(statement):
            assert not [step for step in plan if "Sort" in step], (statement, plan)
        for step, condition in pairwise(plan):
            if "Index" in step and "on pachyderm_events" in step:
                assert "entity_id" in condition or "message_id" in condition, (statement, plan)


ORDERS: tuple[Order, ...] = (
    Post(text="good"),
    Post(text="bad"),
    Remind(name="soon", errand=Do(note="rung"), after=0),
    Remind(name="late", errand=Do(note="rung"), after=3600),
    Pass(to="courier:@c", errand=Do(note="hello")),
    Pass(to="courier:@d", errand=Do(note="no", answer="refuse"), refused=Do(note="back")),
)


def failed(engine: Pachyderm) -> str:
    """Return the id of an effect that failed."""
    return next(str(each.stored.id) for each in engine.effects() if each.stored.error)


OUTBOX_COMMANDS: dict[str, Callable[[Pachyderm], Any]] = {
    "send with effects to a new entity": lambda engine: engine.send("courier:@new", Do(note="n", orders=ORDERS)),
    "send with effects behind timers": lambda engine: engine.send("courier:@a", Do(note="n", orders=ORDERS)),
    "send that cancels": lambda engine: engine.send("courier:@a", Do(note="n", orders=(Forget(name="late"),))),
    "send several with effects": lambda engine: engine.send_all(
        [engine.request(f"courier:@{name}", Do(note="n", orders=ORDERS), message_id=uuid4()) for name in "aab"]
    ),
    "send again with effects": lambda engine: [
        engine.send("courier:@b", Do(note="n", orders=ORDERS), message_id=MESSAGE_ID) for _ in range(2)
    ],
    "send --no-effects": lambda engine: engine.send("courier:@a", Do(note="n", orders=ORDERS), effects=False),
    "worker --once": lambda engine: list(engine.work(once=True)),
    "effects list": lambda engine: list(engine.effects()),
    "effects list --status done": lambda engine: list(engine.effects("done")),
    "effects show": lambda engine: [engine.effect(failed(engine)), engine.effect(failed(engine)[:-8])],
    "effects retry": lambda engine: engine.retry_effect(failed(engine)),
    "effects retry --all": lambda engine: list(engine.retry_effects()),
    "effects discard": lambda engine: engine.discard_effect(failed(engine), "why"),
    "timers list": lambda engine: [*engine.timers(), *engine.timers("courier:@a")],
    "history --causes": lambda engine: list(engine.causes("courier:@a")),
    "inspect with effects": lambda engine: engine.inspect("courier:@a"),
    "the next due": lambda engine: engine.next_due(),
    "renewing a lease": lambda engine: outbox.renew(engine._store, "default", Lease(uuid4(), 1)),
    "reviving": lambda engine: [
        outbox.handlers_of_parked(engine._store, "default"),
        outbox.revive(engine._store, "default", "courier", "f"),
        list(outbox.effects_with_status(engine._store, "default", EffectStatus.PARKED)),
    ],
}


def outbox_statements_of(store_url: str, command: Callable[[Pachyderm], Any]) -> list[Statement]:
    """Return the statements that `command` runs on a store with effects of every kind."""
    with Office(store_url) as office:
        office.world.failing = {"bad"}
        engine = office.open(cached=0)
        for name in "ab":
            engine.send(f"courier:@{name}", Do(note="n", orders=ORDERS))
        with noting() as found:
            command(engine)
    return found


@pytest.mark.parametrize("command", OUTBOX_COMMANDS)
def test_sqlite_searches_the_outbox_by_index(sqlite_url: str, command: str) -> None:
    """No scan of a table, and no search of log or outbox by the network alone: what is done stays in the outbox.

    A few rows are sorted: those that are due at one time, an entity's own, the handlers of what is parked.
    """
    for statement, parameters in outbox_statements_of(sqlite_url, OUTBOX_COMMANDS[command]):
        with connected(sqlite_url) as connection:
            plan = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", tuple(parameters))]
        scans = [step for step in plan if step.startswith("SCAN")]
        small = ("CONSTANT ROW", "json_each", "picked")
        if "status = 'done'" not in statement:  # they are listed, and there is no index on what is most of the outbox
            assert not [step for step in scans if not any(name in step for name in small)], (statement, plan)
        tables = ("pachyderm_events", "pachyderm_outbox")
        by_network = [step for step in plan if "(network=?)" in step and any(name in step for name in tables)]
        partial = ("ix_pachyderm_outbox_next_attempt", "ix_pachyderm_outbox_parked")  # they have few rows
        assert not [step for step in by_network if not any(name in step for name in partial)], (statement, plan)


@pytest.mark.postgres
@pytest.mark.parametrize("command", OUTBOX_COMMANDS)
def test_postgres_can_search_the_outbox_by_index(postgres_url: str, command: str) -> None:
    """With sequential scans discouraged, Postgres has another way for every statement.

    Which one it takes for how many rows, it knows itself: it counts them.
    """
    for statement, parameters in outbox_statements_of(postgres_url, OUTBOX_COMMANDS[command]):
        with connected(postgres_url) as connection:
            for way in ("seqscan", "bitmapscan"):  # what the planner likes best for a few rows
                connection.execute(text(f"SET LOCAL enable_{way} TO off"))
            plan = [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)]
        scans = [step for step in plan if "Seq Scan" in step]
        assert not [step for step in scans if "pachyderm_events_position_seq" not in step], (statement, plan)
