"""Replay testing: code that no longer brings an entity to where it was is found out, and nothing is written."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pachyderm_cli import Pachyderm
from pachyderm_cli.engine.results import Replayed
from pachyderm_cli.errors import ConfigError, UsageError
from tests.support.travel import whole
from tests.support.versions import EVENTS, UPDATE, Versions, till

REDUCER_CHANGED = till(update=UPDATE.replace("taken + 1", "taken + 2"))
EVENT_REMOVED = till(
    events=EVENTS.replace("TakenOut", "Withdrawn"), update=UPDATE.replace("TakenOut", "Withdrawn")
).replace("TakenOut", "Withdrawn")
FIELD_RENAMED = till(
    events=EVENTS.replace("class TakenOut(Event):\n    amount", "class TakenOut(Event):\n    sum"),
    update=UPDATE.replace("TakenOut(amount=amount)", "TakenOut(sum=amount)"),
).replace("yield TakenOut(amount=amount)", "yield TakenOut(sum=amount)")

ALIASED = EVENT_REMOVED.replace("class Withdrawn(Event):\n", 'class Withdrawn(Event):\n    aliases = ("TakenOut",)\n')
UPCAST = FIELD_RENAMED.replace(
    "class TakenOut(Event):\n",
    """class TakenOut(Event):
    version = 2

    @staticmethod
    def upcast(data, version):
        return {"sum": data["amount"]}

""",
)


@pytest.fixture
def versions(store_url: str, tmp_path: Path) -> Versions:
    """Return tills that first code wrote, on each database: @a put only, @b took at its third event."""
    found = Versions(store_url, tmp_path)
    with found.engine("first", snapshots_every=0) as engine:
        for name in ("a", "b"):
            for amount in (5, 6):
                engine.send(f"till:@{name}", "put", {"amount": amount})
        engine.send("till:@b", "take", {"amount": 1})
        engine.send("till:@b", "put", {"amount": 1})
    return found


@pytest.fixture
def first(versions: Versions) -> Iterator[Pachyderm]:
    """Return an engine with the first code."""
    with versions.engine("first", snapshots_every=0) as engine:
        yield engine


def test_code_that_is_as_it_was_passes(first: Pachyderm, versions: Versions) -> None:
    """Every entity comes out as its snapshots say, and as the same code elsewhere gives."""
    first.snapshot("till:@a")
    first.snapshot("till:@b")
    expected = {Replayed(first.find(f"till:@{name}").entity, version) for name, version in (("a", 2), ("b", 4))}
    assert set(first.replay_all()) == expected
    assert set(first.replay_all(entities=versions.folder("same"))) == expected


def failures(versions: Versions, source: str, **how: object) -> list[Replayed]:
    """Return what a replay of everything with that code finds, when nothing may be written."""
    before = whole(versions.store_url)
    with versions.engine("changed", source, snapshots_every=1) as engine:
        found = list(engine.replay_all(**how))  # type: ignore[arg-type]  # as given
    assert whole(versions.store_url) == before
    assert len(found) == 2
    return [each for each in found if each.problem is not None]


def test_a_reducer_changed_in_one_branch_is_found_by_snapshots(first: Pachyderm, versions: Versions) -> None:
    """The entity that went through the branch differs from the snapshot taken before; the other one passes."""
    entity = first.snapshot("till:@b").entity
    first.snapshot("till:@a")
    [found] = failures(versions, REDUCER_CHANGED)
    assert (found.entity, found.version, found.diverged_at) == (entity, 4, 4)
    assert found.problem == "differs from the snapshot taken at version 4: state.taken is 2, and was 1"


def test_without_snapshots_other_code_finds_the_first_version(first: Pachyderm, versions: Versions) -> None:
    """Held against the former code, the very event is named at which the reducer came to differ."""
    [found] = failures(versions, REDUCER_CHANGED, entities=versions.folder("first"))
    assert (found.entity, found.diverged_at, found.event) == (first.find("till:@b").entity, 3, "TakenOut")
    assert found.problem == "differs from what the other code gives: state.taken is 2, and was 1"
    assert failures(versions, REDUCER_CHANGED) == []  # nothing to hold it against


@pytest.mark.parametrize("by_other_code", [False, True])
@pytest.mark.parametrize(
    ("source", "told"),
    [
        (EVENT_REMOVED, "the event TakenOut at version 3: update ("),
        (FIELD_RENAMED, "the event at version 3: TakenOut.sum: Field required"),
    ],
    ids=["event removed", "field renamed"],
)
def test_what_cannot_be_read_is_found(
    first: Pachyderm, versions: Versions, source: str, told: str, *, by_other_code: bool
) -> None:
    """An event class that is gone, or a field of another name, is reported with entity, version and event."""
    how = {"entities": versions.folder("first")} if by_other_code else {}
    [found] = failures(versions, source, **how)
    assert (found.entity, found.diverged_at, found.event) == (first.find("till:@b").entity, 3, "TakenOut")
    assert found.problem is not None
    assert told in found.problem


@pytest.mark.parametrize("source", [ALIASED, UPCAST], ids=["aliases", "upcast"])
def test_aliases_and_upcast_pass(first: Pachyderm, versions: Versions, source: str) -> None:
    """With the former name, or with what reads the former fields, every entity comes out as it was."""
    first.snapshot("till:@b")
    assert failures(versions, source) == []
    assert failures(versions, source, entities=versions.folder("first")) == []


def test_code_that_the_other_code_lacks_is_told(first: Pachyderm, versions: Versions) -> None:
    """What only the other code cannot fold is no state to hold anything against: that is told."""
    found = [each for each in first.replay_all(entities=versions.folder("other", EVENT_REMOVED)) if each.problem]
    assert [(each.diverged_at, each.event) for each in found] == [(3, "TakenOut")]
    assert str(found[0].problem).startswith("only the other code fails: till cannot read")


def test_a_module_that_cannot_be_loaded_fails_its_entities(first: Pachyderm, versions: Versions) -> None:
    """Each of its entities is reported, and the replay goes on."""
    found = failures(versions, "this is no Python", entities=versions.folder("first"))
    assert len(found) == 2
    assert all("till.py:1" in str(each.problem) for each in found)
    assert [each.problem for each in first.replay_all()] == [None, None]


def test_several_processes_find_the_same(first: Pachyderm, versions: Versions) -> None:
    """With two jobs the answer is the same as with one, against snapshots and against other code."""
    first.snapshot("till:@b")
    former = versions.folder("first")
    for how in ({}, {"entities": former}):
        alone = failures(versions, REDUCER_CHANGED, jobs=1, **how)
        assert len(alone) == 1
        assert failures(versions, REDUCER_CHANGED, jobs=2, **how) == alone


def test_one_type_can_be_chosen(first: Pachyderm) -> None:
    """Entities of other types are left out."""
    assert len(list(first.replay_all("till"))) == 2
    assert list(first.replay_all("nothing")) == []


def test_what_makes_no_sense_is_refused(first: Pachyderm, tmp_path: Path) -> None:
    """No process at all, and a folder that is not there, are errors before anything is folded."""
    with pytest.raises(UsageError, match="jobs"):
        first.replay_all(jobs=0)
    with pytest.raises(ConfigError, match="no folder"):
        first.replay_all(entities=tmp_path / "nowhere")
