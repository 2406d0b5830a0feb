"""From the effects of a decision to what is queued: the last timer of a name counts, and JSON changes nothing."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pachyderm_cli import CancelTimer, Effect, Event, Message, Reference, Send, Timer
from pachyderm_cli.domain.identifiers import effect_id
from pachyderm_cli.domain.protocol import read_entity
from pachyderm_cli.domain.reference import named_id
from pachyderm_cli.engine.planning import NO_PLAN, Origin, Plan, plan
from pachyderm_cli.errors import EntityFailed
from pachyderm_cli.store.records import Lease


class Ring(Message):
    times: int = 1


class RingMore(Ring):
    pass


class Other(Message):
    value: Any = None


class Rang(Event):
    pass


class Once(Effect):
    value: Any = None

    def dispatch(self, config: dict[str, Any]) -> None:
        """Do nothing."""


class Durable(Once):
    delivery = "at_least_once"


def handle(message: Ring | Other, state: int) -> list[Rang | Once | Durable]:
    """Answer with nothing; what is planned is given by the tests."""
    return []


def update(event: Rang, state: int) -> int:
    """Count."""
    return state + 1


def init() -> int:
    """Begin at 0."""
    return 0


BELL = read_entity("bell", SimpleNamespace(handle=handle, update=update, init=init))


ME = Reference("bell", UUID(int=5))
MESSAGE_ID = UUID("5d0fb0a7-62a4-4cf5-8d29-3b2e9b1f9d55")
LEASE = Lease(UUID(int=9), 30)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def planned(*effects: Effect, lease: Lease | None = LEASE, network: str = "default") -> Plan:
    """Return what the effects come to for a bell."""
    return plan(effects, Origin(MESSAGE_ID, BELL, ME, network), lease)


def test_no_effects_come_to_nothing() -> None:
    """And set no timer."""
    assert planned() == NO_PLAN
    assert not NO_PLAN.sets_timer


@pytest.mark.parametrize("lease", [LEASE, None])
def test_an_effect_goes_to_the_outbox_if_it_is_delivered_at_least_once(lease: Lease | None) -> None:
    """Each has the id that follows from message and place; what is due at once is under the lease from the start."""
    found = planned(Once(value=1), Durable(value="a"), Once(value=2), Durable(), lease=lease)
    assert [each.id for each in found.effects] == [effect_id(MESSAGE_ID, at) for at in range(4)]
    assert [each.effect for each in found.effects] == [Once(value=1), Durable(value="a"), Once(value=2), Durable()]
    assert [each.queued for each in found.effects] == [None, found.outbox[0], None, found.outbox[1]]
    first, second = found.outbox
    assert (first.id, first.ordinal, first.type, first.handler) == (effect_id(MESSAGE_ID, 1), 1, "Durable", "bell")
    assert (first.data, second.data) == ('{"value":"a"}', '{"value":null}')
    assert {(each.to, each.message, each.timer, each.at, each.after, each.lease) for each in found.outbox} == {
        (None, None, None, None, None, lease)
    }
    assert (found.cancels, found.sets_timer) == ((), False)


def test_a_message_is_queued_for_its_receiver() -> None:
    """With its data, for the receiver's code, under the lease; by name in the sender's network."""
    to = Reference("a.box", uuid4())
    found = planned(
        Send(to=to, message=Ring(times=3)),
        Send(to=f"box:{MESSAGE_ID}", message=Other()),
        Send(to="box:@b", message=Other(value=1), on_rejected=Ring()),
        network="there",
    )
    assert [each.to for each in found.outbox] == [
        to,
        Reference("box", MESSAGE_ID),
        Reference("box", named_id("there", "box", "b")),
    ]
    assert [each.handler for each in found.outbox] == ["a.box", "box", "box"]
    assert [(each.type, each.message, each.data) for each in found.outbox] == [
        ("Send", "Ring", '{"times":3}'),
        ("Send", "Other", '{"value":null}'),
        ("Send", "Other", '{"value":1}'),
    ]
    assert [each.on_rejected for each in found.outbox] == [None, None, '{"message": "Ring", "data": {"times":1}}']
    assert {(each.timer, each.lease) for each in found.outbox} == {(None, LEASE)}
    assert not found.sets_timer


def test_what_has_a_time_is_under_no_lease() -> None:
    """A timer goes to the entity itself and has a name; a message with a time has an empty one."""
    found = planned(
        Timer("t", at=NOON, message=Ring()),
        Send(to="box:@b", after=HOUR, message=Other()),
        Timer("u", after=timedelta(0), message=Ring()),
    )
    assert [(each.timer, each.at, each.after, each.lease) for each in found.outbox] == [
        ("t", NOON, None, None),
        ("", None, HOUR, None),
        ("u", None, timedelta(0), None),
    ]
    assert [found.outbox[at].to for at in (0, 2)] == [ME, ME]
    assert (found.cancels, found.sets_timer) == (("t", "u"), True)


effects = st.lists(
    st.one_of(
        st.builds(Timer, st.sampled_from("tu"), after=st.just(HOUR), message=st.builds(Ring, times=st.integers(0, 99))),
        st.builds(CancelTimer, st.sampled_from("tuv")),
        st.sampled_from(
            [Once(), Durable(), Send(to="box:@b", message=Other()), Send(to="box:@b", message=Other(), after=HOUR)]
        ),
    ),
    max_size=10,
)


@given(emitted=effects)
def test_of_several_timers_of_one_name_the_last_counts(emitted: list[Effect]) -> None:
    """Unless it is cancelled after; every name is cancelled once, and all else stays, each with the id of its place."""
    found = planned(*emitted)
    last = {each.name: at for at, each in enumerate(emitted) if isinstance(each, Timer | CancelTimer)}
    expected = [
        (effect_id(MESSAGE_ID, at), each)
        for at, each in enumerate(emitted)
        if not isinstance(each, CancelTimer) and (not isinstance(each, Timer) or last[each.name] == at)
    ]
    assert [(each.id, each.effect) for each in found.effects] == expected
    assert found.outbox == tuple(each.queued for each in found.effects if each.queued is not None)
    assert sorted(found.cancels) == sorted(last)
    assert [each.ordinal for each in found.outbox] == sorted({each.ordinal for each in found.outbox})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (Timer("t", after=HOUR, message=RingMore()), "a Timer that would bring it the message RingMore"),
        (Send(to="box:@b", message=Ring(), on_rejected=RingMore()), "a Send that would bring it the message RingMore"),
    ],
)
def test_a_message_that_the_entity_does_not_take_cannot_come_to_it(wrong: Effect, said: str) -> None:
    """It is refused before it is committed, with the line of `handle`."""
    with pytest.raises(EntityFailed, match=said) as caught:
        planned(wrong)
    assert caught.value.details["file"] == __file__


def test_whether_another_entity_takes_a_message_is_not_asked() -> None:
    """Its code may be elsewhere."""
    assert planned(Send(to="box:@b", message=RingMore())).outbox[0].message == "RingMore"


@pytest.mark.parametrize("value", [float("nan"), "\ud800", {1: "a"}, (1, 2), object()])
def test_what_json_would_change_is_not_queued(value: Any) -> None:
    """Neither an effect's data nor a message's, nor what goes back; an effect at most once may hold anything."""
    for wrong in (
        Durable(value=value),
        Send(to="box:@b", message=Other(value=value)),
        Send(to="box:@b", message=Ring(), on_rejected=Other(value=value)),
        Timer("t", after=HOUR, message=Other(value=value)),
    ):
        with pytest.raises(EntityFailed, match=f"the effect {type(wrong).__name__} cannot be stored"):
            planned(wrong)
    assert planned(Once(value=value)).outbox == ()


def test_what_is_run_right_away_is_what_a_worker_would_run() -> None:
    """A durable effect is the one that its JSON gives back."""
    effect = Durable(value=[1, {"a": None}])
    [found] = planned(effect).effects
    assert found.effect == effect
    assert found.effect is not effect
    assert found.queued is not None
    assert Durable.model_validate_json(found.queued.data) == found.effect
