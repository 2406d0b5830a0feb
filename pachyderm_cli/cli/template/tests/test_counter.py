"""Entities are pure functions, so their tests need no store.

Run them with: python -m pytest
"""

from entities import counter
from entities.counter import AlertAdmin, Increased, Increment, State
from pachyderm_cli.testing import entity_tests, given


def test_a_counter_begins_at_nought():
    given(counter).then_state(State(count=0))


def test_incrementing_is_answered_with_what_happened():
    given(counter).when(Increment(amount=2)).then(Increased(amount=2))


def test_reaching_ten_alerts_the_admin():
    given(counter, Increased(amount=9)).when(Increment()).then(Increased(amount=1), AlertAdmin(threshold=10))


def test_what_happened_is_added_up():
    given(counter, Increased(amount=3)).when(Increment(amount=2)).then_state(State(count=5))


# Every property that `pachyderm check` looks at, as tests. Needs: pip install 'pachyderm-cli[check]'
TestCounter = entity_tests(counter)
