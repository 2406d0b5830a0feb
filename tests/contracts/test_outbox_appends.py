"""Appends with effects: in the outbox with their events or not at all, alone, in a group or in a batch."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from pachyderm_cli.errors import StoreError
from pachyderm_cli.store import outbox
from pachyderm_cli.store.append import append, append_all
from pachyderm_cli.store.records import Append, Held, NewSnapshot, Outcome
from pachyderm_cli.store.snapshots import snapshots_of
from pachyderm_cli.store.store import Store
from tests.support.appends import an_append, an_entity, versions
from tests.support.effects import NETWORK, a_lease, a_timer, an_effect, claim, one, queue, status

Write = Callable[[Store, list[Append]], list[Outcome]]


def in_a_group(store: Store, appends: list[Append]) -> list[Outcome]:
    """Write them as sends that share a commit."""
    outcomes = append(store, NETWORK, appends)
    for each in outcomes:
        if isinstance(each, StoreError):
            raise each
    return [each for each in outcomes if isinstance(each, Outcome)]


def in_a_batch(store: Store, appends: list[Append]) -> list[Outcome]:
    """Write them all or none."""
    late = append_all(store, NETWORK, appends)
    return [Outcome.CONFLICT if late else Outcome.APPENDED for _ in appends]


both_ways = pytest.mark.parametrize("write", [in_a_group, in_a_batch])


def queued(store: Store) -> set[UUID]:
    """Return the ids of all effects that are in the outbox."""
    return {each.id for each in outbox.effects_between(store, NETWORK, UUID(int=0), UUID(int=2**128 - 1), 1000)}


@both_ways
@pytest.mark.parametrize("snapshot", [None, NewSnapshot(2, "f", "{}")])
def test_effects_are_written_with_their_events(store: Store, write: Write, snapshot: NewSnapshot | None) -> None:
    """First appends and later ones, with a snapshot or without, each with the version that it led to."""
    old, new = an_entity(), an_entity()
    append(store, NETWORK, [an_append(old)])
    effects = [an_effect(0), an_effect(1), an_effect(0)]
    appends = [
        an_append(old, 1, outbox=tuple(effects[:2]), snapshot=snapshot),
        an_append(new, events=3, outbox=(effects[2],)),
    ]
    assert write(store, appends) == [Outcome.APPENDED] * 2
    assert [one(store, each.id).version for each in effects] == [2, 2, 3]
    assert [one(store, each.id).message_id for each in effects[1:]] == [each.message_id for each in appends]
    assert len(snapshots_of(store, NETWORK, old.id)) == (snapshot is not None)


@both_ways
def test_who_comes_too_late_queues_nothing_and_cancels_nothing(store: Store, write: Write) -> None:
    """A conflict leaves its effects out, and the timers that it would have ended."""
    entity, other = an_entity(), an_entity()
    timer = a_timer(entity, after=60)
    queue(store, timer, entity=entity)
    late = [
        an_append(entity, 0, outbox=(an_effect(),), cancels=("t",)),
        an_append(entity, 2, outbox=(an_effect(),), cancels=("t",)),
        an_append(other, 1, outbox=(an_effect(),)),
    ]
    for each in late:
        assert write(store, [each]) == [Outcome.CONFLICT]
    assert queued(store) == {timer.id}
    assert status(store, timer.id) == "pending"


def test_a_conflict_in_a_group_takes_nobody_s_effects_with_it(store: Store) -> None:
    """Each append's effects are in exactly if its events are."""
    old = an_entity()
    append(store, NETWORK, [an_append(old)])
    effects = [an_effect() for _ in range(4)]
    group = [
        an_append(an_entity(), outbox=(effects[0],)),
        an_append(old, 0, outbox=(effects[1],)),
        an_append(old, 1, outbox=(effects[2],)),
        an_append(an_entity(), outbox=(effects[3],)),
    ]
    expected = [Outcome.APPENDED, Outcome.CONFLICT, Outcome.APPENDED, Outcome.APPENDED]
    assert in_a_group(store, group) == expected
    assert queued(store) == {effects[at].id for at in (0, 2, 3)}


def test_a_batch_that_is_too_late_anywhere_queues_nothing(store: Store) -> None:
    """All or nothing holds for the outbox too."""
    old, new = an_entity(), an_entity()
    append(store, NETWORK, [an_append(old)])
    batch = [an_append(new, outbox=(an_effect(),)), an_append(old, 0, outbox=(an_effect(),))]
    assert append_all(store, NETWORK, batch) == [1]
    assert (queued(store), versions(store, NETWORK, new)) == (set(), [])


