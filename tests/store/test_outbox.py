"""The outbox: claimed under leases that end by the database's clock; nothing is ended by who has lost his."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from pachyderm_cli.store import outbox
from pachyderm_cli.store.append import append
from pachyderm_cli.store.records import EffectStatus, Held, Lease, Outcome
from pachyderm_cli.store.store import Store
from tests.support.appends import an_append, an_entity
from tests.support.effects import HANDLER, NETWORK, a_lease, an_effect, claim, one, queue, set_time, status

PAST = datetime(2000, 1, 1, tzinfo=UTC)
FUTURE = datetime(2100, 1, 1, tzinfo=UTC)


def test_what_is_due_is_claimed_the_longest_due_first(store: Store) -> None:
    """At most as many as asked for; of what is due at one time, in the order in which it was emitted."""
    late, early, both = an_effect(at=PAST + timedelta(days=1)), an_effect(at=PAST), [an_effect(), an_effect()]
    for effects in (both, [late], [early], [an_effect(at=FUTURE)]):
        queue(store, *effects)
    assert [each.id for each in claim(store, most=3)] == [early.id, late.id, both[0].id]
    assert [each.id for each in claim(store, most=3)] == [both[1].id]
    assert claim(store) == []


def test_a_claimed_effect_has_all_that_was_queued(store: Store) -> None:
    """Every column comes back as it was given, and attempts are not counted by a claim."""
    to, sender = an_entity(type_name="box"), an_entity()
    effect = an_effect(
        type="Send", data='{"a":1.50}', handler="box", to=to, message="Put", on_rejected='{"b":1}', timer="", at=PAST
    )
    queued = queue(store, effect, entity=sender)
    [found] = outbox.claim(store, NETWORK, ["box"], a_lease(), 1)
    assert found[:12] == (
        *(effect.id, sender, 1, queued.message_id, 0, "Send", '{"a":1.50}', "box", to, "Put", '{"b":1}', ""),
    )
    assert (found.status, found.attempts, found.due_at, found.error, found.ended_at) == ("pending", 0, PAST, None, None)


def test_others_of_another_network_or_handler_are_left(store: Store) -> None:
    """A claim takes what its network has for the handlers that are named, however many or few those are."""
    mine, other, there = an_effect(), an_effect(handler="other"), an_effect()
    queue(store, mine)
    queue(store, other)
    queue(store, there, network="there")
    assert outbox.claim(store, NETWORK, [], a_lease(), 9) == []
    assert [each.id for each in claim(store)] == [mine.id]
    handlers = [*(f"type_{number}" for number in range(2000)), "other"]
    assert [each.id for each in outbox.claim(store, NETWORK, handlers, a_lease(), 9)] == [other.id]
    assert [each.id for each in outbox.claim(store, "there", [HANDLER], a_lease(), 9)] == [there.id]


def test_what_is_leased_belongs_to_its_holder_until_the_lease_runs_out(store: Store, store_url: str) -> None:
    """From the start, with its attempt counted, if it was queued so; then it is another's."""
    lease = a_lease()
    effect = an_effect(lease=lease)
    queue(store, effect)
    assert claim(store) == []
    assert one(store, effect.id).attempts == 1
    set_time(store_url, effect.id, PAST)
    other = a_lease()
    assert [each.id for each in claim(store, other)] == [effect.id]
    assert not outbox.finish(store, NETWORK, Held(effect.id, lease))
    assert outbox.finish(store, NETWORK, Held(effect.id, other))


def test_a_lease_that_ran_out_and_that_nobody_took_still_holds(store: Store, store_url: str) -> None:
    """Its holder may go on: it is a claim of another's that ends it."""
    lease = a_lease()
    effect = an_effect(lease=lease)
    queue(store, effect)
    set_time(store_url, effect.id, PAST)
    assert outbox.begin_attempt(store, NETWORK, Held(effect.id, lease))
    assert claim(store) == []  # the lease began anew
    assert outbox.finish(store, NETWORK, Held(effect.id, lease))


@pytest.mark.parametrize("seconds", [0.5, 30])
def test_a_lease_lasts_as_long_as_it_says(store: Store, seconds: float) -> None:
    """By the database's clock, from the claim on."""
    effect = an_effect()
    queue(store, effect)
    claim(store, Lease(uuid4(), seconds))
    found = one(store, effect.id)
    assert found.next_attempt_at is not None
    assert 0 < (found.next_attempt_at - found.created_at).total_seconds() - seconds < 60
    assert outbox.next_due(store, NETWORK) == pytest.approx(seconds, abs=60)


