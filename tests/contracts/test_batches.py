"""Many messages in one commit: each as if it had been sent alone after those before it."""

import math
from itertools import accumulate
from pathlib import Path
from uuid import uuid4

import pytest

from pachyderm_cli import Message, Pachyderm, Reference, Rejected
from pachyderm_cli.errors import EntityFailed, InvalidMessage, VersionConflict
from tests.contracts.conftest import OpenEngine
from tests.support import basket, tally
from tests.support.basket import Put, Spill, SpillAndPut
from tests.support.batches import all_sent, brief, history, requests, transactions
from tests.support.doubler import Double
from tests.support.engines import tally_engine
from tests.support.raw import row_counts
from tests.support.tally import Add, AddAll, Ask, Keep, Note, Refuse, Spoil, Tell


def test_each_is_decided_on_what_those_before_it_lead_to(open_engine: OpenEngine) -> None:
    """Versions, states, events and effects are each message's own, whether entities are new, known or cached."""
    told: list[str] = []
    engine = open_engine(config={"told": told})
    open_engine().send("tally:@old", AddAll(amounts=(1, 1)))
    engine.send("tally:@warm", AddAll(amounts=(10,)))
    sent = all_sent(
        engine.send_all(
            requests(
                engine,
                ("tally:@new", Add(amount=1)),
                ("tally:@old", Add(amount=5)),
                ("tally:@new", AddAll(amounts=(2, 3))),
                ("tally:@warm", Add(amount=7)),
                ("tally:@new", Ask()),
                ("tally:@new", Add(amount=4)),
                ("tally:@old", Add(amount=6)),
            )
        )
    )
    assert [each.version for each in sent] == [1, 3, 3, 2, 3, 4, 4]
    assert [each.state.count for each in sent] == [1, 7, 6, 17, 6, 10, 13]
    assert [[event.version for event in each.events] for each in sent] == [[1], [3], [2, 3], [2], [], [4], [4]]
    assert sent[2].events[1].data == '{"amount":3}'
    assert not any(each.duplicate for each in sent)
    assert len({each.message_id for each in sent}) == len(sent)
    assert told == ["0 + 1", "2 + 5", "10 + 7", "6 + 4", "7 + 6"]
    assert engine.send("tally:@new", Add()).version == 5
    assert [engine.replay(f"tally:@{name}").state.count for name in ("new", "old", "warm")] == [11, 13, 17]


def test_the_context_is_that_of_the_message(engine: Pachyderm) -> None:
    """A decision is told the version that those before it in the batch lead to, and its own message's id."""
    sent = all_sent(engine.send_all(requests(engine, ("tally:@a", Note()), ("tally:@a", Note()))))
    seen = sent[-1].state.kept
    assert [context[1] for context in seen] == [str(each.message_id) for each in sent]
    assert [context[3] for context in seen] == [0, 1]


