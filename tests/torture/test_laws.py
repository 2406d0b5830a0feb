"""The history checker: a sound history breaks no law, and each kind of fault breaks the law that is about it."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from torture.judge.history import Answer, History, Intent, Queued, Row, Seen, Trace
from torture.judge.laws import LAWS, judge

RED, A, B = "red", "entity-a", "entity-b"


def a_message(amount: int, parts: int = 1, **wanted: Any) -> dict[str, Any]:
    """Return what a client asks for."""
    return {"amount": amount, "parts": parts, "ring": False, "whisper": False, "give_to": None, **wanted}


def row(position: int, version: int, before: int, message_id: str, **values: Any) -> Row:
    """Return an event of A that adds 5, decided at the version before its message."""
    ordinal = values.get("ordinal", 0)
    data = {"network": RED, "amount": 5, "before": before, "count": version - 1 - ordinal}
    event = Row(position, RED, A, version, "Added", data, message_id, 0)
    return event._replace(**values)


def sound() -> History:
    """Return a history with two parts of one message, a rejection, effects, a gift, and a follower that was killed."""
    gift = Row(4, RED, B, 1, "Taken", {"network": RED, "amount": 5, "before": 0, "count": 0, "origin": "m2"}, "q1", 0)
    seen = [Seen("f", RED, at, whose, version) for at, whose, version in ((1, A, 1), (2, A, 2), (3, A, 3), (4, B, 1))]
    return History(
        intents=[
            Intent("c", RED, A, "m1", a_message(5, 2, ring=True)),
            Intent("c", RED, A, "m2", a_message(5, whisper=True, give_to=B)),
            Intent("c", RED, A, "m3", a_message(0)),
            Intent("c", RED, A, "m4", a_message(5)),  # its client was killed, and it did not happen
        ],
        answers=[Answer("c", "m1", 2), Answer("c", "m2", 3), Answer("c", "m3", None)],
        rows=[row(1, 1, 0, "m1"), row(2, 2, 0, "m1", ordinal=1), row(3, 3, 10, "m2"), gift],
        heads={(RED, A): 3, (RED, B): 1},
        outbox=[Queued("r1", RED, A, 2, "m1", "Ring", "done"), Queued("q1", RED, A, 3, "m2", "Take", "done")],
        traces=[Trace("ring", RED, A, 2, "r1"), Trace("ring", RED, A, 2, "r1"), Trace("whisper", RED, A, 3, "w1")],
        seen=[*seen[:3], *seen[1:]],
    )


def test_a_sound_history_breaks_no_law() -> None:
    """Not even with an effect that ran twice, an answer that was never given, and events that came again."""
    assert judge(sound()) == []


def lost(history: History) -> None:
    """An acknowledged message is not there."""
    del history.rows[2:]
    history.heads = {(RED, A): 2}
    history.outbox.pop()
    history.traces.pop()
    history.seen = [each for each in history.seen if each.position < 3]


def rejected_and_written(history: History) -> None:
    """A message that was answered as rejected has an event."""
    history.answers[1] = Answer("c", "m2", None)


def at_another_version(history: History) -> None:
    """A message is there, and not as it was answered."""
    history.answers[0] = Answer("c", "m1", 1)


def a_gap(history: History) -> None:
    """A version is missing."""
    history.rows[2] = history.rows[2]._replace(version=4)


def a_head_behind(history: History) -> None:
    """A head is at an older version."""
    history.heads[RED, A] = 2


def out_of_order(history: History) -> None:
    """A later version has a lower position."""
    history.rows[0], history.rows[1] = (
        history.rows[0]._replace(position=2),
        history.rows[1]._replace(position=1),
    )


def a_lost_update(history: History) -> None:
    """A decision did not see what was there."""
    history.rows[2] = row(3, 3, 5, "m2")


def a_half(history: History) -> None:
    """Of a message's two events one is there."""
    history.intents[1] = Intent("c", RED, A, "m2", a_message(5, 2, whisper=True, give_to=B))


