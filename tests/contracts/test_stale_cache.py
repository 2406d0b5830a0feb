"""A cache that is behind the log: no answer is given from it that the log does not bear out."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from pachyderm_cli import Pachyderm
from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.errors import Rejected, VersionConflict
from tests.contracts.conftest import OpenEngine
from tests.support import quota
from tests.support.quota import GiveBack, Take, TakeFirst
from tests.support.tally import Add, Ask

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60  # how long anything is waited for that should be there at once


@pytest.fixture
def two_quotas(store_url: str) -> Iterator[tuple[Pachyderm, Pachyderm]]:
    """Return two engines for the quota on one store: what one writes the other's cache does not hold."""
    with (
        Pachyderm(store_url, {"quota": quota}) as first,
        Pachyderm(store_url, {"quota": quota}) as second,
    ):
        yield first, second


def test_a_rejection_is_not_decided_on_an_old_state(two_quotas: tuple[Pachyderm, Pachyderm]) -> None:
    """A message that the cached state would reject is accepted where the newest accepts it."""
    mine, theirs = two_quotas
    for _ in range(quota.LIMIT):
        mine.send("quota:@a", Take())
    theirs.send("quota:@a", GiveBack())
    sent = mine.send("quota:@a", Take())
    assert (sent.version, sent.state) == (5, quota.State(taken=1))


def test_an_acceptance_is_not_decided_on_an_old_state(two_quotas: tuple[Pachyderm, Pachyderm]) -> None:
    """A message that the cached state would accept is rejected where the newest rejects it, and nothing is written."""
    mine, theirs = two_quotas
    mine.send("quota:@a", Take())
    for _ in range(quota.LIMIT - 1):
        theirs.send("quota:@a", Take())
    with pytest.raises(Rejected, match="all are taken"):
        mine.send("quota:@a", Take())
    assert [event.version for event in mine.history("quota:@a")] == [1, 2, 3]


def test_no_events_is_not_answered_on_an_old_state(two_quotas: tuple[Pachyderm, Pachyderm]) -> None:
    """Whether there is nothing to write is decided on the newest state, either way."""
    mine, theirs = two_quotas
    mine.send("quota:@a", Take())
    theirs.send("quota:@a", GiveBack())
    sent = mine.send("quota:@a", TakeFirst())
    assert (sent.version, len(sent.events), sent.state.taken) == (3, 1, 1)
    theirs.send("quota:@a", GiveBack())
    theirs.send("quota:@a", Take())
    theirs.send("quota:@a", Take())
    sent = mine.send("quota:@a", TakeFirst())
    assert (sent.version, sent.events, sent.state.taken) == (6, (), 2)


def test_a_rejection_after_the_log_was_read_is_final(two_quotas: tuple[Pachyderm, Pachyderm]) -> None:
    """Where cached and newest state both reject, the sender is told of the newest one's reason."""
    mine, theirs = two_quotas
    mine.send("quota:@a", Take())
    mine.send("quota:@a", GiveBack())
    theirs.send("quota:@a", Take())
    theirs.send("quota:@a", GiveBack())
    with pytest.raises(Rejected, match="nothing is taken"):
        mine.send("quota:@a", GiveBack())


def test_expect_is_held_against_the_log(open_engine: OpenEngine) -> None:
    """The expected version is the log's, whether the cache holds that version, an older one, or none."""
    mine, theirs = open_engine(), open_engine()
    mine.send("tally:@a", Add())
    theirs.send("tally:@a", Add())
    with pytest.raises(VersionConflict) as caught:
        mine.send("tally:@a", Add(), expect=1)
    assert (caught.value.details["version"], caught.value.details["expected"]) == (2, 1)
    theirs.send("tally:@a", Add())
    assert mine.send("tally:@a", Add(), expect=3).version == 4
    with pytest.raises(VersionConflict):
        mine.send("tally:@a", Ask(), expect=3)
    assert mine.send("tally:@a", Ask(), expect=4).version == 4


def test_expect_is_held_against_the_log_where_nothing_is_written(open_engine: OpenEngine) -> None:
    """A message without events that expected the version of an old cache is refused too."""
    mine, theirs = open_engine(), open_engine()
    mine.send("tally:@a", Add())
    theirs.send("tally:@a", Add())
    with pytest.raises(VersionConflict):
        mine.send("tally:@a", Ask(), expect=1)


def test_what_is_shown_is_current(open_engine: OpenEngine) -> None:
    """`state`, `inspect` and `snapshot` are of what the log says, whatever the cache holds."""
    mine, theirs = open_engine(), open_engine()
    mine.send("tally:@a", Add())
    theirs.send("tally:@a", Add(amount=10))
    assert mine.state("tally:@a").count == 11
    theirs.send("tally:@a", Add(amount=100))
    shown = mine.inspect("tally:@a")
    assert (shown.version, shown.state.count) == (3, 111)
    theirs.send("tally:@a", Add(amount=1000))
    assert mine.snapshot("tally:@a").state == '{"count":1111,"kept":[]}'


def test_another_process_writes(open_engine: OpenEngine, store_url: str) -> None:
    """The next send is decided on what another process wrote meanwhile, and so is what is shown."""
    told: list[str] = []
    mine = open_engine(config={"told": told})
    mine.send("tally:@a", Add())

    def from_another_process() -> None:
        command = [sys.executable, "-m", "tests.support.send_once", store_url, "tally:@a", "10"]
        subprocess.run(command, cwd=ROOT, check=True, timeout=SECONDS)

    from_another_process()
    sent = mine.send("tally:@a", Add(amount=5))
    assert (sent.version, sent.state.count) == (3, 16)
    assert told == ["0 + 1", "11 + 5"]
    from_another_process()
    assert mine.state("tally:@a").count == 26


def test_an_engine_that_is_always_behind_takes_its_turns(open_engine: OpenEngine) -> None:
    """Two engines that write in turn each find the other's event, and lose none."""
    engines = [open_engine(), open_engine()]
    for turn in range(10):
        assert engines[turn % 2].send("tally:@a", Add()).state.count == turn + 1


def test_two_types_on_one_history_see_each_other(engine: Pachyderm) -> None:
    """Each type's cached fold is brought forward over what the other appended, in one engine."""
    tally, doubler = Reference("tally", (same := uuid4())), Reference("doubler", same)
    engine.send(tally, Add(amount=5))
    assert engine.send(doubler, "Double").state == 10
    assert engine.send(tally, Add()).state.count == 11
    assert engine.send(doubler, "Double").state == 22
    assert engine.state(Reference("tally", same)).count == 22
