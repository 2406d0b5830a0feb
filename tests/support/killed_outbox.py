"""The outbox as killed processes leave it: looked into, and moved in time, past pachyderm."""

from sqlalchemy import RowMapping, func, select, update

from pachyderm_cli import Pachyderm
from pachyderm_cli.engine.results import Worked
from pachyderm_cli.store.schema import events, outbox
from tests.support.raw import connected, execute

PAST = "2001-01-01T00:00:00.000000Z"
SECONDS = 200
"""How long anything here may take before it counts as hanging."""

_MOST_ROUNDS = 20


def rows(store_url: str) -> list[RowMapping]:
    """Return what is in the outbox, in the order in which it was emitted."""
    order = (outbox.c.created_at, outbox.c.version, outbox.c.ordinal)
    with connected(store_url) as connection:
        return list(connection.execute(select(outbox).order_by(*order)).mappings())


def logged(store_url: str) -> list[RowMapping]:
    """Return the events of the log, in order."""
    with connected(store_url) as connection:
        return list(connection.execute(select(events).order_by(events.c.position)).mappings())


def pending(store_url: str) -> int:
    """Return how many effects are still to be carried out."""
    with connected(store_url) as connection:
        query = select(func.count()).select_from(outbox).where(outbox.c.status == "pending")
        return int(connection.execute(query).scalar_one())


def let_time_pass(store_url: str) -> None:
    """Let every lease run out, and everything that waits be due."""
    execute(store_url, update(outbox).where(outbox.c.status == "pending").values(next_attempt_at=PAST))


def work_to_the_end(engine: Pachyderm, store_url: str) -> list[Worked]:
    """Work, and let time pass, until nothing is pending; return what was worked."""
    worked: list[Worked] = []
    for _ in range(_MOST_ROUNDS):
        let_time_pass(store_url)
        worked += engine.work(once=True)
        if not pending(store_url):
            return worked
    raise AssertionError(f"{pending(store_url)} effects are still pending")
