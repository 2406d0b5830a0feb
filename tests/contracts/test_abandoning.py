"""Giving up an import in parts: what came in by half goes again, and nothing that anybody was told is lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pachyderm_cli import Pachyderm
from pachyderm_cli.errors import CheckFailed, Collision, NotFound
from pachyderm_cli.store import importing
from pachyderm_cli.store.records import ERASED
from tests.contracts.conftest import OpenEngine
from tests.support.engines import tally_engine
from tests.support.moving import exported, rows
from tests.support.tally import Add, AddAll


@pytest.fixture
def lines(tmp_path: Path) -> list[str]:
    """Return an export of an entity that is whole at its first line, and of two whose events alternate."""
    with tally_engine(f"sqlite:///{tmp_path}/source.db") as engine:
        engine.send("tally:@whole", Add())
        for _ in range(3):
            engine.send("tally:@a", Add())
            engine.send("tally:@b", Add())
        return exported(engine)


@pytest.fixture
def unfinished(open_engine: OpenEngine, lines: list[str], monkeypatch: pytest.MonkeyPatch) -> Pachyderm:
    """Return an engine into whose network an import was begun: the whole entity, and some of the other two."""
    monkeypatch.setattr(importing, "_PART", 3)
    engine = open_engine()
    engine.send("tally:@mine", AddAll(amounts=(1, 2)))
    with pytest.raises(CheckFailed, match="cut off"):
        engine.import_lines(lines[:7], resumable=True)
    return engine


def test_what_came_in_by_half_goes_and_the_rest_stays(unfinished: Pachyderm, lines: list[str]) -> None:
    """The network is sound again, can be exported, and takes other imports; it is told what was removed."""
    unfinished.send("tally:@whole", Add())
    gone = unfinished.abandon_import()
    assert (gone.lines, gone.entities, gone.events) == (7, 2, 4)
    assert sorted(head.entity.id for head in unfinished.entities()) == sorted(
        unfinished.receiver(f"tally:@{name}").id for name in ("mine", "whole")
    )
    assert unfinished.state("tally:@whole").count == 2
    assert list(unfinished.verify()) == []
    assert len(exported(unfinished)) > 2
    with pytest.raises(Collision, match=str(unfinished.receiver("tally:@whole").id)):
        unfinished.import_lines(lines)
    with pytest.raises(NotFound, match="no import"):
        unfinished.abandon_import()


def test_a_head_may_have_come_before_the_last_of_its_events(
    open_engine: OpenEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off between the events of one message, an entity is not whole although its head is there."""
    with tally_engine(f"sqlite:///{tmp_path}/three.db") as source:
        source.send("tally:@three", AddAll(amounts=(1, 2, 3)))
        cut_off = exported(source)[:3]
    monkeypatch.setattr(importing, "_PART", 1)
    engine = open_engine()
    with pytest.raises(CheckFailed, match="cut off"):
        engine.import_lines(cut_off, resumable=True)
    assert (engine.abandon_import().events, list(engine.entities())) == (1, [])
    assert list(engine.verify()) == []
    engine.send("tally:@three", Add())


def test_no_position_is_given_a_second_time(unfinished: Pachyderm) -> None:
    """Followers that had seen what is gone are told so, at a position behind it, and miss nothing after that."""
    with unfinished.follow(cursor="c", wait=False) as log:
        seen = [event.position for event in log]
        log.commit()
    unfinished.abandon_import()
    sent = unfinished.send("tally:@next", Add())
    with unfinished.follow(cursor="c", wait=False) as log:
        told, written = log
    assert (told.type, written.entity) == (ERASED, sent.entity)
    assert "4 events of 2 entities" in told.data
    assert seen[-1] < told.position < written.position


def test_an_import_of_nothing_but_whole_entities_leaves_no_row(
    open_engine: OpenEngine, lines: list[str], store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing has to go, nothing is told either."""
    monkeypatch.setattr(importing, "_PART", 2)
    engine = open_engine()
    with pytest.raises(CheckFailed, match="cut off"):
        engine.import_lines(lines[:4], resumable=True)
    before = rows(store_url)
    assert engine.abandon_import()._replace(lines=0) == (0, 0, 0)
    assert rows(store_url) == before


def test_what_collides_is_found_before_any_of_it_is_in(
    open_engine: OpenEngine, lines: list[str], store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read through beforehand, an import in parts is refused like one in one go; one that was begun, by its rest."""
    monkeypatch.setattr(importing, "_PART", 3)
    engine = open_engine()
    engine.send("tally:@b", Add())
    before = rows(store_url)
    with pytest.raises(Collision, match="nothing was written"):
        engine.require_free(lines)
    assert rows(store_url) == before
    engine.erase("tally:@b", "in the way")
    with Pachyderm(store_url, network="elsewhere") as elsewhere:
        elsewhere.require_free(lines)
        with pytest.raises(CheckFailed):
            elsewhere.import_lines(cut(lines), resumable=True)
        elsewhere.require_free(lines)
        elsewhere.import_lines(lines, resumable=True)


def cut(lines: list[str]) -> Iterator[str]:
    """Yield some of the lines."""
    yield from lines[:8]
