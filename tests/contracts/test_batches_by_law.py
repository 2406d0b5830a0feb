"""The law of batches: messages sent together come to what they would come to one by one."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid5

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from pachyderm_cli import Pachyderm, Reference
from pachyderm_cli.engine.results import Sent
from pachyderm_cli.errors import PachydermError
from pachyderm_cli.store.schema import entities, events
from tests.support.clocks import START
from tests.support.doubler import Double
from tests.support.engines import tally_engine
from tests.support.raw import connected, row_counts
from tests.support.tally import Add, AddAll, Ask, Keep, Refuse, Spoil, Tell

SPACE = UUID("3b6a0f5e-7b0f-4a53-a3ef-0e2f5c3d9a10")

amounts = st.integers(-3, 3)
messages = st.one_of(
    st.builds(Add, amount=amounts),
    st.builds(AddAll, amounts=st.lists(amounts, max_size=3).map(tuple)),
    st.builds(Tell, texts=st.lists(st.sampled_from(["a", "b", "fail"]), max_size=3).map(tuple)),
    st.builds(Keep, value=st.sampled_from([1, "text", float("nan"), "\ud800"])),
    st.just(Double()),
    st.just(Ask()),
    st.just(Refuse()),
    st.just(Spoil()),
)
# An entity, a message, which of a few ids it has (None: one of its own), and the version that it expects.
sends = st.tuples(
    st.integers(0, 2),
    messages,
    st.one_of(st.none(), st.integers(0, 5)),
    st.one_of(st.none(), st.none(), st.integers(0, 3)),
)


def told_of(outcome: Sent | PachydermError) -> Any:
    """Return all that a sender sees of an outcome."""
    if isinstance(outcome, PachydermError):
        return type(outcome), outcome.message
    effects = [(each.id, each.type, each.status) for each in outcome.effects]
    return outcome.version, outcome.state, outcome.events, outcome.duplicate, outcome.message_id, effects


def written(store_url: str) -> list[Any]:
    """Return every row of log and heads, in the order of the log."""
    if not row_counts(store_url)["events"]:
        return []
    with connected(store_url) as connection:
        log = connection.execute(select(events).order_by(events.c.position))
        heads = connection.execute(select(entities).order_by(entities.c.id))
        return [*map(tuple, log), *map(tuple, heads)]


def one_by_one(engine: Pachyderm, requests: list[Any]) -> list[Sent | PachydermError]:
    """Send each by itself."""
    outcomes: list[Sent | PachydermError] = []
    for each in requests:
        try:
            outcomes.append(engine.send(each.entity, each.message, message_id=each.message_id, expect=each.expect))
        except PachydermError as error:
            outcomes.append(error)
    return outcomes


@settings(max_examples=60)
@given(before=st.lists(sends, max_size=4), batch=st.lists(sends, max_size=14), cached=st.sampled_from([0, 1, 10]))
def test_together_is_as_one_by_one(before: list[Any], batch: list[Any], cached: int) -> None:
    """Outcomes, log, heads and effects are alike, whatever is sent, whatever was there before, with a cache or not."""

    def requests(engine: Pachyderm, some: list[Any], first: int) -> list[Any]:
        return [
            engine.request(
                Reference("doubler" if isinstance(message, Double) else "tally", uuid5(SPACE, f"entity {entity}")),
                message,
                message_id=uuid5(SPACE, f"own {first + index}" if number is None else f"shared {number}"),
                expect=expect,
            )
            for index, (entity, message, number, expect) in enumerate(some)
        ]

    with TemporaryDirectory() as folder:
        logs, outcomes, traces = [], [], []
        for together in (True, False):
            told: list[str] = []
            url = f"sqlite:///{Path(folder) / f'{together}.db'}"
            with tally_engine(
                url, cached=cached, snapshots_every=2, clock=lambda: START, config={"told": told}
            ) as engine:
                one_by_one(engine, requests(engine, before, 0))
                all_of_it = requests(engine, batch, len(before))
                found = engine.send_all(all_of_it, keep_going=True) if together else one_by_one(engine, all_of_it)
                outcomes.append([told_of(each) for each in found])
            logs.append(written(url))
            traces.append(told)
        assert outcomes[0] == outcomes[1]
        assert logs[0] == logs[1]
        assert traces[0] == traces[1]