@pytest.mark.parametrize(
    ("end", "becomes"),
    [
        (lambda store, held: outbox.finish(store, NETWORK, held), "done"),
        (lambda store, held: outbox.postpone(store, NETWORK, held, "e", 60), "pending"),
        (lambda store, held: outbox.park(store, NETWORK, held, "e", "f"), "parked"),
        (lambda store, held: outbox.reject(store, NETWORK, one(store, held.id), held.lease, "e", None), "rejected"),
    ],
)
def test_only_who_holds_the_lease_ends_it_and_only_once(
    store: Store, end: Callable[[Store, Held], bool], becomes: str
) -> None:
    """With another token nothing changes; with the right one it does, and then there is no lease any more."""
    lease, effect = a_lease(), an_effect()
    queue(store, effect)
    claim(store, lease)
    before = one(store, effect.id)
    assert not end(store, Held(effect.id, a_lease()))
    assert one(store, effect.id) == before
    assert end(store, Held(effect.id, lease))
    after = one(store, effect.id)
    assert (after.status, after.error) == (becomes, None if becomes == "done" else "e")
    assert (after.ended_at is None) == (becomes in ("pending", "parked"))
    assert not end(store, Held(effect.id, lease))
    assert one(store, effect.id) == after


def test_an_attempt_is_counted_under_the_lease_alone(store: Store) -> None:
    """Each beginning counts one and begins the lease anew; who has lost it counts nothing."""
    lease, effect = a_lease(), an_effect()
    queue(store, effect)
    claim(store, lease)
    assert [outbox.begin_attempt(store, NETWORK, Held(effect.id, each)) for each in (lease, a_lease(), lease)] == [
        True,
        False,
        True,
    ]
    assert one(store, effect.id).attempts == 2


def test_a_renewal_prolongs_all_that_is_held_and_nothing_else(store: Store, store_url: str) -> None:
    """What was let go, and what is another's, stays as it is."""
    lease = a_lease()
    effects = [an_effect() for _ in range(3)]
    queue(store, *effects)
    claim(store, lease, most=2)
    outbox.postpone(store, NETWORK, Held(effects[1].id, lease), "e", 5000)
    before = [one(store, each.id).next_attempt_at for each in effects]
    assert outbox.renew(store, NETWORK, Lease(lease.token, 9000)) == 1
    after = [one(store, each.id).next_attempt_at for each in effects]
    assert after[1:] == before[1:]
    assert after[0] is not None
    assert before[0] is not None
    assert after[0] - before[0] > timedelta(seconds=8000)
    assert outbox.renew(store, NETWORK, a_lease()) == 0


@pytest.mark.parametrize("counted", [False, True])
def test_what_is_given_back_is_due_again_at_once(store: Store, *, counted: bool) -> None:
    """An attempt that was counted, but not made, counts no more."""
    lease = a_lease()
    effects = [an_effect(lease=lease if counted else None) for _ in range(3)]
    queue(store, *effects)
    if not counted:
        claim(store, lease)
    held = [Held(each.id, lease) for each in effects[:2]]
    outbox.release(store, NETWORK, [*held, Held(effects[2].id, a_lease())], counted=counted)
    assert [one(store, each.id).attempts for each in effects] == [0, 0, int(counted)]
    assert {each.id for each in claim(store)} == {each.id for each in effects[:2]}


def test_what_is_parked_is_tried_again_for_other_code_only(store: Store) -> None:
    """The same fingerprint leaves it; another lets it be tried as often as a new one. So does none that is known."""
    lease = a_lease()
    known, unknown, foreign = an_effect(), an_effect(), an_effect(handler="other")
    queue(store, known, unknown, foreign)
    outbox.claim(store, NETWORK, [HANDLER, "other"], lease, 9)
    for effect, fingerprint in ((known, "old"), (unknown, None), (foreign, "old")):
        outbox.begin_attempt(store, NETWORK, Held(effect.id, lease))
        assert outbox.park(store, NETWORK, Held(effect.id, lease), "e", fingerprint)
    assert sorted(outbox.handlers_of_parked(store, NETWORK)) == ["other", HANDLER]
    assert claim(store) == []
    assert outbox.revive(store, "there", HANDLER, "new") == 0
    assert outbox.revive(store, NETWORK, HANDLER, "old") == 1
    assert (status(store, unknown.id), status(store, known.id)) == (EffectStatus.PENDING, EffectStatus.PARKED)
    assert outbox.revive(store, NETWORK, HANDLER, "new") == 1
    assert [each.attempts for each in claim(store)] == [0, 0]
    assert status(store, foreign.id) is EffectStatus.PARKED


