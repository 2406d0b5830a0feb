"""Events that older code wrote: read under former names and in former versions at every read, never written back."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pachyderm_cli import Pachyderm
from pachyderm_cli.errors import EntityFailed
from tests.support.travel import whole
from tests.support.versions import EVENTS, Versions, till

# TakenOut was Took with the field `sum` (1), then with `amount` but without `why` (2).
FIRST = till().replace("TakenOut", "Took").replace("Took(Event):\n    amount", "Took(Event):\n    sum")
FIRST = FIRST.replace("yield Took(amount=amount)", "yield Took(sum=amount)").replace(
    "case Took(amount=", "case Took(sum="
)

NEWEST = till(
    events=EVENTS.replace(
        "class TakenOut(Event):\n    amount: int",
        """class TakenOut(Event):
    aliases = ("Took",)
    version = 3
    amount: int
    why: str

    @classmethod
    def upcast(cls, data, version):
        if version == 1:
            data = {"amount": data["sum"]}
        return {**data, "why": f"written in {version}"}""",
    )
).replace("yield TakenOut(amount=amount)", 'yield TakenOut(amount=amount, why="today")')


@pytest.fixture
def versions(store_url: str, tmp_path: Path) -> Versions:
    """Return a store in which the first code wrote PutIn 10, Took 1, and a snapshot."""
    found = Versions(store_url, tmp_path)
    with found.engine("first", FIRST) as engine:
        engine.send("till:@a", "put", {"amount": 10})
        engine.send("till:@a", "take", {"amount": 1})
        engine.snapshot("till:@a")
    return found


@pytest.fixture
def newest(versions: Versions) -> Iterator[Pachyderm]:
    """Return an engine with the newest code."""
    with versions.engine("newest", NEWEST, cached=0, snapshots_every=2) as engine:
        yield engine


def rows(engine: Pachyderm) -> list[tuple[str, str, int]]:
    """Return type, data and class version of each event, as the history has them."""
    return [(each.type, each.data, each.type_version) for each in engine.history("till:@a")]


def test_every_read_applies_them(newest: Pachyderm, versions: Versions) -> None:
    """State, replay, steps and what a send is decided on come of the former name and version; no row changes."""
    before = whole(versions.store_url)
    for state in (newest.state("till:@a"), newest.replay("till:@a").state, list(newest.steps("till:@a"))[-1].state):
        assert (state.balance, state.taken) == (9, 1)
    assert [each.problem for each in newest.replay_all()] == [None]
    assert whole(versions.store_url) == before
    assert newest.send("till:@a", "take", {"amount": 2}).state.balance == 7


def test_nothing_is_written_back(newest: Pachyderm) -> None:
    """History shows what was written; new events have the class's own name and version; snapshots begin from both."""
    newest.send("till:@a", "take", {"amount": 2})
    newest.send("till:@a", "take", {"amount": 3})
    assert rows(newest) == [
        ("PutIn", '{"amount":10}', 1),
        ("Took", '{"sum":1}', 1),
        ("TakenOut", '{"amount":2,"why":"today"}', 3),
        ("TakenOut", '{"amount":3,"why":"today"}', 3),
    ]
    assert [each.version for each in newest.snapshots("till:@a")] == [3, 2]  # of this code, and of the first
    assert newest.state("till:@a") == newest.replay("till:@a").state
    assert newest.replay("till:@a").state.balance == 4


def test_a_repeated_message_has_its_first_outcome(versions: Versions) -> None:
    """The events of a duplicate are those that were stored, and its state is read as any other."""
    with versions.engine("first", FIRST) as engine:
        sent = engine.send("till:@a", "take", {"amount": 4})
    with versions.engine("newest", NEWEST) as engine:
        again = engine.send("till:@a", "take", {"amount": 4}, message_id=sent.message_id)
        assert (again.duplicate, again.events) == (True, sent.events)
        assert again.state.model_dump() == sent.state.model_dump()