@pytest.mark.parametrize("alone", [False, True])
def test_a_message_id_used_before_queues_nothing(store: Store, *, alone: bool) -> None:
    """Its effects have the ids of the first one's, which are left as they are."""
    message_id, effect = uuid4(), an_effect()
    first = an_append(an_entity(), message_id=message_id, outbox=(effect,))
    again = an_append(an_entity(), message_id=message_id, outbox=(effect._replace(data='"other"'),))
    append(store, NETWORK, [first])
    group = [again] if alone else [an_append(an_entity()), again, an_append(an_entity())]
    assert in_a_group(store, group)[0 if alone else 1] is Outcome.MESSAGE_ID_USED
    assert one(store, effect.id).data == effect.data
    assert versions(store, NETWORK, again.entity) == []


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("snapshot", [None, NewSnapshot(1, "f", "{}")])
def test_one_that_lost_its_lease_in_a_group_does_not_hurt_its_neighbours(
    store: Store, at: int, snapshot: NewSnapshot | None
) -> None:
    """It alone writes nothing, neither event nor effect nor snapshot; the others are in, effects and all."""
    lease, mine, lost = a_lease(), an_effect(), an_effect()
    queue(store, mine, lost)
    claim(store, lease)
    neighbours = [
        an_append(an_entity(), outbox=(an_effect(),), settles=Held(mine.id, lease), snapshot=snapshot),
        an_append(an_entity(), outbox=(an_effect(),)),
    ]
    loser = an_append(an_entity(), outbox=(an_effect(),), settles=Held(lost.id, a_lease()), snapshot=snapshot)
    group = [*neighbours]
    group.insert(at, loser)
    outcomes = in_a_group(store, group)
    assert outcomes.pop(at) is Outcome.LEASE_LOST
    assert outcomes == [Outcome.APPENDED] * 2
    assert [versions(store, NETWORK, each.entity) for each in (loser, *neighbours)] == [[], [1], [1]]
    assert queued(store) == {mine.id, lost.id, *(each.outbox[0].id for each in neighbours)}
    assert (status(store, mine.id), status(store, lost.id)) == ("done", "pending")
    assert snapshots_of(store, NETWORK, loser.entity.id) == []


def test_what_is_settled_is_done_with_the_events_or_not_at_all(store: Store) -> None:
    """A conflict leaves it held, so that its holder may try again; a second settling finds it done."""
    lease, effect, receiver = a_lease(), an_effect(), an_entity()
    queue(store, effect)
    claim(store, lease)
    held = Held(effect.id, lease)
    assert in_a_group(store, [an_append(receiver, 3, settles=held)]) == [Outcome.CONFLICT]
    assert status(store, effect.id) == "pending"
    assert in_a_group(store, [an_append(receiver, settles=held)]) == [Outcome.APPENDED]
    found = one(store, effect.id)
    assert (found.status, found.next_attempt_at) == ("done", None)
    assert in_a_group(store, [an_append(receiver, 1, settles=held)]) == [Outcome.LEASE_LOST]
    assert versions(store, NETWORK, receiver) == [1]


def test_a_discarded_effect_cannot_be_settled(store: Store) -> None:
    """Whoever delivers its message meanwhile writes nothing."""
    lease, effect, receiver = a_lease(), an_effect(), an_entity()
    queue(store, effect)
    claim(store, lease)
    outbox.discard(store, NETWORK, effect.id, "why")
    assert in_a_group(store, [an_append(receiver, settles=Held(effect.id, lease))]) == [Outcome.LEASE_LOST]
    assert versions(store, NETWORK, receiver) == []


