"""Timers and messages sent together: a batch with effects comes to what sending one by one comes to."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid4, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pachyderm_cli import Pachyderm, Reference
from pachyderm_cli.engine.results import Sent
from pachyderm_cli.errors import PachydermError
from tests.support.batches import all_sent, brief, requests
from tests.support.courier import Do, Forget, Order, Pass, Post, Remind, Tell
from tests.support.office import Office, log

SPACE = UUID("7c1b8a06-9a55-4ab5-86a6-3a0d6f6d3c11")


@pytest.fixture
def office(store_url: str) -> Iterator[Office]:
    """Return a store for couriers, on each database."""
    with Office(store_url) as opened:
        yield opened


def remind(note: str = "rung", after: float = 0, name: str = "t", orders: tuple[Order, ...] = ()) -> Do:
    """Return an errand that sets a timer."""
    return Do(note="set", orders=(Remind(name=name, errand=Do(note=note, orders=orders), after=after),))


@pytest.mark.parametrize("by", ["mine", "another"])
@pytest.mark.parametrize("held", [False, True])
def test_overdue_timers_come_before_the_messages_of_a_batch(office: Office, by: str, *, held: bool) -> None:
    """Whoever set them, and though a dead worker holds them; of every entity of the batch, what they set off too."""
    engine, other = office.open(), office.open()
    engine.send("courier:@a", Do(note="n"))
    setter = engine if by == "mine" else other
    for name in "ab":
        setter.send(f"courier:@{name}", remind(orders=(Tell(text=name), Post(text=name))))
    if held:
        for row in office.rows():
            office.change(row["id"], lease=str(uuid4()), next_attempt_at="2100-01-01T00:00:00.000000Z")
    batch = [(f"courier:@{name}", Do(note=f"m{at}", given="rung")) for at, name in enumerate("abcab") if name != "c"]
    assert brief(engine.send_all(requests(engine, *batch))) == [4, 3, 5, 4]
    assert log(engine, "courier:@a") == ["n", "set", "rung", "m0", "m3"]
    assert log(engine, "courier:@b") == ["set", "rung", "m1", "m4"]
    assert office.world.heard == ["a", "a", "b", "b"]
    assert {row["status"] for row in office.rows()} == {"done"}


def test_a_timer_that_is_overdue_at_once_comes_before_the_next_message_to_its_entity(office: Office) -> None:
    """As if the messages had come one by one; those to others do not wait for it."""
    engine = office.open()
    batch = requests(
        engine,
        ("courier:@a", remind("first")),
        ("courier:@b", Do(note="b")),
        ("courier:@a", Do(note="n", given="first")),
        ("courier:@a", remind("second", after=3600)),
        ("courier:@a", Do(note="m")),
    )
    all_sent(engine.send_all(batch))
    assert log(engine, "courier:@a") == ["set", "first", "n", "set", "m"]
    assert [each.timer for each in engine.timers("courier:@a")] == ["t"]


def test_what_was_set_before_in_a_batch_can_be_cancelled_in_it(office: Office) -> None:
    """Of all timers of one name the last that was set is left, and none that was cancelled after."""
    engine = office.open()
    batch = requests(
        engine,
        ("courier:@a", remind("one", after=100)),
        ("courier:@a", remind("two", after=200)),
        ("courier:@a", remind("other", after=300, name="u")),
        ("courier:@b", remind("theirs", after=100)),
        ("courier:@a", Do(note="n", orders=(Forget(name="u"),))),
    )
    all_sent(engine.send_all(batch))
    assert [each.status for each in engine.timers()] == ["pending"] * 2
    office.pass_time(1000)
    list(engine.work(once=True))
    assert (log(engine, "courier:@a")[-1], log(engine, "courier:@b")[-1]) == ("two", "theirs")


def test_timers_that_came_first_stand_though_a_message_of_the_batch_fails(office: Office) -> None:
    """What they set off is carried out, with keep_going or without."""
    engine = office.open()
    for name in "ab":
        engine.send(f"courier:@{name}", remind(orders=(Tell(text=name),)))
    refused = ("courier:@a", Do(note="no", answer="refuse"))
    outcomes = engine.send_all(requests(engine, refused, ("courier:@b", Do(note="n"))), keep_going=True)
    assert [type(each).__name__ for each in outcomes] == ["Rejected", "Sent"]
    assert office.world.heard == ["a", "b"]
    assert log(engine, "courier:@a") == ["set", "rung"]


def test_without_effects_a_batch_leaves_all_of_it(office: Office) -> None:
    """Overdue timers come first all the same."""
    engine = office.open()
    engine.send("courier:@a", remind(orders=(Tell(text="t"), Post(text="p"))))
    batch = requests(engine, *[("courier:@a", Do(note="n", orders=(Tell(text="own"), Post(text="own"))))] * 2)
    all_sent(engine.send_all(batch, effects=False))
    assert (log(engine, "courier:@a"), office.world.heard) == (["set", "rung", "n", "n"], [])
    list(engine.work(once=True, concurrency=1))
    assert office.world.heard == ["p", "own", "own"]


errands = st.builds(Do, note=st.sampled_from("xyz"), orders=st.just((Post(text="post"),)))
names = st.sampled_from(["t", "u"])
orders = st.one_of(
    st.builds(Tell, text=st.sampled_from("ab")),
    st.builds(Post, text=st.sampled_from(["c", "bad"])),
    st.builds(Pass, to=st.just("courier:@out"), errand=errands, after=st.sampled_from([None, None, 100.0])),
    st.builds(Remind, name=names, errand=errands, after=st.sampled_from([0.0, 0.0, 100.0, 200.0])),
    st.builds(Forget, name=names),
)
messages = st.builds(
    Do,
    note=st.sampled_from("klm"),
    orders=st.lists(orders, max_size=3).map(tuple),
    unless=st.sampled_from([None, None, None, "x"]),
    given=st.sampled_from([None, None, None, "y"]),
    answer=st.sampled_from(["note", "note", "note", "nothing", "fail"]),
)
# An entity and its type, a message, which of a few ids it has (None: one of its own), and the version it expects.
sends = st.tuples(
    st.sampled_from([("courier", 0), ("courier", 1), ("porter", 1)]),
    messages,
    st.sampled_from([None, None, None, 0, 1]),
    st.sampled_from([None, None, None, None, 1, 2]),
)


def told_of(outcome: Sent | PachydermError) -> Any:
    """Return all that a sender sees of an outcome."""
    if isinstance(outcome, PachydermError):
        return type(outcome), outcome.message
    effects = [(each.id, each.type, each.status, each.error) for each in outcome.effects]
    return outcome.version, outcome.state, outcome.events, outcome.duplicate, outcome.left, effects


def one_by_one(engine: Pachyderm, some: list[Any]) -> list[Sent | PachydermError]:
    """Send each by itself."""
    outcomes: list[Sent | PachydermError] = []
    for each in some:
        try:
            outcomes.append(engine.send(each.entity, each.message, message_id=each.message_id, expect=each.expect))
        except PachydermError as error:
            outcomes.append(error)
    return outcomes


def left_behind(office: Office, engine: Pachyderm) -> Any:
    """Return every entity's log, and what became of every effect, without the times."""
    logs = {
        str(head.entity.id): [
            (event.version, event.entity, event.data, event.message_id, event.caused_by)
            for event in engine.history(head.entity)
        ]
        for head in engine.entities()
    }
    passing = ("due_at", "next_attempt_at", "created_at", "ended_at", "lease")
    rows = [sorted((key, str(value)) for key, value in row.items() if key not in passing) for row in office.rows()]
    return logs, sorted(rows)


