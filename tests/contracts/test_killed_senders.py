"""Senders that are killed at each step between their commit and the end of what they set off."""

from pathlib import Path

from tests.support.killed_aftermath import aftermath, kind_of
from tests.support.killed_scenarios import SCENARIOS

KILLS = 200


def test_senders_that_are_killed_at_each_step(store_url: str, tmp_path: Path) -> None:
    """Each durable effect has run and is done, each other ran at most once, each message is in exactly once."""
    seen = aftermath("send", store_url, tmp_path / "trace", KILLS)
    assert len(seen.killed) >= KILLS
    # One of each kind was killed at each step there is: the next one had no step left to be killed at, and lived.
    assert {kind_of(name) for name in seen.lived if not name.endswith("-0")} == set(SCENARIOS)
    assert seen.faults_of_messages() == []
    assert seen.faults_of_order() == []
    assert seen.faults_of_durable_effects() == []
    assert seen.faults_of_other_effects() == []
    assert set(seen.runs("once")) < seen.expected.once, "nobody was killed before an effect that is run at most once"