@both_ways
def test_a_timer_set_again_replaces_the_one_before(store: Store, write: Write) -> None:
    """The old one is discarded, and says so; one of another name or entity stays, and so does a message with a time."""
    entity, other = an_entity(), an_entity()
    old, namesake, sent = a_timer(entity, after=60), a_timer(other, after=60), a_timer(entity, "", after=60)
    another, parked = a_timer(entity, "u", after=60), a_timer(entity)
    queue(store, old, another, sent, parked, entity=entity)
    queue(store, namesake, entity=other)
    lease = a_lease()
    claim(store, lease)
    outbox.park(store, NETWORK, Held(parked.id, lease), "e", None)
    new = a_timer(entity, after=90)
    assert write(store, [an_append(entity, 1, outbox=(new,), cancels=("t",))]) == [Outcome.APPENDED]
    found = one(store, old.id)
    assert (found.status, found.next_attempt_at) == ("discarded", None)
    assert found.error == "cancelled, or replaced by another timer of that name"
    assert found.ended_at is not None
    assert status(store, parked.id) == "discarded"
    assert {str(status(store, each.id)) for each in (new, another, sent, namesake)} == {"pending"}


def test_a_timer_of_a_name_is_told_from_a_message_to_another(store: Store) -> None:
    """What is sent to another entity at a time is no timer, whatever stands beside it."""
    entity = an_entity()
    sent = a_timer(an_entity(), "t", after=60)
    queue(store, sent, entity=entity)
    append(store, NETWORK, [an_append(entity, 1, cancels=("t",))])
    assert status(store, sent.id) == "pending"


def test_a_timer_that_is_settled_may_be_set_again_with_it(store: Store) -> None:
    """It is done, not cancelled, and the new one is there."""
    entity, lease = an_entity(), a_lease()
    timer, again = a_timer(entity), a_timer(entity, after=60)
    queue(store, timer, entity=entity)
    claim(store, lease)
    setting = an_append(entity, 1, outbox=(again,), cancels=("t",), settles=Held(timer.id, lease))
    assert in_a_group(store, [setting]) == [Outcome.APPENDED]
    assert (status(store, timer.id), status(store, again.id)) == ("done", "pending")


def test_a_cancelled_timer_can_no_longer_be_settled(store: Store) -> None:
    """Who was delivering it writes nothing, whichever of the two comes first in a group."""
    entity, lease = an_entity(), a_lease()
    timer = a_timer(entity)
    queue(store, timer, entity=entity)
    claim(store, lease)
    assert in_a_group(store, [an_append(entity, 1, cancels=("t",))]) == [Outcome.APPENDED]
    delivery = an_append(entity, 2, settles=Held(timer.id, lease))
    assert in_a_group(store, [delivery]) == [Outcome.LEASE_LOST]
    assert versions(store, NETWORK, entity) == [1, 2]


def test_timers_that_are_set_and_cancelled_in_one_batch(store: Store) -> None:
    """What an earlier message of the batch set, a later one cancels or replaces."""
    entity, other = an_entity(), an_entity()
    timers = [a_timer(entity, after=60) for _ in range(3)]
    theirs = a_timer(other, after=60)
    batch = [
        an_append(entity, 0, outbox=(timers[0],), cancels=("t",)),
        an_append(entity, 1, outbox=(timers[1],), cancels=("t",)),
        an_append(other, 0, outbox=(theirs,), cancels=("t",)),
        an_append(entity, 2, cancels=("t", "u")),
        an_append(entity, 3, outbox=(timers[2],), cancels=("t",)),
    ]
    assert append_all(store, NETWORK, batch) == []
    assert [str(status(store, each.id)) for each in timers] == ["discarded", "discarded", "pending"]
    assert status(store, theirs.id) == "pending"


def test_large_and_odd_effects_are_kept(store: Store) -> None:
    """A megabyte of data, quotes, digits that no float has, and hundreds of effects of one message."""
    data = ['"' + "x" * 1_000_000 + '"', '{"a":"\\u0000\\ud83d\\udc18"}', '{"n":123456789012345678901234567890.10}']
    effects = [an_effect(at, data=text) for at, text in enumerate(data)]
    effects += [an_effect(at) for at in range(3, 500)]
    queue(store, *effects)
    found = {each.id: each for each in claim(store, most=1000)}
    assert len(found) == 500
    assert [found[each.id].data for each in effects[:3]] == data


def test_an_effect_that_the_database_refuses_takes_its_append_with_it(store: Store) -> None:
    """And no other of the group: that one's effects are there."""
    good: Any = an_append(an_entity(), outbox=(an_effect(),))
    bad = an_append(an_entity(), outbox=(an_effect(data=None),))
    outcomes = append(store, NETWORK, [good, bad])
    assert outcomes[0] is Outcome.APPENDED
    assert isinstance(outcomes[1], StoreError)
    assert versions(store, NETWORK, bad.entity) == []
    assert queued(store) == {good.outbox[0].id}
