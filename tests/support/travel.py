"""Histories of messages for tests of time travel, and all that a store holds."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import select

from pachyderm_cli import Message, Pachyderm, Reference
from pachyderm_cli.engine.results import Sent
from pachyderm_cli.errors import PachydermError
from pachyderm_cli.store.schema import metadata
from tests.support import basket, quota, tally
from tests.support.clocks import ticking
from tests.support.raw import connected

MODULES = {"tally": tally, "quota": quota, "basket": basket}

_amounts = st.integers(-3, 3)
_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text("ab \U0001f418", max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("xy", max_size=2), inner, max_size=2),
    max_leaves=4,
)
_of_tally = st.one_of(
    st.builds(tally.Add, amount=_amounts),
    st.builds(tally.AddAll, amounts=st.lists(_amounts, max_size=4).map(tuple)),
    st.builds(tally.Tell, texts=st.lists(st.sampled_from(["a", "fail"]), max_size=2).map(tuple)),
    st.builds(tally.Keep, value=_values),
    st.sampled_from([tally.Ask(), tally.Refuse(), tally.Spoil()]),
)
_of_quota = st.sampled_from([quota.Take(), quota.Take(), quota.TakeFirst(), quota.GiveBack()])
_things = st.sampled_from(["fig", "pear"])
_of_basket = st.one_of(
    st.builds(basket.Put, thing=_things),
    st.builds(basket.SpillAndPut, thing=_things),
    st.builds(basket.Spill, reject=st.booleans()),
)

histories: st.SearchStrategy[tuple[str, list[Message]]] = st.one_of(
    *(
        st.tuples(st.just(name), st.lists(messages, min_size=1, max_size=12))
        for name, messages in (("tally", _of_tally), ("quota", _of_quota), ("basket", _of_basket))
    )
)
"""A type and messages to one entity of it, some of which it rejects, fails at, or does nothing for."""


def travel_engine(store_url: str, **options: Any) -> Pachyderm:
    """Return an engine for those types."""
    return Pachyderm(store_url, MODULES, **{"clock": ticking(), "snapshots_every": 3, **options})


def send_each(
    engine: Pachyderm, entity: str | Reference, messages: Sequence[Message], **given: Any
) -> list[Sent | PachydermError]:
    """Send each message by itself; return what became of it."""
    outcomes: list[Sent | PachydermError] = []
    for message in messages:
        try:
            outcomes.append(engine.send(entity, message, **given))
        except PachydermError as error:
            outcomes.append(error)
    return outcomes


def brief(outcome: Sent | PachydermError) -> Any:
    """Return what an outcome says whatever the entity: version, state and events, or the error."""
    if isinstance(outcome, Sent):
        return outcome.version, outcome.state, outcome.events
    return type(outcome), outcome.message


def whole(store_url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table, to compare two moments of a store."""
    with connected(store_url) as connection:
        return {
            name: sorted((tuple(row) for row in connection.execute(select(table))), key=str)
            for name, table in metadata.tables.items()
        }
