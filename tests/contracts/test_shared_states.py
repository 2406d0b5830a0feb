"""States that can be changed in place: what goes in and comes out is nobody else's."""

from typing import Any

import pytest

from pachyderm_cli import Pachyderm
from pachyderm_cli.engine import sending
from pachyderm_cli.errors import EntityFailed, Rejected
from pachyderm_cli.store.append import append
from tests.support import basket
from tests.support.basket import Put, Spill, SpillAndPut


def basket_engine(store_url: str, **options: Any) -> Pachyderm:
    """Return an engine for the basket."""
    return Pachyderm(store_url, {"basket": basket}, **options)


def test_a_state_that_was_given_out_may_be_changed(store_url: str) -> None:
    """What a caller does to the state of a result, or of `state()`, no later send is decided on."""
    with basket_engine(store_url) as engine:
        first = engine.send("basket:@a", Put(thing="apple"))
        first.state["things"].append("stone")
        second = engine.send("basket:@a", Put(thing="pear"))
        second.state.clear()
        engine.state("basket:@a")["things"].append("stone")
        engine.inspect("basket:@a").state["things"].append("stone")
        third = engine.send("basket:@a", Put(thing="fig"))
        assert third.state == {"things": ["apple", "pear", "fig"]}
        assert engine.replay("basket:@a").state == third.state


def test_a_handle_that_changes_its_state_changes_nothing(store_url: str) -> None:
    """What `handle` does in place to what it was given is lost: on acceptance, rejection, and where nothing is said."""
    with basket_engine(store_url, snapshots_every=1) as engine:
        for thing in ("apple", "pear"):
            sent = engine.send("basket:@a", SpillAndPut(thing=thing))
        assert sent.state == {"things": ["apple", "pear"]}
        assert engine.snapshots("basket:@a")[0].state == '{"things":["apple","pear"]}'
        with pytest.raises(Rejected):
            engine.send("basket:@a", Spill(reject=True))
        assert engine.send("basket:@a", Spill(reject=False)).state == sent.state
        assert engine.send("basket:@a", SpillAndPut(thing="fig")).state == {"things": ["apple", "pear", "fig"]}
        assert engine.state("basket:@a") == engine.replay("basket:@a").state


def test_an_update_that_changes_its_state_is_harmless(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decision that lost its race was folded in place; the next one begins from what the log says."""
    with basket_engine(store_url) as slow, basket_engine(store_url) as quick:
        slow.send("basket:@a", Put(thing="apple"))

        def overtaken(*arguments: Any) -> Any:
            monkeypatch.setattr(sending, "append", append)
            quick.send("basket:@a", Put(thing="pear"))
            return append(*arguments)

        monkeypatch.setattr(sending, "append", overtaken)
        sent = slow.send("basket:@a", Put(thing="fig"))
        assert sent.state == {"things": ["apple", "pear", "fig"]}
        assert slow.send("basket:@a", Put(thing="nut")).state == slow.replay("basket:@a").state


def test_a_state_that_cannot_be_copied_fails_before_anything_is_written(store_url: str) -> None:
    """The send that leads to it is acknowledged, since it is written; the next one says what is wrong."""
    with basket_engine(store_url) as engine:
        sent = engine.send("basket:@a", Put(thing="uncopyable"))
        assert sent.version == 1
        with pytest.raises(EntityFailed, match="copying the state"):
            engine.send("basket:@a", Put(thing="apple"))
        assert engine.find("basket:@a").version == 1
