"""What timers set off that are delivered before a message: it is carried out with what the message leads to."""

from collections.abc import Iterator

import pytest

from pachyderm_cli.errors import Rejected
from tests.support.courier import Do, Pass, Post, Tell
from tests.support.office import Office, log
from tests.support.timers import remind, set_timers


@pytest.fixture
def office(store_url: str) -> Iterator[Office]:
    """Return a store for couriers, on each database."""
    with Office(store_url) as opened:
        yield opened


def test_what_overdue_timers_set_off_is_carried_out_by_the_send(office: Office) -> None:
    """Their effects, at most once and at least once, and their messages to others, before the message's own."""
    engine = office.open()
    orders = (Tell(text="s"), Post(text="t"), Pass(to="courier:@b", errand=Do(note="hello", orders=(Post(text="u"),))))
    set_timers(engine, remind(after=0, orders=orders))
    sent = engine.send("courier:@a", Do(note="n", orders=(Tell(text="own"),)))
    assert office.world.heard == ["s", "t", "own", "u"]
    assert [each.type for each in sent.effects] == ["Told"]
    assert {row["status"] for row in office.rows()} == {"done"}


@pytest.mark.parametrize("answer", ["refuse", "nothing"])
def test_it_is_carried_out_whatever_becomes_of_the_message(office: Office, answer: str) -> None:
    """The timers stand though the message behind them is rejected, or leads to nothing."""
    engine = office.open()
    set_timers(engine, remind(after=0, orders=(Tell(text="s"), Post(text="t"))))
    message = Do.model_validate({"note": "n", "answer": answer})
    if answer == "refuse":
        with pytest.raises(Rejected):
            engine.send("courier:@a", message)
    else:
        assert engine.send("courier:@a", message).version == 2
    assert office.world.heard == ["s", "t"]
    assert {row["status"] for row in office.rows()} == {"done"}


@pytest.mark.parametrize("by", ["send", "worker"])
def test_a_message_from_another_entity_comes_behind_the_receiver_s_timers(office: Office, by: str) -> None:
    """Whoever delivers it, the timers come first, and what they set off is carried out."""
    engine = office.open()
    set_timers(engine, remind(after=0, orders=(Tell(text="s"), Post(text="t"))), reference="courier:@b")
    sent = Do(note="n", orders=(Pass(to="courier:@b", errand=Do(note="hello", given="rung")),))
    engine.send("courier:@a", sent, effects=by == "send")
    if by == "worker":
        list(engine.work(once=True, concurrency=1))
    assert log(engine, "courier:@b") == ["set", "rung", "hello"]
    assert sorted(office.world.heard) == ["s", "t"]
    assert {row["status"] for row in office.rows()} == {"done"}


def test_without_effects_timers_come_first_and_what_they_set_off_is_left(office: Office) -> None:
    """What they lead to is due at once, for a worker."""
    engine = office.open()
    set_timers(engine, remind(after=0, orders=(Tell(text="s"), Post(text="t"))))
    assert engine.send("courier:@a", Do(note="n"), effects=False).version == 3
    assert office.world.heard == []
    assert [each.result.status for each in engine.work(once=True)] == ["done"]
    assert office.world.heard == ["t"]
