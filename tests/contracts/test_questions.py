"""Questions, steps and differences: what can be asked of any version, and nothing is written."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pachyderm_cli import Pachyderm, Question
from pachyderm_cli.errors import EntityFailed, InvalidMessage, NotFound, Rejected, UnknownMessage, UsageError
from tests.contracts.conftest import OpenEngine
from tests.support.basket import Put
from tests.support.clocks import START, STEP
from tests.support.tally import Add, AddAll
from tests.support.travel import travel_engine, whole
from tests.support.versions import Versions, till

SOURCE = till(
    more="""
class HowMuch(Question):
    times: int = 1


class Fail(Question):
    pass


class Refuse(Question):
    pass


def query(question: HowMuch | Fail | Refuse, state: State) -> int:
    match question:
        case HowMuch(times=times):
            return state.balance * times
        case Fail():
            raise RuntimeError("no answer")
        case Refuse():
            raise Rejected("not your business")
"""
).replace("import Event, Message, Question", "import Event, Message, Question, Rejected")


@pytest.fixture
def tills(store_url: str, tmp_path: Path) -> Iterator[Pachyderm]:
    """Return an engine for tills that can be asked; @a was put 5 and 6."""
    with Versions(store_url, tmp_path).engine("asked", SOURCE) as engine:
        for amount in (5, 6):
            engine.send("till:@a", "put", {"amount": amount})
        yield engine


def question(engine: Pachyderm, name: str, **data: Any) -> Question:
    """Return a question to a till."""
    return engine.question("till", name, data)


def test_an_answer_is_of_a_version(tills: Pachyderm, store_url: str) -> None:
    """Now, or at any version from the initial state on; it says at which, and no row is written."""
    before = whole(store_url)
    now = tills.query("till:@a", "how-much", {"times": 2})
    assert (now.version, now.answer, now.answer_json, now.question) == (
        2,
        22,
        "22",
        question(tills, "how-much", times=2),
    )
    answers = [tills.query("till:@a", question(tills, "how-much"), at_version=version).answer for version in (0, 1, 2)]
    assert answers == [0, 5, 11]
    assert tills.question("till", "how-much", fields=["times=3"]) == question(tills, "HowMuch", times=3)
    assert whole(store_url) == before


def test_a_message_and_a_question_in_one_call(tills: Pachyderm) -> None:
    """The answer is that of the state that the message led to; for a repeated message, of its first outcome."""
    sent = tills.send("till:@a", "put", {"amount": 1}, ask=question(tills, "how-much", times=10))
    assert (sent.version, sent.answer) == (3, 120)
    tills.send("till:@a", "put", {"amount": 1})
    again = tills.send("till:@a", "put", {"amount": 1}, message_id=sent.message_id, ask=question(tills, "how-much"))
    assert (again.duplicate, again.version, again.answer) == (True, 3, 12)
    assert tills.send("till:@a", "put", {"amount": 1}).answer is None


def test_a_question_that_fails_after_the_commit(tills: Pachyderm) -> None:
    """The message is committed, and the error says so; one that is no question of the type is found out before."""
    for name, told in (("fail", "no answer"), ("refuse", "not your business")):
        with pytest.raises(EntityFailed, match=f"the message is committed.*{told}"):
            tills.send("till:@a", "put", {"amount": 1}, ask=question(tills, name))
    assert tills.find("till:@a").version == 4

    class Stranger(Question):
        pass

    with pytest.raises(UnknownMessage, match="Stranger"):
        tills.send("till:@a", "put", {"amount": 1}, ask=Stranger())
    assert tills.find("till:@a").version == 4


def test_questions_that_have_no_answer(tills: Pachyderm) -> None:
    """Unknown ones, wrong fields, versions and entities that are not there, and what the module itself refuses."""
    with pytest.raises(UnknownMessage, match="how-much"):
        tills.query("till:@a", "how-mush")
    with pytest.raises(InvalidMessage, match="times"):
        tills.query("till:@a", "how-much", {"times": "many"})
    with pytest.raises(NotFound):
        tills.query("till:@a", "how-much", at_version=3)
    with pytest.raises(NotFound):
        tills.query("till:@nobody", "how-much")
    with pytest.raises(Rejected, match="not your business"):
        tills.query("till:@a", "refuse")
    with pytest.raises(EntityFailed, match=r"query\(Fail\) failed at .*till\.py:\d+: RuntimeError: no answer"):
        tills.query("till:@a", "fail")


def test_a_type_without_questions(engine: Pachyderm) -> None:
    """It says that its module has no `query`."""
    engine.send("tally:@a", Add())
    with pytest.raises(UnknownMessage, match="no query"):
        engine.query("tally:@a", "how-much")


def test_a_query_that_changes_its_state_changes_nothing(store_url: str, tmp_path: Path) -> None:
    """A state that can be changed in place is handed out as a copy: the next message is decided on the entity's own."""
    source = till(
        more="""
class Spoil(Question):
    pass


def query(question: Spoil, state: State) -> int:
    state.balance = -1
    return state.balance
"""
    ).replace("class State(BaseModel, frozen=True)", "class State(BaseModel)")
    with Versions(store_url, tmp_path).engine("spoilt", source) as engine:
        spoil = engine.question("till", "spoil")
        assert engine.send("till:@a", "put", {"amount": 5}, ask=spoil).state.balance == 5
        assert engine.query("till:@a", spoil).answer == -1
        assert engine.query("till:@a", spoil).state.balance == 5
        assert engine.send("till:@a", "put", {"amount": 1}).state.balance == 6