def test_an_effect_that_failed_can_be_tried_again_unless_it_is_tried_now(store: Store, store_url: str) -> None:
    """One that waits, one that is parked, and one whose process died; not one that is new, held or ended."""
    lease = a_lease()
    new, waiting, parked, held, done, dead = (an_effect() for _ in range(6))
    queue(store, waiting, parked, held, done, dead)
    claim(store, lease)
    for each in (waiting, parked, held, done, dead):
        outbox.begin_attempt(store, NETWORK, Held(each.id, lease))
    outbox.postpone(store, NETWORK, Held(waiting.id, lease), "e", 5000)
    outbox.park(store, NETWORK, Held(parked.id, lease), "e", "f")
    outbox.finish(store, NETWORK, Held(done.id, lease))
    set_time(store_url, dead.id, PAST)
    queue(store, new)
    tried = {each.id for each in (new, waiting, parked, held, done, dead) if outbox.retry(store, NETWORK, each.id)}
    assert tried == {waiting.id, parked.id, dead.id}
    assert [one(store, each).attempts for each in tried] == [0, 0, 0]
    assert {each.id for each in claim(store)} == {*tried, new.id}
    assert not outbox.retry(store, "there", held.id)


def test_an_effect_can_be_discarded_until_it_is_ended(store: Store) -> None:
    """Even while it is carried out: then its holder finds that it has lost it. The reason is kept."""
    lease, effect = a_lease(), an_effect()
    queue(store, effect)
    claim(store, lease)
    assert not outbox.discard(store, "there", effect.id, "why")
    assert outbox.discard(store, NETWORK, effect.id, "why\0\ud800")
    assert not outbox.finish(store, NETWORK, Held(effect.id, lease))
    found = one(store, effect.id)
    assert (found.status, found.error) == ("discarded", "why\\x00\\ud800")
    assert found.ended_at is not None
    assert not outbox.discard(store, NETWORK, effect.id, "again")


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "ä\U0001f418"])
def test_whatever_text_comes_with_an_ending_is_kept(store: Store, text: str) -> None:
    """As far as a database can hold it: what it cannot is written in digits."""
    lease, effects = a_lease(), [an_effect() for _ in range(3)]
    queue(store, *effects)
    claim(store, lease)
    held = [Held(each.id, lease) for each in effects]
    assert outbox.postpone(store, NETWORK, held[0], text, 1)
    assert outbox.park(store, NETWORK, held[1], text, None)
    assert outbox.reject(store, NETWORK, one(store, effects[2].id), lease, text, None)
    expected = text.replace("\0", "\\x00").replace("\ud800", "\\ud800")
    assert [one(store, each.id).error for each in effects] == [expected] * 3


def test_a_rejection_and_what_goes_back_are_one(store: Store) -> None:
    """Under the lease both are written, without it neither; what goes back belongs to the sender's entity."""
    sender, lease = an_entity(), a_lease()
    effect = an_effect(type="Send", to=an_entity(), message="Add")
    queue(store, effect, entity=sender)
    claim(store, lease)
    back = an_effect(type="Send", to=sender, message="Undo")
    assert not outbox.reject(store, NETWORK, one(store, effect.id), a_lease(), "no", back)
    assert outbox.effects_between(store, NETWORK, back.id, back.id, 1) == []
    assert outbox.reject(store, NETWORK, one(store, effect.id), lease, "no", back)
    found = one(store, back.id)
    assert (found.entity, found.version, found.message_id, found.to) == (sender, 1, effect.id, sender)
    assert [each.id for each in claim(store)] == [back.id]


