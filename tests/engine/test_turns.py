"""Turns: threads of one process that want one entity come one after the other, and none is kept out."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest

from pachyderm_cli.engine import sending, turns
from pachyderm_cli.engine.turns import Turn, Turns
from tests.support.engines import tally_engine
from tests.support.tally import Add

SECONDS = 60
ONE = UUID(int=1)


@pytest.fixture
def lines() -> Iterator[Turns]:
    """Return turns, of which nothing is to be left."""
    made = Turns()
    yield made
    assert made.lines == {}


def waiting(lines: Turns, number: int) -> None:
    """Return once so many stand in line."""
    while len(lines.lines[ONE.int]) < number:
        pass


def test_who_wants_an_entity_that_nobody_waits_for_has_no_turn_to_take(lines: Turns) -> None:
    """A send that loses no race pays nothing."""
    with Turn(lines, ONE):
        assert lines.lines == {}


def test_they_come_in_the_order_in_which_they_asked(lines: Turns) -> None:
    """Each goes on when the one before has left; who comes after joins the line at once."""
    came: list[int] = []

    def come(number: int) -> None:
        with Turn(lines, ONE):
            came.append(number)

    with ThreadPoolExecutor(4) as pool, Turn(lines, ONE) as first:
        assert first.take()
        others = []
        for number in range(4):
            others.append(pool.submit(come, number))
            waiting(lines, number + 2)
        assert came == []
        first.leave()
        for each in others:
            each.result(SECONDS)
    assert came == [0, 1, 2, 3]


def test_other_entities_have_lines_of_their_own(lines: Turns) -> None:
    """Nobody waits for a turn with another entity."""
    with Turn(lines, ONE) as one, Turn(lines, uuid4()) as other:
        assert one.take()
        assert other.take()


def test_who_has_a_turn_has_it_for_all_that_is_a_part_of_it(lines: Turns) -> None:
    """An entity's timers are delivered inside of the send that found them due: it is not to wait for itself."""
    with Turn(lines, ONE) as turn:
        assert turn.take()
        with Turn(lines, ONE) as inner:
            assert not inner.take()
        assert not turn.take()


def test_who_does_not_get_a_turn_goes_ahead(lines: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entity's code that hangs in one thread keeps no other out."""
    monkeypatch.setattr(turns, "_LONGEST", 0.01)
    with Turn(lines, ONE) as hanging, ThreadPoolExecutor(1) as pool:
        assert hanging.take()

        def come() -> int:
            with Turn(lines, ONE):
                return 1

        assert pool.submit(come).result(SECONDS) == 1


def test_an_interruption_in_line_leaves_no_place_behind(lines: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while it waits comes through, and those behind do not wait for it."""
    with Turn(lines, ONE) as first, ThreadPoolExecutor(1) as pool:
        assert first.take()

        def interrupted() -> None:
            monkeypatch.setattr(threading.Event, "wait", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with Turn(lines, ONE):
                pass

        with pytest.raises(KeyboardInterrupt):
            pool.submit(interrupted).result(SECONDS)
        monkeypatch.undo()
        assert list(lines.lines[ONE.int]) == [first]


def test_threads_that_want_one_entity_seldom_decide_for_nothing(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hardly one loses a race to another that was under way before it had its turn, and everything is in."""
    lost: list[int] = []
    monkeypatch.setattr(sending, "pause", lost.append)
    count, each_sends = 16, 10
    with tally_engine(store_url) as engine, ThreadPoolExecutor(count) as pool:
        engine.send("tally:@a", Add(amount=0))

        def send(_: int) -> None:
            for _ in range(each_sends):
                engine.send("tally:@a", Add())

        list(pool.map(send, range(count)))
        assert engine.state("tally:@a").count == count * each_sends
    assert len(lost) < count * each_sends / 2  # without turns there are several for each send


def test_a_turn_is_left_whatever_happens(lines: Turns) -> None:
    """An error of the entity's code lets the next in line go on."""

    def fail(turn: Turn) -> None:
        turn.take()
        raise ValueError("the entity's own")

    with pytest.raises(ValueError, match="own"), Turn(lines, ONE) as turn:
        fail(turn)