@settings(max_examples=60)
@given(before=st.lists(sends, max_size=3), batch=st.lists(sends, max_size=9), cached=st.sampled_from([0, 1, 10]))
def test_together_is_as_one_by_one(before: list[Any], batch: list[Any], cached: int) -> None:
    """Outcomes, logs, effects and the outbox are alike, and so is what is left when a worker has done the rest."""
    found: list[list[Any]] = []
    for together in (True, False):
        with TemporaryDirectory() as folder, Office(f"sqlite:///{Path(folder) / 'store.db'}") as office:
            office.world.failing = {"bad"}
            engine = office.open(cached=cached, snapshots_every=2)

            def asked(some: list[Any], first: int, engine: Pachyderm = engine) -> list[Any]:
                return [
                    engine.request(
                        Reference(type_name, uuid5(SPACE, f"entity {entity}")),
                        message,
                        message_id=uuid5(SPACE, f"own {first + at}" if number is None else f"shared {number}"),
                        expect=expect,
                    )
                    for at, ((type_name, entity), message, number, expect) in enumerate(some)
                ]

            one_by_one(engine, asked(before, 0))
            all_of_it = asked(batch, len(before))
            sent = engine.send_all(all_of_it, keep_going=True) if together else one_by_one(engine, all_of_it)
            seen: list[Any] = [[told_of(each) for each in sent], [*office.world.heard], left_behind(office, engine)]
            office.pass_time(1000)
            list(engine.work(once=True, concurrency=1))
            found.append([*seen, left_behind(office, engine)])
    assert found[0] == found[1]
