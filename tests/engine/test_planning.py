"""Planning: what the effects of a decision come to."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from pachyderm_cli import CancelTimer, Effect, Event, Message, Reference, Send, Timer
from pachyderm_cli.domain.identifiers import effect_id
from pachyderm_cli.domain.protocol import read_entity
from pachyderm_cli.domain.reference import named_id
from pachyderm_cli.engine.planning import Origin, Plan, plan
from pachyderm_cli.errors import EntityFailed
from pachyderm_cli.store.records import Lease

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LEASE = Lease(uuid4(), 30)


class Ping(Message):
    number: int = 0


class Foreign(Message):
    pass


class Pinged(Event):
    pass


class Once(Effect):
    text: str = ""

    def dispatch(self, config: Any) -> None:
        """Do nothing."""


class Surely(Effect):
    delivery = "at_least_once"

    value: Any = None

    def dispatch(self, config: Any) -> None:
        """Do nothing."""


class State(BaseModel):
    model_config = ConfigDict(frozen=True)


def init() -> State:
    """Return the state."""
    return State()


def handle(message: Ping, state: State) -> Iterator[Pinged | Once | Surely]:
    """Answer with an event."""
    yield Pinged()


def update(event: Pinged, state: State) -> State:
    """Return the same state."""
    return state


TYPE = read_entity("pinger", SimpleNamespace(init=init, handle=handle, update=update))
ENTITY = Reference("pinger", uuid4())
ORIGIN = Origin(uuid4(), TYPE, ENTITY, "n")


def planned(*effects: Effect, lease: Lease | None = LEASE) -> Plan:
    """Return the plan of effects of `ORIGIN`."""
    return plan(effects, ORIGIN, lease)


def test_what_runs_at_most_once_is_not_queued() -> None:
    """It stays in this process, with the id that its place among the effects gives it."""
    made = planned(Once(text="a"))
    assert made.outbox == ()
    assert [(each.id, each.effect, each.queued) for each in made.effects] == [
        (effect_id(ORIGIN.message_id, 0), Once(text="a"), None)
    ]


def test_what_runs_at_least_once_is_queued_under_the_lease() -> None:
    """Its JSON text, its place and the type whose code carries it out go into the outbox."""
    [queued] = planned(Once(), Surely(value=[1])).outbox
    assert (queued.id, queued.ordinal) == (effect_id(ORIGIN.message_id, 1), 1)
    assert (queued.type, queued.data, queued.handler) == ("Surely", '{"value":[1]}', "pinger")
    assert (queued.lease, queued.to, queued.timer) == (LEASE, None, None)


def test_without_a_lease_it_is_left_to_workers() -> None:
    """`--no-effects` writes the same rows, held by nobody."""
    [queued] = planned(Surely(), lease=None).outbox
    assert queued.lease is None


def test_a_message_to_a_name_goes_to_the_entity_of_the_sender_s_network() -> None:
    """A name is turned into an id when it is written: what it means does not change later."""
    [queued] = planned(Send(to="other:@a", message=Ping(number=3))).outbox
    assert queued.to == Reference("other", named_id("n", "other", "a"))
    assert (queued.handler, queued.message, queued.data) == ("other", "Ping", '{"number":3}')


@pytest.mark.parametrize("time", [{"at": NOON}, {"after": timedelta(0)}], ids=repr)
def test_what_has_a_time_is_held_by_nobody(time: dict[str, Any]) -> None:
    """Timers and messages with a time wait in the outbox; a message's timer has no name."""
    send, timer = planned(Send(to=ENTITY, message=Ping(), **time), Timer("t", message=Ping(), **time)).outbox
    assert (send.lease, timer.lease) == (None, None)
    assert (send.timer, timer.timer) == ("", "t")
    assert timer.to == ENTITY
    assert (send.at, send.after) == (timer.at, timer.after) == (time.get("at"), time.get("after"))


def test_what_is_sent_back_is_kept_whole() -> None:
    """Its name and its data, as JSON that says which is which."""
    [queued] = planned(Send(to="other:@a", message=Ping(), on_rejected=Ping(number=7))).outbox
    assert queued.on_rejected == '{"message": "Ping", "data": {"number":7}}'


@pytest.mark.parametrize(
    "effect",
    [
        Timer("t", after=timedelta(1), message=Foreign()),
        Send(to="other:@a", message=Ping(), on_rejected=Foreign()),
        Surely(value=float("nan")),
        Send(to="other:@a", message=Ping(), on_rejected=Ping.model_construct(number="\ud800")),
    ],
    ids=["a timer's message", "what is sent back", "an effect", "a message"],
)
def test_what_could_not_be_carried_out_is_the_entity_s_failure(effect: Effect) -> None:
    """A message that the entity itself does not take, and what JSON cannot hold, are refused before the commit."""
    with pytest.raises(EntityFailed):
        planned(effect)


timer_effects = st.lists(
    st.one_of(
        st.builds(
            Timer,
            st.sampled_from("abc"),
            after=st.just(timedelta(1)),
            message=st.builds(Ping, number=st.integers(0, 9)),
        ),
        st.builds(CancelTimer, st.sampled_from("abc")),
        st.just(Once()),
    ),
    max_size=12,
)


@given(timer_effects)
def test_of_several_timers_of_a_name_the_last_one_counts(effects: list[Effect]) -> None:
    """What is queued is what a dictionary of timers would hold in the end; every name that was touched is cancelled."""
    expected: dict[str, tuple[UUID, str]] = {}
    for index, effect in enumerate(effects):
        if isinstance(effect, Timer):
            expected[effect.name] = effect_id(ORIGIN.message_id, index), effect.message.model_dump_json()
        elif isinstance(effect, CancelTimer):
            expected.pop(effect.name, None)
    made = planned(*effects)
    assert {str(each.timer): (each.id, each.data) for each in made.outbox} == expected
    assert set(made.cancels) == {effect.name for effect in effects if isinstance(effect, Timer | CancelTimer)}
    assert made.sets_timer == bool(expected)
    assert len(made.effects) == len(expected) + sum(isinstance(effect, Once) for effect in effects)