def test_all_are_one_commit(engine: Pachyderm, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many messages and entities there are, there is one begin and one commit."""
    engine.send("tally:@0", Add())
    said = transactions(monkeypatch)
    sent = all_sent(engine.send_all(requests(engine, *((f"tally:@{number % 7}", Add()) for number in range(50)))))
    assert said == ["BEGIN", "COMMIT"]
    assert len(sent) == 50


@pytest.mark.parametrize("message", [Ask(), Refuse()])
def test_what_writes_nothing_is_no_commit(
    engine: Pachyderm, store_url: str, monkeypatch: pytest.MonkeyPatch, message: Message
) -> None:
    """Where none leads to an event nothing is begun, and no SQLite file comes of it."""
    list(engine.entities())  # on Postgres the tables are made
    said = transactions(monkeypatch)
    outcomes = engine.send_all(requests(engine, *[("tally:@a", message)] * 3), keep_going=True)
    assert brief(outcomes) == ([0] * 3 if isinstance(message, Ask) else [Rejected] * 3)
    assert said == []
    assert row_counts(store_url) == {"entities": 0, "events": 0, "snapshots": 0}
    assert_no_file(store_url)


def test_an_empty_batch_does_nothing(engine: Pachyderm, store_url: str) -> None:
    """No messages, no results, and no SQLite file."""
    assert engine.send_all([]) == []
    assert engine.send_all([], keep_going=True) == []
    assert_no_file(store_url)


def assert_no_file(store_url: str) -> None:
    """Fail if a SQLite store was made."""
    assert not store_url.startswith("sqlite") or not Path(store_url.removeprefix("sqlite:///")).exists()


def test_effects_run_after_the_commit(open_engine: OpenEngine, store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the first effect runs, any other connection sees the events of the last message."""
    seen: list[int] = []

    def dispatch(effect: tally.Told, config: object) -> None:
        seen.append(row_counts(store_url)["events"])

    monkeypatch.setattr(tally.Told, "dispatch", dispatch)
    engine = open_engine()
    engine.send_all(requests(engine, *[("tally:@a", Add())] * 3))
    assert seen == [3, 3, 3]


def test_effects_run_once_and_in_order(open_engine: OpenEngine) -> None:
    """All of a message's before the next one's; one that fails is told in its place and stops nothing."""
    told: list[str] = []
    engine = open_engine(config={"told": ["not here"]})
    batch = requests(engine, ("tally:@a", Tell(texts=("a", "fail", "b"))), ("tally:@b", Add()), ("tally:@a", Add()))
    sent = all_sent(engine.send_all(batch, config={"told": told}))
    assert told == ["a", "b", "0 + 1", "0 + 1"]
    statuses = [[effect.status for effect in each.effects] for each in sent]
    assert statuses == [["done", "failed", "done"], ["done"], ["done"]]


def test_effects_may_be_left_out(open_engine: OpenEngine) -> None:
    """With effects=False all is committed, none runs, and they are called discarded."""
    told: list[str] = []
    engine = open_engine(config={"told": told})
    sent = all_sent(engine.send_all(requests(engine, *[("tally:@a", Add())] * 3), effects=False))
    assert told == []
    assert [[effect.status for effect in each.effects] for each in sent] == [["discarded"]] * 3


FAILING: list[tuple[Message, type[Exception]]] = [
    (Refuse(), Rejected),
    (Spoil(), EntityFailed),
    (Keep(value=math.nan), EntityFailed),
]


@pytest.mark.parametrize(("message", "error"), FAILING)
@pytest.mark.parametrize("at", [0, 1, 2, 4])
def test_the_first_failure_ends_it(open_engine: OpenEngine, message: Message, error: type[Exception], at: int) -> None:
    """What was before the failing message is committed and its effects run; of it and those after nothing is."""
    told: list[str] = []
    engine = open_engine(config={"told": told})
    engine.send("tally:@a", AddAll(amounts=(1,)))
    batch = requests(engine, *[("tally:@a", Add())] * 4)
    batch.insert(at, engine.request("tally:@a", message))
    assert brief(engine.send_all(batch)) == [*range(2, 2 + at), error]
    assert [version for version, _ in history(engine, "tally:@a")] == list(range(1, 2 + at))
    assert len(told) == at
    assert engine.state("tally:@a").count == 1 + at


@pytest.mark.parametrize(("message", "error"), FAILING)
@pytest.mark.parametrize("at", [0, 1, 2, 4])
def test_told_to_keep_going_it_leaves_out_what_fails(
    open_engine: OpenEngine, monkeypatch: pytest.MonkeyPatch, message: Message, error: type[Exception], at: int
) -> None:
    """The error is in its place, the others share one commit, and nothing of the failing one is written."""
    told: list[str] = []
    engine = open_engine(config={"told": told})
    engine.send("tally:@a", AddAll(amounts=(1,)))
    batch = requests(engine, *[("tally:@a", Add())] * 4)
    batch.insert(at, engine.request("tally:@a", message))
    said = transactions(monkeypatch)
    expected: list[object] = [2, 3, 4, 5]
    expected.insert(at, error)
    assert brief(engine.send_all(batch, keep_going=True)) == expected
    assert said == ["BEGIN", "COMMIT"]
    assert history(engine, "tally:@a") == [(version, '{"amount":1}') for version in range(1, 6)]
    assert told == ["1 + 1", "2 + 1", "3 + 1", "4 + 1"]


def test_a_message_that_json_cannot_hold_fails_alone(engine: Pachyderm) -> None:
    """It is refused before it is decided, in its place."""
    batch = requests(engine, ("tally:@a", Add()), ("tally:@a", Keep(value="\ud800")), ("tally:@a", Add()))
    assert brief(engine.send_all(batch, keep_going=True)) == [1, InvalidMessage, 2]
    assert brief(engine.send_all(batch)) == [3, InvalidMessage]


def test_expect_is_held_against_the_version_within_the_batch(engine: Pachyderm) -> None:
    """The version that those before it lead to is the expected one, and that of the log is not."""
    batch = [engine.request("tally:@a", Add(), expect=version) for version in (0, 1, 1, 2, 0)]
    outcomes = engine.send_all(batch, keep_going=True)
    assert brief(outcomes) == [1, 2, VersionConflict, 3, VersionConflict]
    assert isinstance(outcomes[2], VersionConflict)
    assert (outcomes[2].details["version"], outcomes[2].details["expected"]) == (2, 1)


def test_what_made_a_message_is_recorded(engine: Pachyderm) -> None:
    """Message id and `caused_by` of each request are in the log."""
    ids, causes = [uuid4(), uuid4()], [uuid4(), uuid4()]
    engine.send_all(
        [
            engine.request("tally:@a", Add(), message_id=own, caused_by=cause)
            for own, cause in zip(ids, causes, strict=True)
        ]
    )
    assert [(event.message_id, event.caused_by) for event in engine.history("tally:@a")] == list(
        zip(ids, causes, strict=True)
    )


def test_two_types_on_one_history(engine: Pachyderm) -> None:
    """Each type folds what the other one's messages of the same batch led to."""
    one = uuid4()
    messages: list[Message] = [Add(amount=3), Double(), Double(), Add(amount=1), Double(), Ask()]
    batch = [
        engine.request(Reference("doubler" if isinstance(message, Double) else "tally", one), message)
        for message in messages
    ]
    sent = all_sent(engine.send_all(batch))
    assert [each.version for each in sent] == [1, 2, 3, 4, 5, 5]
    counts = [each.state.count if each.entity_type.name == "tally" else each.state for each in sent]
    assert counts == [3, 6, 12, 13, 26, 26]


def test_states_that_can_be_changed_are_each_result_s_own(store_url: str) -> None:
    """Neither later messages of the batch, nor `handle`, nor the caller change a result, the cache or a snapshot."""
    with Pachyderm(store_url, {"basket": basket}, snapshots_every=1) as engine:
        things = [("basket:@a", SpillAndPut(thing=thing)) for thing in ("apple", "pear", "fig")]
        batch = requests(engine, *things[:2], ("basket:@a", Spill(reject=True)), ("basket:@a", Spill(reject=False)))
        outcomes = engine.send_all([*batch, *requests(engine, things[2])], keep_going=True)
        assert brief(outcomes) == [1, 2, Rejected, 2, 3]
        states = [each.state["things"] for each in all_sent([*outcomes[:2], *outcomes[3:]])]
        assert states == [["apple"], ["apple", "pear"], ["apple", "pear"], ["apple", "pear", "fig"]]
        states[-1].append("stone")
        assert engine.snapshots("basket:@a")[0].state == '{"things":["apple","pear","fig"]}'
        assert engine.send("basket:@a", Put(thing="nut")).state == {"things": ["apple", "pear", "fig", "nut"]}


def test_a_state_that_cannot_be_copied_fails_the_next(store_url: str) -> None:
    """The message that leads to it is written, the next one to that entity says what is wrong, others go on."""
    with Pachyderm(store_url, {"basket": basket}) as engine:
        batch = requests(
            engine,
            ("basket:@a", Put(thing="uncopyable")),
            ("basket:@a", Put(thing="apple")),
            ("basket:@b", Put(thing="apple")),
        )
        assert brief(engine.send_all(batch, keep_going=True)) == [1, EntityFailed, 1]


def test_snapshots_are_taken_as_by_single_sends(store_url: str) -> None:
    """Each at the version at which a send of its own would have taken it, with the state of that version."""
    amounts = list(range(1, 9))
    batched = tally_engine(store_url, snapshots_every=3, network="batched")
    single = tally_engine(store_url, snapshots_every=3, network="single")
    with batched, single:
        batched.send_all(requests(batched, *(("tally:@a", Add(amount=amount)) for amount in amounts)))
        for amount in amounts:
            single.send("tally:@a", Add(amount=amount))
        taken = [(each.version, each.state) for each in batched.snapshots("tally:@a")]
        assert taken == [(each.version, each.state) for each in single.snapshots("tally:@a")]
        sums = [0, *accumulate(amounts)]
        assert taken == [(version, f'{{"count":{sums[version]},"kept":[]}}') for version in (6, 3)]
        batched.send_all(requests(batched, *[("tally:@a", Add())] * 2))
        assert [each.version for each in batched.snapshots("tally:@a")] == [9, 6]
