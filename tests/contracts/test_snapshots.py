"""Snapshots: a cache that makes loading shorter and never changes what comes out."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

from pachyderm_cli import Pachyderm
from pachyderm_cli.engine import sending
from pachyderm_cli.engine.loader import FolderEntityTypes
from pachyderm_cli.errors import EntityFailed
from pachyderm_cli.store.append import append
from pachyderm_cli.store.schema import snapshots
from tests.contracts.conftest import OpenEngine
from tests.support import tally
from tests.support.modules import write
from tests.support.raw import execute, row_counts
from tests.support.tally import Add, AddAll, Keep

ODD = """\
from typing import Any

from pachyderm_cli import Event, Message


class Go(Message):
    pass


class Gone(Event):
    pass


def init() -> Any:
    return []


def handle(message: Go, state: Any) -> list[Gone]:
    return [Gone()]


def update(event: Gone, state: Any) -> Any:
    return [*state, {1}]
"""


def tamper(store_url: str, version: int | None = None, **values: Any) -> None:
    """Change every snapshot, or those at a version."""
    statement = update(snapshots).values(**values)
    execute(store_url, statement if version is None else statement.where(snapshots.c.version == version))


def test_the_newest_snapshot_is_where_loading_begins(open_engine: OpenEngine, store_url: str) -> None:
    """With the right fingerprint its state is taken as it is, and the events after it are folded on top."""
    engine = open_engine(cached=0)
    engine.send("tally:@a", AddAll(amounts=(1, 1)))
    engine.snapshot("tally:@a")
    engine.send("tally:@a", Add())
    engine.snapshot("tally:@a")
    engine.send("tally:@a", Add())
    tamper(store_url, 2, state='{"count": 5000}')
    tamper(store_url, 3, state='{"count": 1000}')
    assert engine.state("tally:@a").count == 1001
    assert open_engine().send("tally:@a", Add()).state.count == 1002
    assert engine.replay("tally:@a").state.count == 5


@pytest.mark.parametrize(
    "values",
    [
        {"fingerprint": "0" * 32, "state": '{"count": 1000}'},
        {"state": "{"},
        {"state": '{"count": "many"}'},
        {"state": "[]"},
    ],
)
def test_a_snapshot_that_does_not_fit_is_ignored(
    open_engine: OpenEngine, store_url: str, values: dict[str, Any]
) -> None:
    """One of other code, or one that cannot be decoded, is passed over for an older one and then for the events."""
    engine = open_engine(cached=0)
    engine.send("tally:@a", Add())
    engine.snapshot("tally:@a")
    engine.send("tally:@a", Add())
    engine.snapshot("tally:@a")
    tamper(store_url, 2, **values)
    tamper(store_url, 1, state='{"count": 100}')
    assert engine.state("tally:@a").count == 101
    tamper(store_url, **values)
    assert engine.state("tally:@a").count == 2
    assert engine.send("tally:@a", Add()).state.count == 3


def test_a_duplicate_ignores_snapshots_that_are_too_new(open_engine: OpenEngine, store_url: str) -> None:
    """The first outcome of a message is folded from what was before it, though a later snapshot exists."""
    engine = open_engine()
    first = engine.send("tally:@a", Add())
    engine.send("tally:@a", Add())
    engine.snapshot("tally:@a")
    tamper(store_url, state='{"count": 1000}')
    assert engine.send("tally:@a", Add(), message_id=first.message_id).state.count == 1


@pytest.mark.parametrize(("every", "versions"), [(0, []), (1, [6, 5]), (2, [6, 4]), (4, [4]), (100, [])])
def test_snapshots_are_taken_every_so_many_events(open_engine: OpenEngine, every: int, versions: list[int]) -> None:
    """A send takes one as soon as `every` events lie behind the last; two are kept; 0 takes none."""
    engine = open_engine(snapshots_every=every)
    for _ in range(6):
        engine.send("tally:@a", Add())
    taken = engine.snapshots("tally:@a")
    assert [snapshot.version for snapshot in taken] == versions
    assert [snapshot.state for snapshot in taken] == [f'{{"count":{version},"kept":[]}}' for version in versions]


def test_several_events_at_once_take_one_snapshot(open_engine: OpenEngine) -> None:
    """The snapshot of a send is of the state after all its events."""
    engine = open_engine(snapshots_every=2)
    engine.send("tally:@a", AddAll(amounts=(1,) * 7))
    assert [snapshot.version for snapshot in engine.snapshots("tally:@a")] == [7]


def test_a_snapshot_is_committed_with_its_events_or_not_at_all(
    open_engine: OpenEngine, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When writing the snapshot fails, the events are not there either."""
    engine = open_engine(snapshots_every=2)
    engine.send("tally:@a", Add())
    before = row_counts(store_url)

    def failing(*arguments: object) -> None:
        raise RuntimeError("no room for a snapshot")

    monkeypatch.setattr("pachyderm_cli.store.append.write_snapshot", failing)
    with pytest.raises(RuntimeError, match="no room"):
        engine.send("tally:@a", Add())
    assert row_counts(store_url) == before


def test_dropping_every_snapshot_changes_nothing(open_engine: OpenEngine, store_url: str) -> None:
    """States are the same without the cache."""
    engine = open_engine(snapshots_every=1)
    for name in "ab":
        for _ in range(3):
            engine.send(f"tally:@{name}", Add())
    before = [engine.state(f"tally:@{name}") for name in "ab"]
    assert engine.drop_snapshots("tally:@a") == 2
    assert engine.drop_snapshots(every_entity=True) == 2
    assert row_counts(store_url)["snapshots"] == 0
    assert [engine.state(f"tally:@{name}") for name in "ab"] == before


def test_a_state_that_json_would_change_is_never_a_snapshot(
    store_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A send goes on without its snapshot and says so in the log; the command that asks for one is refused."""
    with Pachyderm(store_url, FolderEntityTypes(write(tmp_path, {"odd": ODD})), snapshots_every=1) as engine:
        sent = engine.send("odd:@a", "go")
        assert sent.state == [{1}]
        assert "no snapshot can be taken: state[0]" in caplog.text
        assert engine.snapshots("odd:@a") == []
        with pytest.raises(EntityFailed, match=r"state\[0\]"):
            engine.snapshot("odd:@a")


def test_a_conflict_does_not_lose_track_of_the_snapshot(
    open_engine: OpenEngine, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A send that is decided anew takes its snapshot at the version that it then leads to."""
    slow, quick = open_engine(snapshots_every=3), open_engine(snapshots_every=0)
    slow.send("tally:@a", Add())
    original = append

    def overtaken(*arguments: Any) -> Any:
        monkeypatch.setattr(sending, "append", original)
        quick.send("tally:@a", Keep(value="x"))
        return original(*arguments)

    monkeypatch.setattr(sending, "append", overtaken)
    slow.send("tally:@a", Add())
    [snapshot] = slow.snapshots("tally:@a")
    assert (snapshot.version, snapshot.state) == (3, '{"count":2,"kept":["x"]}')
    execute(store_url, delete(snapshots))
    assert slow.state("tally:@a") == tally.State(count=2, kept=("x",))


def test_a_snapshot_at_the_same_version_takes_the_place_of_the_other(engine: Pachyderm) -> None:
    """Taken twice, there is one, and it is the later."""
    engine.send("tally:@a", Add())
    first, second = engine.snapshot("tally:@a"), engine.snapshot("tally:@a")
    assert second.taken_at > first.taken_at
    assert engine.snapshots("tally:@a") == [second]
