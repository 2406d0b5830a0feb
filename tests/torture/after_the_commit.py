"""Faults of what comes after a commit, effects and followers, each put into a sound history."""

from collections.abc import Callable

from tests.torture.histories import RED, RING, WHISPER, A
from torture.judge.history import Began, History, Queued, Seen, Trace

Fault = Callable[[History], None]


def without_a_commit(history: History) -> None:
    """An effect ran for an event that is not there."""
    history.traces.append(Trace("ring", RED, A, 7, "r7", "m7", RED))


def not_asked_for(history: History) -> None:
    """An effect ran for a message that asked for none."""
    history.traces.append(Trace("whisper", RED, A, 2, "w2", "m1", RED))


def never_rung(history: History) -> None:
    """A durable effect never ran."""
    history.traces = history.traces[2:]


def left_pending(history: History) -> None:
    """An effect is not done."""
    history.outbox[0] = history.outbox[0]._replace(status="pending")


def whispered_twice(history: History) -> None:
    """What runs at most once ran twice."""
    history.traces.append(history.traces[-1])


def rung_by_the_loser(history: History) -> None:
    """An effect ran for a version that asked for one as well, and is of a message that came to nothing."""
    history.traces.append(RING._replace(effect_id="r4", message_id="m4"))


def rung_at_another_version(history: History) -> None:
    """An effect was told another version than that of its message."""
    history.traces[0] = RING._replace(version=1)


def queued_at_another_version(history: History) -> None:
    """A row of the outbox has another version than its message."""
    history.outbox[0] = history.outbox[0]._replace(version=3)


def queued_without_an_event(history: History) -> None:
    """A row of the outbox is of a message that came to nothing."""
    history.outbox.append(Queued("r4", RED, A, 4, "m4", "Ring", "done"))


def queued_uncalled_for(history: History) -> None:
    """A row of the outbox is of a message that asked for no such effect."""
    history.outbox.append(Queued("r5", RED, A, 3, "m2", "Ring", "done"))


def rung_by_two_ids(history: History) -> None:
    """An effect ran twice, each time by another id."""
    history.traces[1] = RING._replace(effect_id="r2")


def queued_twice(history: History) -> None:
    """An effect is in the outbox twice."""
    history.outbox.append(history.outbox[1]._replace(id="q2"))


def one_id_for_two(history: History) -> None:
    """Two effects have the same id."""
    history.traces[2] = WHISPER._replace(effect_id="r1")


def never_queued(history: History) -> None:
    """A durable effect is not in the outbox, although it ran."""
    history.outbox.pop(0)


def never_whispered(history: History) -> None:
    """What runs at most once never ran, although its client was answered."""
    history.traces.pop()


def whispered_by_two_ids(history: History) -> None:
    """What runs at most once ran twice, the second time by another id."""
    history.traces.append(WHISPER._replace(effect_id="w2"))


def rung_elsewhere(history: History) -> None:
    """An effect ran in another network than that of its message."""
    history.traces[0] = RING._replace(asked_in="blue")


def missed(history: History) -> None:
    """A follower did not see the last event."""
    history.followed.pop()


def saw_nothing(history: History) -> None:
    """A follower that was to be there saw nothing at all."""
    history.followed = []


def nobody_followed(history: History) -> None:
    """Nobody was to follow a network."""
    history.followers = []


def skipped(history: History) -> None:
    """A follower did not see an event between others, not even when it began again."""
    history.followed = [each for each in history.followed if not isinstance(each, Seen) or each.position != 3]


def seen_too_soon(history: History) -> None:
    """A follower saw a version before the one before it."""
    history.followed[1], history.followed[4] = history.followed[4], history.followed[1]


def seen_again_at_random(history: History) -> None:
    """An event came again although the follower had not begun again."""
    history.followed.insert(-1, history.followed[4])


def seen_again_out_of_order(history: History) -> None:
    """What came again after a kill came in another order."""
    history.followed[7:9] = reversed(history.followed[7:9])


def back_to_no_position(history: History) -> None:
    """A follower began again where its cursor never was."""
    history.followed.pop(7)  # it goes on with the third event, and its cursor was behind the first
    history.followed.append(Began("f"))
    history.followed.append(history.followed[5])


def back_too_far(history: History) -> None:
    """A follower began again before what its cursor had been moved behind."""
    history.followed.insert(7, history.followed[1])


def of_another_network(history: History) -> None:
    """A follower saw an event that is not in its network's log."""
    history.rows[3] = history.rows[3]._replace(network="blue")


AFTER_THE_COMMIT: tuple[tuple[Fault, str], ...] = (
    (without_a_commit, "no_effect_is_without_its_commit"),
    (not_asked_for, "no_effect_is_without_its_commit"),
    (never_rung, "every_effect_is_done"),
    (left_pending, "every_effect_is_done"),
    (whispered_twice, "every_effect_is_done"),
    (rung_by_the_loser, "no_effect_is_without_its_commit"),
    (rung_at_another_version, "no_effect_is_without_its_commit"),
    (queued_at_another_version, "no_effect_is_without_its_commit"),
    (queued_without_an_event, "no_effect_is_without_its_commit"),
    (queued_uncalled_for, "no_effect_is_without_its_commit"),
    (rung_by_two_ids, "an_effect_has_one_id"),
    (queued_twice, "an_effect_has_one_id"),
    (one_id_for_two, "an_effect_has_one_id"),
    (never_queued, "every_effect_is_done"),
    (never_whispered, "every_effect_is_done"),
    (whispered_by_two_ids, "every_effect_is_done"),
    (rung_elsewhere, "networks_are_apart"),
    (missed, "followers_miss_nothing"),
    (saw_nothing, "followers_miss_nothing"),
    (nobody_followed, "followers_miss_nothing"),
    (skipped, "followers_miss_nothing"),
    (seen_too_soon, "followers_miss_nothing"),
    (seen_again_at_random, "followers_miss_nothing"),
    (seen_again_out_of_order, "followers_miss_nothing"),
    (back_to_no_position, "followers_miss_nothing"),
    (back_too_far, "followers_miss_nothing"),
    (of_another_network, "followers_miss_nothing"),
)
"""Each fault, and the law that it breaks."""
