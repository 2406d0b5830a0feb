"""Effects: once, after the commit, with the merged configuration, each by itself."""

import pytest

from pachyderm_cli import Rejected
from pachyderm_cli.errors import EntityFailed
from pachyderm_cli.store.records import EffectStatus
from tests.contracts.conftest import OpenEngine
from tests.support import tally
from tests.support.raw import row_counts
from tests.support.tally import Add, Refuse, Spoil, Tell


def test_effects_run_after_the_commit(open_engine: OpenEngine, store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """When an effect runs, any other connection already sees its events."""
    seen: list[dict[str, int]] = []

    def dispatch(effect: tally.Told, config: object) -> None:
        seen.append(row_counts(store_url))

    monkeypatch.setattr(tally.Told, "dispatch", dispatch)
    open_engine().send("tally:@a", Add())
    assert seen == [{"entities": 1, "events": 1, "snapshots": 0}]


def test_effects_run_once_and_in_order(open_engine: OpenEngine) -> None:
    """Each effect of a message runs one time, in the order in which `handle` named them."""
    told: list[str] = []
    sent = open_engine(config={"told": told}).send("tally:@a", Tell(texts=("a", "b", "a")))
    assert told == ["a", "b", "a"]
    assert [effect.status for effect in sent.effects] == [EffectStatus.DONE] * 3
    assert len({effect.id for effect in sent.effects}) == 3


def test_a_failing_effect_is_reported_and_stops_nothing(open_engine: OpenEngine, store_url: str) -> None:
    """What one effect raises stands in its result, with its line; the commit stands and the others run."""
    told: list[str] = []
    sent = open_engine(config={"told": told}).send("tally:@a", Tell(texts=("a", "fail", "b")))
    assert told == ["a", "b"]
    assert [effect.status for effect in sent.effects] == ["done", "failed", "done"]
    [failed] = sent.failed_effects
    assert failed.error is not None
    assert failed.error.startswith(f"RuntimeError: told to fail ({tally.__file__}:")
    assert row_counts(store_url)["events"] == 1


def test_the_sender_may_add_to_the_configuration(open_engine: OpenEngine) -> None:
    """What `send` is given wins over the engine's own configuration, for that send alone."""
    own: list[str] = []
    given: list[str] = []
    engine = open_engine(config={"told": own})
    engine.send("tally:@a", Tell(texts=("a",)), config={"told": given})
    engine.send("tally:@a", Tell(texts=("b",)))
    assert (own, given) == (["b"], ["a"])


def test_effects_may_be_left_out(open_engine: OpenEngine) -> None:
    """With effects=False the send commits, runs none of them and calls them discarded."""
    told: list[str] = []
    sent = open_engine(config={"told": told}).send("tally:@a", Tell(texts=("a", "b")), effects=False)
    assert told == []
    assert sent.version == 1
    assert [(effect.type, effect.status) for effect in sent.effects] == [("Told", "discarded")] * 2


@pytest.mark.parametrize(("message", "error"), [(Refuse(), Rejected), (Spoil(), EntityFailed)])
def test_what_did_not_commit_runs_no_effect(
    open_engine: OpenEngine, message: Refuse | Spoil, error: type[Exception]
) -> None:
    """A send that raises has run nothing."""
    told: list[str] = []
    engine = open_engine(config={"told": told})
    with pytest.raises(error):
        engine.send("tally:@a", message)
    assert told == []


def test_an_effect_may_send(open_engine: OpenEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """No transaction is open while an effect runs: it may use the engine that runs it."""
    engine = open_engine()

    def dispatch(effect: tally.Told, config: object) -> None:
        engine.send("tally:@b", Tell(texts=()))

    monkeypatch.setattr(tally.Told, "dispatch", dispatch)
    sent = engine.send("tally:@a", Add())
    assert sent.failed_effects == ()
    assert engine.find("tally:@b").version == 1