def uncalled_for(history: History) -> None:
    """An event is of a message that nobody sent."""
    history.intents.pop(1)
    history.answers.pop(1)


def another_amount(history: History) -> None:
    """What came of a message is not what it asked for."""
    history.intents[1] = Intent("c", RED, A, "m2", a_message(6, whisper=True, give_to=B))


def two_outcomes(history: History) -> None:
    """One message was answered with two versions."""
    history.answers.append(Answer("c", "m1", 3))


def without_a_commit(history: History) -> None:
    """An effect ran for an event that is not there."""
    history.traces.append(Trace("ring", RED, A, 7, "r7"))


def not_asked_for(history: History) -> None:
    """An effect ran for a message that asked for none."""
    history.traces.append(Trace("whisper", RED, A, 2, "w2"))


def never_rung(history: History) -> None:
    """A durable effect never ran."""
    history.traces = history.traces[2:]


def left_pending(history: History) -> None:
    """An effect is not done."""
    history.outbox[0] = history.outbox[0]._replace(status="pending")


def whispered_twice(history: History) -> None:
    """What runs at most once ran twice."""
    history.traces.append(history.traces[-1])


def taken_twice(history: History) -> None:
    """A gift was taken twice."""
    data = {**history.rows[3].data, "before": 5, "count": 1}
    history.rows.append(history.rows[3]._replace(position=5, version=2, message_id="q2", data=data))


def never_taken(history: History) -> None:
    """A gift was never taken."""
    history.rows.pop()
    history.heads.pop((RED, B))


def across_networks(history: History) -> None:
    """An event is of another network than its client."""
    history.rows[2] = history.rows[2]._replace(data={**history.rows[2].data, "network": "blue"})


def missed(history: History) -> None:
    """A follower did not see an event."""
    history.seen = history.seen[:-1]


def seen_too_soon(history: History) -> None:
    """A follower saw a version before the one before it."""
    history.seen = [history.seen[1], history.seen[0], *history.seen[2:]]


@pytest.mark.parametrize(
    ("fault", "law"),
    [
        (lost, "nothing_acknowledged_is_missing"),
        (rejected_and_written, "nothing_acknowledged_is_missing"),
        (at_another_version, "nothing_acknowledged_is_missing"),
        (a_gap, "versions_have_no_gap"),
        (a_head_behind, "versions_have_no_gap"),
        (out_of_order, "versions_have_no_gap"),
        (a_lost_update, "no_decision_is_stale"),
        (a_half, "a_send_is_whole"),
        (uncalled_for, "an_id_has_one_outcome"),
        (another_amount, "an_id_has_one_outcome"),
        (two_outcomes, "an_id_has_one_outcome"),
        (without_a_commit, "no_effect_is_without_its_commit"),
        (not_asked_for, "no_effect_is_without_its_commit"),
        (never_rung, "every_effect_is_done"),
        (left_pending, "every_effect_is_done"),
        (whispered_twice, "every_effect_is_done"),
        (taken_twice, "messages_are_delivered_exactly_once"),
        (never_taken, "messages_are_delivered_exactly_once"),
        (across_networks, "networks_are_apart"),
        (missed, "followers_miss_nothing"),
        (seen_too_soon, "followers_miss_nothing"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_fault_breaks_the_law_that_is_about_it(fault: Callable[[History], None], law: str) -> None:
    """Whatever other laws it breaks as well."""
    history = deepcopy(sound())
    fault(history)
    assert law in {breach.law for breach in judge(history)}


def test_each_law_has_a_fault_here() -> None:
    """No law is one that nothing was ever seen to break."""
    tried = {case[1] for case in test_a_fault_breaks_the_law_that_is_about_it.pytestmark[0].args[1]}  # type: ignore[attr-defined]  # pytest's own
    assert tried == {law.__name__ for law in LAWS}
