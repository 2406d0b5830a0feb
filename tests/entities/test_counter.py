"""The counter: what it decides, how it folds, what its alert does."""

from functools import reduce
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from entities.counter import THRESHOLD, AlertAdmin, Increased, Increment, State, handle, init, update

increments = st.builds(Increment, amount=st.integers(min_value=1, max_value=10**6))
increases = st.builds(Increased, amount=st.integers(min_value=1))


def decided(messages: list[Increment]) -> tuple[list[State], list[Increased | AlertAdmin]]:
    """Return every state that `messages` lead through, the initial one first, and all that was emitted."""
    states, emitted = [init()], []
    for message in messages:
        results = list(handle(message, states[-1]))
        events = [result for result in results if isinstance(result, Increased)]
        states.append(reduce(lambda state, event: update(event, state), events, states[-1]))
        emitted += results
    return states, emitted


def test_a_new_counter_stands_at_zero() -> None:
    """Before any message the count is 0."""
    assert init() == State(count=0)


def test_an_increment_is_one_unless_it_says_otherwise() -> None:
    """Increment without an amount counts one further."""
    assert list(handle(Increment(), State(count=1))) == [Increased(amount=1)]


@pytest.mark.parametrize("amount", [0, -1, 1.5, "many"])
def test_an_increment_is_a_positive_whole_number(amount: object) -> None:
    """Increment takes no amount that is not a whole number above 0."""
    with pytest.raises(ValidationError):
        Increment.model_validate({"amount": amount})


@pytest.mark.parametrize(
    ("count", "amount", "alerts"),
    [(8, 1, 0), (9, 1, 1), (0, 10, 1), (9, 90, 1), (10, 1, 0), (11, 5, 0)],
)
def test_the_alert_comes_with_the_increment_that_reaches_the_threshold(count: int, amount: int, alerts: int) -> None:
    """AlertAdmin follows the event exactly when the count comes to the threshold or passes it."""
    emitted = list(handle(Increment(amount=amount), State(count=count)))
    assert emitted == [Increased(amount=amount), *[AlertAdmin(threshold=10)] * alerts]


@given(st.lists(increments, max_size=30))
def test_the_count_is_the_sum_of_what_was_sent(messages: list[Increment]) -> None:
    """Whatever is sent, the count is the sum of the amounts."""
    states, _ = decided(messages)
    assert states[-1].count == sum(message.amount for message in messages)


@given(st.lists(increments, max_size=30))
def test_the_alert_comes_at_most_once(messages: list[Increment]) -> None:
    """Over a counter's whole life there is one alert if the threshold was reached, and none if not."""
    states, emitted = decided(messages)
    alerts = [result for result in emitted if isinstance(result, AlertAdmin)]
    assert len(alerts) == (1 if states[-1].count >= THRESHOLD else 0)


@given(st.lists(increments, max_size=30))
def test_the_count_only_rises(messages: list[Increment]) -> None:
    """Every message takes the count up."""
    states, _ = decided(messages)
    assert all(before.count < after.count for before, after in pairwise(states))


@given(st.lists(increases, max_size=30).flatmap(lambda events: st.tuples(st.just(events), st.permutations(events))))
def test_the_order_of_events_makes_no_difference(orders: tuple[list[Increased], list[Increased]]) -> None:
    """The same increases in any order fold to the same count."""
    one, other = (reduce(lambda state, event: update(event, state), events, init()) for events in orders)
    assert one == other


@given(increases, st.integers(min_value=0))
def test_folding_leaves_the_state_before_as_it_was(event: Increased, count: int) -> None:
    """Update makes a new state and does not touch the one it is given."""
    before = State(count=count)
    update(event, before)
    assert before == State(count=count)


@given(increases)
def test_an_event_comes_back_from_json(event: Increased) -> None:
    """An event that is written as JSON and read again is the same event."""
    assert Increased.model_validate_json(event.model_dump_json()) == event


@pytest.mark.parametrize(("config", "admin"), [({"admin": "ada@example.org"}, "ada@example.org"), ({}, "admin")])
def test_the_alert_is_one_line_on_standard_error(
    config: dict[str, str], admin: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Dispatching the alert names the configured administrator and leaves standard output alone."""
    AlertAdmin(threshold=10).dispatch(config)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", f"alert for {admin}: the counter reached 10\n")