def test_a_version_between_is_read_as_such(versions: Versions) -> None:
    """`upcast` is told in which version each event was written."""
    between = till(
        events=EVENTS.replace(
            "class TakenOut(Event):\n",
            """class TakenOut(Event):
    aliases = ("Took",)
    version = 2

    @staticmethod
    def upcast(data, version):
        return {"amount": data["sum"]}

""",
        )
    )
    with versions.engine("between", between) as engine:
        engine.send("till:@a", "take", {"amount": 5})
    with versions.engine("newest", NEWEST) as engine:
        engine.send("till:@a", "take", {"amount": 7})
        assert [each[2] for each in rows(engine)] == [1, 1, 2, 3]
        entity_type = engine.entity_type("till")
        read: list[Any] = [
            entity_type.read_event(each.type, each.data, each.version, each.type_version)
            for each in engine.history("till:@a")
        ]
        assert [each.why for each in read[1:]] == ["written in 1", "written in 2", "today"]
        assert engine.state("till:@a").balance == -3


def test_a_changed_upcast_distrusts_snapshots(newest: Pachyderm, versions: Versions) -> None:
    """A snapshot that was folded through another upcast is not used."""
    newest.snapshot("till:@a")
    changed = NEWEST.replace('{"amount": data["sum"]}', '{"amount": data["sum"] * 100}')
    with versions.engine("changed", changed) as engine:
        assert engine.state("till:@a").balance == -90


def test_a_newer_version_is_refused(newest: Pachyderm, versions: Versions) -> None:
    """Code that is behind what wrote an event says so, with entity type, event and both versions; the log stays."""
    newest.send("till:@a", "take", {"amount": 2})
    older = NEWEST.replace("version = 3", "version = 2")
    before = whole(versions.store_url)
    with versions.engine("older", older) as engine:
        for read in (engine.state, engine.replay):
            with pytest.raises(EntityFailed, match="its class has version 3 there, and 2 in ") as caught:
                read("till:@a")
            assert caught.value.details["version"] == 3
        with pytest.raises(EntityFailed, match="newer code wrote it"):
            engine.send("till:@a", "put", {"amount": 1})
    assert whole(versions.store_url) == before


@pytest.mark.parametrize("use", [Pachyderm.state, Pachyderm.replay, lambda engine, ref: list(engine.steps(ref))])
def test_a_class_that_is_gone_is_named(versions: Versions, use: Any) -> None:
    """The error names entity, version, event and the nearest class there is, and says what to write."""
    with (
        versions.engine("gone", FIRST.replace("Took", "Taken")) as engine,
        pytest.raises(EntityFailed) as caught,
    ):
        use(engine, "till:@a")
    told = caught.value
    assert "till cannot read the event Took at version 2" in told.message
    assert f"(in the history of {told.details['entity']})" in told.message
    assert "Taken" in told.message
    assert "aliases" in told.message
    assert (told.details["entity_type"], told.details["event"], told.details["version"]) == ("till", "Took", 2)


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ('raise KeyError("sum")', "upcast of the event Took at version 2 failed at "),
        ("return None", "upcast returned NoneType, not the event's data as a dict"),
        ("return {}", "the event at version 2: Took.amount: Field required"),
        ("return {'amount': {1, 2}}", "upcast of the event Took at version 2 failed"),
    ],
)
def test_an_upcast_that_fails_is_told(versions: Versions, broken: str, told: str) -> None:
    """Whatever it does, the entity fails by name with the event and its version; nothing is skipped."""
    source = NEWEST.replace("        if version == 1:\n", f"        {broken}\n        if version == 1:\n")
    with versions.engine("broken", source) as engine, pytest.raises(EntityFailed) as caught:
        engine.state("till:@a")
    assert told in caught.value.message


def test_fields_may_be_called_so(store_url: str, tmp_path: Path) -> None:
    """An event's own fields `version` and `aliases` are data, and say nothing of its class."""
    source = till(
        events=EVENTS.replace("amount: int", "amount: int\n    version: int = 7\n    aliases: list[str] = []", 1)
    )
    with Versions(store_url, tmp_path).engine("fields", source, cached=0) as engine:
        engine.send("till:@a", "put", {"amount": 1})
        [(_, data, written)] = rows(engine)
        assert (json.loads(data), written) == ({"amount": 1, "version": 7, "aliases": []}, 1)
        assert engine.replay("till:@a").state.balance == 1