def test_steps_begin_where_they_are_told(open_engine: OpenEngine) -> None:
    """From a version on, each step's change is against the state just before; up to a version or a time."""
    engine = open_engine()
    engine.send("tally:@a", AddAll(amounts=(1, 2)))
    engine.send("tally:@a", AddAll(amounts=(3, 4)))
    everything = list(engine.steps("tally:@a"))
    assert [step.state.count for step in everything] == [1, 3, 6, 10]
    for first in (-1, 0, 1, 2, 4):
        assert list(engine.steps("tally:@a", from_version=first)) == everything[max(0, first - 1) :]
    [step] = engine.steps("tally:@a", from_version=3, to_version=3)
    assert step.changes == [{"op": "replace", "path": "/count", "value": 6}]
    timed = engine.steps("tally:@a", from_version=2, at=START + STEP - timedelta(microseconds=1))
    assert [each.version for each in timed] == [2]


def test_steps_of_a_state_that_is_changed_in_place(store_url: str) -> None:
    """Each step has the state as it was then, whatever came of it later."""
    with travel_engine(store_url) as engine:
        for thing in ("fig", "pear"):
            engine.send("basket:@a", Put(thing=thing))
        steps = list(engine.steps("basket:@a", from_version=1))
        assert [step.state["things"] for step in steps] == [["fig"], ["fig", "pear"]]
        assert [step.changes for step in steps] == [
            [{"op": "add", "path": "/things/0", "value": "fig"}],
            [{"op": "add", "path": "/things/1", "value": "pear"}],
        ]


def test_two_versions_side_by_side(engine: Pachyderm) -> None:
    """Either way round: what leads from the left state to the right one; nothing between a version and itself."""
    engine.send("tally:@a", AddAll(amounts=(1, 2, 3)))
    found = engine.difference("tally:@a", 0, 2)
    assert (found.left.version, found.right.version, found.left.state.count, found.right.state.count) == (0, 2, 0, 3)
    assert found.changes == [{"op": "replace", "path": "/count", "value": 3}]
    assert engine.difference("tally:@a", 2, 0).changes == [{"op": "replace", "path": "/count", "value": 0}]
    assert engine.difference("tally:@a", 3, 3).changes == []


def test_two_entities_side_by_side(engine: Pachyderm) -> None:
    """As they are now; of two types as well."""
    engine.send("tally:@a", Add(amount=1))
    engine.send("tally:@b", Add(amount=2))
    assert engine.difference("tally:@a", "tally:@b").changes == [{"op": "replace", "path": "/count", "value": 2}]
    engine.send("doubler:@c", "double")
    assert engine.difference("tally:@a", "doubler:@c").changes == [{"op": "replace", "path": "", "value": 0}]


def test_what_cannot_be_compared(engine: Pachyderm) -> None:
    """One version alone, an entity with a version, and what is not there are errors."""
    engine.send("tally:@a", Add())
    with pytest.raises(UsageError):
        engine.difference("tally:@a", 1)
    with pytest.raises(UsageError):
        engine.difference("tally:@a", "tally:@a", 1)
    with pytest.raises(NotFound):
        engine.difference("tally:@a", 0, 2)
    with pytest.raises(NotFound):
        engine.difference("tally:@a", "tally:@nobody")


def test_steps_begin_at_a_version_that_is_there(tills: Pachyderm) -> None:
    """One beyond the newest is told, as one to end at is."""
    assert [step.version for step in tills.steps("till:@a", from_version=2)] == [2]
    with pytest.raises(NotFound, match="has no version 3; it has 0 to 2"):
        tills.steps("till:@a", from_version=3)
