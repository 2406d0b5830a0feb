"""Entities are pure functions, so their tests need no store.

Run them with: python -m pytest
"""

from entities.counter import AlertAdmin, Increased, Increment, State, handle, init, update


def test_a_counter_begins_at_nought():
    assert init() == State(count=0)


def test_incrementing_is_answered_with_what_happened():
    assert list(handle(Increment(amount=2), State(count=0))) == [Increased(amount=2)]


def test_reaching_ten_alerts_the_admin():
    assert list(handle(Increment(), State(count=9))) == [Increased(amount=1), AlertAdmin(threshold=10)]


def test_what_happened_is_added_up():
    assert update(Increased(amount=2), State(count=3)) == State(count=5)
