"""Many threads on one engine: what is acknowledged is what is there."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest

from pachyderm_cli import Message, Pachyderm
from pachyderm_cli.engine import sending
from pachyderm_cli.engine.results import Sent
from pachyderm_cli.errors import Rejected, VersionConflict
from pachyderm_cli.store.append import append
from pachyderm_cli.store.store import Store
from tests.contracts.conftest import OpenEngine
from tests.support.tally import Add, AddAll, Ask, Keep, Refuse

NETWORK = "n"
SECONDS = 60  # how long anything is waited for that should be there at once


class Held:
    """Holds an engine's next commit until it is told to go on, so that other sends queue up behind it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.groups: list[int] = []
        self.begun, self.go = threading.Event(), threading.Event()
        monkeypatch.setattr(sending, "append", self._append)

    def _append(self, store: Store, network: str, appends: Any) -> Any:
        self.groups.append(len(appends))
        if len(self.groups) == 1:
            self.begun.set()
            assert self.go.wait(SECONDS)
        return append(store, network, appends)


def waiting(engine: Pachyderm, number: int) -> None:
    """Return once so many appends are in the engine's queue."""
    tick = threading.Event()
    while len(engine._sender._commits._queue) < number:
        tick.wait(0.001)


def test_sends_that_share_a_commit_are_each_answered(open_engine: OpenEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sends to one and to several entities in one group: all are acknowledged, no version is given twice."""
    engine = open_engine()
    for name in "abcd":
        engine.send(f"tally:@{name}", Add())
    held = Held(monkeypatch)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(engine.send, "tally:@a", Add())
        assert held.begun.wait(SECONDS)
        others = [pool.submit(engine.send, f"tally:@{name}", Add()) for name in "bcdbcd"]
        waiting(engine, 6)
        held.go.set()
        assert first.result(SECONDS).version == 2
        answered = Counter((str(each.result(SECONDS).entity), each.result().version) for each in others)
    assert held.groups[:2] == [1, 6]
    assert answered == Counter(
        (str(engine.find(f"tally:@{name}").entity), version) for name in "bcd" for version in (2, 3)
    )
    assert [engine.replay(f"tally:@{name}").state.count for name in "abcd"] == [2, 3, 3, 3]


def test_one_message_id_in_one_group(open_engine: OpenEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of sends of one message id that share a commit one is new, and the others return its outcome."""
    told: list[str] = []
    engine = open_engine(config={"told": told})
    held = Held(monkeypatch)
    used = uuid4()
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(engine.send, "tally:@other", AddAll(amounts=(1,)))
        assert held.begun.wait(SECONDS)
        repeated = [pool.submit(engine.send, "tally:@a", Add(amount=5), message_id=used) for _ in range(4)]
        waiting(engine, 4)
        held.go.set()
        first.result(SECONDS)
        results = [each.result(SECONDS) for each in repeated]
    assert sorted(each.duplicate for each in results) == [False, True, True, True]
    assert {(each.version, each.state.count) for each in results} == {(1, 5)}
    assert told == ["0 + 5"]


def test_snapshots_of_a_group_are_at_the_right_versions(
    open_engine: OpenEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a group where some sends take a snapshot and some do not, each entity has the one that is due."""
    engine = open_engine(snapshots_every=3)
    for name, before in {"a": 1, "b": 2, "c": 5}.items():
        for _ in range(before):
            engine.send(f"tally:@{name}", Add())
    held = Held(monkeypatch)
    with ThreadPoolExecutor(8) as pool:
        sent = [pool.submit(engine.send, "tally:@other", Add())]
        assert held.begun.wait(SECONDS)
        sent += [pool.submit(engine.send, f"tally:@{name}", Add()) for name in "abc"]
        waiting(engine, 3)
        held.go.set()
        for each in sent:
            each.result(SECONDS)
    taken = {name: [(each.version, each.state) for each in engine.snapshots(f"tally:@{name}")] for name in "abc"}
    assert held.groups == [1, 3]
    assert taken == {
        "a": [],
        "b": [(3, '{"count":3,"kept":[]}')],
        "c": [(6, '{"count":6,"kept":[]}'), (3, '{"count":3,"kept":[]}')],
    }


def test_snapshots_of_a_cached_entity_follow_the_last(open_engine: OpenEngine) -> None:
    """They are counted from the last one taken, past conflicts, rejections and sends that write nothing."""
    mine, theirs = open_engine(snapshots_every=4), open_engine(snapshots_every=0)
    for _ in range(3):
        mine.send("tally:@a", Add())
    with pytest.raises(Rejected):
        mine.send("tally:@a", Refuse())
    mine.send("tally:@a", Ask())
    theirs.send("tally:@a", Add())
    assert mine.snapshots("tally:@a") == []
    mine.send("tally:@a", Add())
    assert [each.version for each in mine.snapshots("tally:@a")] == [5]
    for _ in range(3):
        mine.send("tally:@a", Add())
    assert [each.version for each in mine.snapshots("tally:@a")] == [5]
    mine.send("tally:@a", AddAll(amounts=(1, 1)))
    assert [each.version for each in mine.snapshots("tally:@a")] == [10, 5]
    assert mine.state("tally:@a") == mine.replay("tally:@a").state


THREADS, SENDS, ENTITIES = 32, 10, 40
SHARED_TURNS = (1, 6)


def mixed(number: int, turn: int, random: Random) -> tuple[str, Message, dict[str, Any]]:
    """Return what a thread sends: news, a rejection, an expectation that often fails, or what two threads send."""
    name = f"tally:@{random.randrange(ENTITIES)}"
    value = f"{number}.{turn}"
    if turn in SHARED_TURNS:
        shared = shared_id(number, turn)
        return f"tally:@{shared.int % ENTITIES}", Keep(value=shared.int), {"message_id": shared}
    match turn % 5:
        case 0:
            return name, Keep(value=value), {}
        case 2:
            return name, Refuse(), {}
        case 3:
            return name, Keep(value=value), {"expect": random.randrange(3)}
        case _:
            return name, AddAll(amounts=(number, turn)), {}


def shared_id(number: int, turn: int) -> UUID:
    """Return the message id that a thread shares with its neighbour."""
    return UUID(int=number // 2 * SENDS + turn)


def test_history_is_exactly_what_was_acknowledged(open_engine: OpenEngine) -> None:
    """Of many threads' sends, mixed with duplicates, conflicts and rejections, the log holds those acknowledged."""
    engines = [open_engine(snapshots_every=3), open_engine(cached=5, snapshots_every=0)]
    together = threading.Barrier(THREADS, timeout=SECONDS)

    def work(number: int) -> list[Sent]:
        random = Random(number)  # noqa: S311 - the same in every run
        together.wait()
        answers = []
        for turn in range(SENDS):
            name, message, options = mixed(number, turn, random)
            with suppress(Rejected, VersionConflict):
                answers.append(engines[(number + turn) % 2].send(name, message, **options))
        return answers

    with ThreadPoolExecutor(THREADS) as pool:
        answers = [sent for each in pool.map(work, range(THREADS)) for sent in each]
    acknowledged = Counter(
        (sent.entity, event.version, sent.message_id, event.data)
        for sent in answers
        if not sent.duplicate
        for event in sent.events
    )
    recorded = Counter(
        (event.entity, event.version, event.message_id, event.data)
        for head in engines[0].entities()
        for event in engines[0].history(head.entity)
    )
    assert acknowledged == recorded
    assert max(recorded.values()) == 1
    assert {
        (sent.entity, event.version, sent.message_id, event.data) for sent in answers for event in sent.events
    } == set(recorded)
    shared = Counter(sent.message_id for sent in answers if sent.duplicate)
    assert shared == Counter({shared_id(number, turn): 1 for number in range(THREADS) for turn in SHARED_TURNS})
    for head in engines[0].entities():
        replayed = engines[0].replay(head.entity)
        assert [event.version for event in engines[0].history(head.entity)] == list(range(1, head.version + 1))
        assert [engine.state(head.entity) for engine in engines] == [replayed.state] * 2
