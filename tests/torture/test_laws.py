"""The history checker: a sound history breaks no law, and each kind of fault breaks the law that is about it."""

from copy import deepcopy

import pytest

from tests.torture.after_the_commit import AFTER_THE_COMMIT, Fault
from tests.torture.histories import RED, A, B, a_message, row, sound
from torture.judge.history import Answer, History, Intent, Seen
from torture.judge.laws import LAWS, judge


def test_a_sound_history_breaks_no_law() -> None:
    """Not even with an effect that ran twice, an answer that was never given, and events that came again."""
    assert judge(sound()) == []


def lost(history: History) -> None:
    """An acknowledged message is not there."""
    del history.rows[2:]
    history.heads = {(RED, A): 2}
    history.outbox.pop()
    history.traces.pop()
    history.followed = [each for each in history.followed if not isinstance(each, Seen) or each.position < 3]


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


def another_outcome(history: History) -> None:
    """A message that is sent again is answered with another version."""
    history.repeats[0] = Answer("c", "m1", 3)


def accepted_at_last(history: History) -> None:
    """A message that was rejected is taken when it is sent again."""
    history.repeats[1] = Answer("c", "m3", 4)


def new_again(history: History) -> None:
    """A message that is sent again is taken for a new one."""
    history.repeats[0] = history.repeats[0]._replace(is_first=True)


def refused_too_late(history: History) -> None:
    """A rejection saw less than its own client had been told of before."""
    history.answers[2] = history.answers[2]._replace(saw=(2, 10))


def nothing_to_do_too_late(history: History) -> None:
    """A decision for no event saw less than was known before."""
    history.answers[3] = history.answers[3]._replace(saw=(0, 0), version=0)


def refused_by_what_never_was(history: History) -> None:
    """A rejection saw a sum that was never there."""
    history.answers[2] = history.answers[2]._replace(saw=(3, 14))


def quiet_and_written(history: History) -> None:
    """A message that was decided for no event has one."""
    history.intents[1].message["quiet"] = True  # type: ignore[index]  # a dict, here


def nothing_in_common(history: History) -> None:
    """No message id is used in both networks."""
    history.intents[-1] = history.intents[-1]._replace(message_id="m9")


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
        (taken_twice, "messages_are_delivered_exactly_once"),
        (never_taken, "messages_are_delivered_exactly_once"),
        (across_networks, "networks_are_apart"),
        (another_outcome, "an_id_has_one_outcome"),
        (accepted_at_last, "an_id_has_one_outcome"),
        (new_again, "an_id_has_one_outcome"),
        (refused_too_late, "no_refusal_is_stale"),
        (nothing_to_do_too_late, "no_refusal_is_stale"),
        (refused_by_what_never_was, "no_refusal_is_stale"),
        (quiet_and_written, "nothing_acknowledged_is_missing"),
        (nothing_in_common, "networks_are_apart"),
        *AFTER_THE_COMMIT,
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_fault_breaks_the_law_that_is_about_it(fault: Fault, law: str) -> None:
    """Whatever other laws it breaks as well."""
    history = deepcopy(sound())
    fault(history)
    assert law in {breach.law for breach in judge(history)}


def test_each_law_has_a_fault_here() -> None:
    """No law is one that nothing was ever seen to break."""
    tried = {case[1] for case in test_a_fault_breaks_the_law_that_is_about_it.pytestmark[0].args[1]}  # type: ignore[attr-defined]  # pytest's own
    assert tried == {law.__name__ for law in LAWS}