def test_the_next_due_time_is_told(store: Store) -> None:
    """None where nothing waits, negative for what is overdue, whoever could carry it out."""
    assert outbox.next_due(store, NETWORK) is None
    queue(store, an_effect(after=timedelta(hours=1)))
    assert outbox.next_due(store, NETWORK) == pytest.approx(3600, abs=60)
    queue(store, an_effect(handler="other", at=PAST))
    due = outbox.next_due(store, NETWORK)
    assert due is not None
    assert due < 0
    assert outbox.next_due(store, "there") is None


def test_claims_made_at_the_same_time_do_not_overlap(store: Store) -> None:
    """Eight threads take two hundred effects between them, and each is given to one."""
    effects = [an_effect() for _ in range(200)]
    queue(store, *effects)
    together = threading.Barrier(8, timeout=60)

    def work(_: int) -> list[UUID]:
        together.wait()
        mine: list[UUID] = []
        while claimed := claim(store, most=7):
            mine += [each.id for each in claimed]
        return mine

    with ThreadPoolExecutor(8) as pool:
        shares = list(pool.map(work, range(8)))
    claimed = [each for share in shares for each in share]
    assert sorted(claimed) == sorted(each.id for each in effects)


def test_two_that_end_one_effect_at_the_same_time_are_not_both_told_that_they_did(store: Store) -> None:
    """Of all that try under one lease, one changes it, and of old and new holder it is the new one."""
    lease, effects = a_lease(), [an_effect() for _ in range(20)]
    queue(store, *effects)
    claim(store, lease)
    together = threading.Barrier(4, timeout=60)

    def end(_: int) -> list[bool]:
        together.wait()
        return [outbox.finish(store, NETWORK, Held(each.id, lease)) for each in effects]

    with ThreadPoolExecutor(4) as pool:
        ended = list(pool.map(end, range(4)))
    assert [sum(each) for each in zip(*ended, strict=True)] == [1] * 20


def test_effects_are_found_by_status_id_entity_and_message(store: Store) -> None:
    """Each list has its order, and leaves out other networks; a stream may be ended early."""
    entity = an_entity()
    first = queue(store, an_effect(at=FUTURE), an_effect(at=PAST), entity=entity)
    second = an_append(entity, 1, outbox=(an_effect(),))
    append(store, NETWORK, [second])
    elsewhere = queue(store, an_effect(), network="there")
    ids = [each.id for each in (*first.outbox, *second.outbox)]
    pending = [each.id for each in outbox.effects_with_status(store, NETWORK, EffectStatus.PENDING)]
    assert pending == [ids[1], ids[2], ids[0]]
    assert next(outbox.effects_with_status(store, NETWORK, EffectStatus.PENDING)).id == ids[1]
    assert list(outbox.effects_with_status(store, NETWORK, EffectStatus.DONE)) == []
    assert [each.id for each in outbox.effects_of_entity(store, NETWORK, entity.id)] == [ids[1], ids[2], ids[0]]
    assert outbox.effects_of_entity(store, "there", entity.id) == []
    of_messages = outbox.effects_of_messages(store, NETWORK, [first.message_id, elsewhere.message_id])
    assert [each.id for each in of_messages] == ids[:2]
    assert outbox.effects_of_messages(store, NETWORK, []) == []
    everything = outbox.effects_between(store, NETWORK, UUID(int=0), UUID(int=2**128 - 1), 2)
    assert [each.id for each in everything] == sorted(ids, key=str)[:2]


@pytest.mark.parametrize("network", ["", "n'; --", "\U0001f418"])
def test_any_network_and_any_text_is_data(store: Store, network: str) -> None:
    """Names and texts never become part of a statement."""
    effect = an_effect(type="'); --", data='{"a":"%s %(b)s :c ?"}', handler="x'y")
    queue(store, effect, network=network)
    [found] = outbox.claim(store, network, ["x'y", "%s"], a_lease(), 1)
    assert (found.type, found.data) == ("'); --", '{"a":"%s %(b)s :c ?"}')


def test_an_empty_list_of_appends_and_an_append_without_effects_queue_nothing(store: Store) -> None:
    """An outbox that nothing was written to reads as empty, as does a store that is not there."""
    assert claim(store) == []
    assert append(store, NETWORK, [an_append(an_entity())]) == [Outcome.APPENDED]
    assert claim(store) == []
    assert outbox.renew(store, NETWORK, a_lease()) == 0
