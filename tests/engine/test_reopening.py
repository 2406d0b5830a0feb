"""An engine that is closed and used again, and one that is used in a forked child."""

import os
from pathlib import Path

import pytest

from pachyderm_cli import Pachyderm
from tests.support import tally
from tests.support.engines import tally_engine
from tests.support.tally import Add

MODULE = """
from pachyderm_cli import Event, Message

class Increment(Message):
    amount: int = 1

class Increased(Event):
    amount: int

def init() -> int:
    return 0

def handle(message: Increment, state: int) -> list[Increased]:
    return [Increased(amount=message.amount)]

def update(event: Increased, state: int) -> int:
    return state + {factor} * event.amount
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return the folder of a project with one entity."""
    (tmp_path / "entities").mkdir()
    (tmp_path / "pachyderm.toml").write_text("", encoding="utf-8")
    (tmp_path / "entities" / "counter.py").write_text(MODULE.format(factor=1), encoding="utf-8")
    return tmp_path


def test_what_other_code_folded_is_forgotten_at_closing(project: Path) -> None:
    """After close() changed code folds anew: states and snapshots are what a replay gives, and never the old code's."""
    engine = Pachyderm.open(project)
    engine.send("counter:@a", "increment", {"amount": 5})
    engine.close()
    (project / "entities" / "counter.py").write_text(MODULE.format(factor=100), encoding="utf-8")
    assert engine.send("counter:@a", "increment").state == engine.replay("counter:@a").state == 600
    engine.snapshot("counter:@a")
    engine.close()
    with Pachyderm.open(project) as fresh:
        assert fresh.state("counter:@a") == 600


def test_a_forked_child_waits_for_none_of_its_parent_s_threads(sqlite_url: str) -> None:
    """A child that was forked while another thread was committing commits by itself."""
    with tally_engine(sqlite_url) as engine:
        engine.send("tally:@a", Add())
        engine._sender._commits._committing = True  # as if a thread were at it, which the child does not have
        pid = os.fork()
        if pid == 0:
            sent = engine.send("tally:@a", Add())
            os._exit(sent.version)
        engine._sender._commits._committing = False
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 2
        assert engine.state("tally:@a") == tally.State(count=2)
