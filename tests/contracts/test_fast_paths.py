"""The fast paths, group commit and the cache of folds: they change how fast an answer comes, never what it is."""

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete

from pachyderm_cli import Message, Pachyderm
from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.engine import sending
from pachyderm_cli.engine.results import Sent
from pachyderm_cli.errors import EntityFailed, NotFound, Rejected, StoreError, VersionConflict
from pachyderm_cli.store.append import append
from pachyderm_cli.store.events import read_events
from pachyderm_cli.store.records import Append, NewSnapshot, Outcome
from pachyderm_cli.store.schema import entities, events
from pachyderm_cli.store.snapshots import snapshots_of
from pachyderm_cli.store.statement import Transaction
from pachyderm_cli.store.store import Store
from tests.contracts.conftest import OpenEngine
from tests.support import basket, quota
from tests.support.appends import an_append, an_entity
from tests.support.basket import Put, Spill, SpillAndPut
from tests.support.quota import GiveBack, Take, TakeFirst
from tests.support.raw import execute, row_counts
from tests.support.tally import Add, AddAll, Ask, Keep, Refuse

ROOT = Path(__file__).resolve().parents[2]
NETWORK = "n"
SECONDS = 60  # how long anything is waited for that should be there at once


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """Return a store that nothing was written to."""
    opened = Store(store_url)
    yield opened
    opened.close()


def versions(store: Store, entity: Reference) -> list[int]:
    """Return the versions of the entity's events, in order."""
    return [event.version for event in read_events(store, NETWORK, entity.id)]


# One group of appends in one commit.


def test_each_of_a_group_is_in_or_out_by_itself(store: Store) -> None:
    """A success, a conflict, a duplicate id, a first append and one with a snapshot, in one group: each has its own."""
    old, other, new, kept = (an_entity() for _ in range(4))
    used = uuid4()
    append(store, NETWORK, [an_append(old, message_id=used), an_append(other), an_append(kept)])
    outcomes = append(
        store,
        NETWORK,
        [
            an_append(old, 1, events=2),
            an_append(other, 0, snapshot=NewSnapshot(1, "lost", "{}")),
            an_append(other, 1, message_id=used, snapshot=NewSnapshot(2, "refused", "{}")),
            an_append(new, events=3),
            an_append(kept, 1, snapshot=NewSnapshot(2, "kept", '{"a":1}')),
        ],
    )
    assert outcomes == [
        Outcome.APPENDED,
        Outcome.CONFLICT,
        Outcome.MESSAGE_ID_USED,
        Outcome.APPENDED,
        Outcome.APPENDED,
    ]
    assert [versions(store, each) for each in (old, other, new, kept)] == [[1, 2, 3], [1], [1, 2, 3], [1, 2]]
    assert [(each.version, each.state) for each in snapshots_of(store, NETWORK, kept.id)] == [(2, '{"a":1}')]
    assert snapshots_of(store, NETWORK, other.id) == []


@pytest.mark.parametrize("with_snapshot", [False, True])
def test_a_conflict_in_a_group_leaves_no_snapshot(store: Store, *, with_snapshot: bool) -> None:
    """Beside neighbours that are written, with a snapshot or without, a loser's events and snapshot are not there."""
    winner, loser = an_entity(), an_entity()
    append(store, NETWORK, [an_append(loser, events=2)])
    snapshot = NewSnapshot(1, "f", "{}") if with_snapshot else None
    outcomes = append(
        store, NETWORK, [an_append(loser, 1, snapshot=NewSnapshot(2, "f", "{}")), an_append(winner, snapshot=snapshot)]
    )
    assert outcomes == [Outcome.CONFLICT, Outcome.APPENDED]
    assert (versions(store, loser), versions(store, winner)) == ([1, 2], [1])
    assert snapshots_of(store, NETWORK, loser.id) == []
    assert len(snapshots_of(store, NETWORK, winner.id)) == int(with_snapshot)


def without_a_name(entity: Reference) -> Append:
    """Return an append that breaks a constraint."""
    return an_append(entity, message=None)


def of_no_text(entity: Reference) -> Append:
    """Return an append that a driver cannot hand over: SQLite takes no such type, Postgres no such mix."""
    return an_append(entity, message={"not": "text"})


@pytest.mark.parametrize("refused", [without_a_name, of_no_text])
@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("with_snapshot", [False, True])
def test_one_that_the_database_refuses_does_not_hurt_its_neighbours(
    store: Store, refused: Callable[[Reference], Append], at: int, *, with_snapshot: bool
) -> None:
    """Wherever in the group it is, it alone is told of the error, and its neighbours of what became of them."""
    bad, good, better = an_entity(), an_entity(), an_entity()
    snapshot = NewSnapshot(1, "f", "{}") if with_snapshot else None
    group = [an_append(good, snapshot=snapshot), an_append(better)]
    group.insert(at, refused(bad))
    outcomes = append(store, NETWORK, group)
    assert isinstance(outcomes.pop(at), StoreError)
    assert outcomes == [Outcome.APPENDED, Outcome.APPENDED]
    assert [versions(store, each) for each in (bad, good, better)] == [[], [1], [1]]
    assert append(store, NETWORK, [an_append(bad), an_append(good, 1)]) == [Outcome.APPENDED] * 2


def test_a_group_writes_nothing_where_the_database_cannot_be_used(tmp_path: Path) -> None:
    """An error that is no append's own is raised once for all, and is not met again for each."""
    store = Store(f"sqlite:///{tmp_path}")
    with pytest.raises(StoreError, match="cannot be opened"):
        append(store, NETWORK, [an_append(an_entity()), an_append(an_entity())])
    store.close()


# A cache that is behind.


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


# A store that was tampered with.


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a send give up early."""
    monkeypatch.setattr(sending, "ATTEMPTS", 5)


@pytest.mark.usefixtures("impatient")
def test_an_entity_that_was_taken_out_is_begun_anew(open_engine: OpenEngine, store_url: str) -> None:
    """Where SQL deleted head and events, a send that has both cached ends at version 1 of a new history."""
    engine = open_engine()
    for _ in range(3):
        engine.send("tally:@a", Add(amount=5))
    execute(store_url, delete(events))
    execute(store_url, delete(entities))
    sent = engine.send("tally:@a", Add())
    assert (sent.version, sent.state.count) == (1, 1)
    assert engine.replay("tally:@a").version == 1
    assert engine.send("tally:@a", Add()).version == 2


@pytest.mark.usefixtures("impatient")
def test_an_entity_that_was_taken_out_is_not_at_the_expected_version(open_engine: OpenEngine, store_url: str) -> None:
    """A send that expects the cached version is told that the entity is at 0."""
    engine = open_engine()
    engine.send("tally:@a", Add())
    execute(store_url, delete(events))
    execute(store_url, delete(entities))
    with pytest.raises(VersionConflict) as caught:
        engine.send("tally:@a", Add(), expect=1)
    assert caught.value.details["version"] == 0
    with pytest.raises(NotFound):
        engine.state("tally:@a")


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("cached", [0, 10])
def test_a_head_that_was_taken_out_is_an_error(open_engine: OpenEngine, store_url: str, cached: int) -> None:
    """Where SQL deleted the head alone, a send gives up after its attempts; nothing is written."""
    engine = open_engine(cached=cached)
    engine.send("tally:@a", Add())
    execute(store_url, delete(entities))
    with pytest.raises(VersionConflict):
        engine.send("tally:@a", Add())
    assert row_counts(store_url) == {"entities": 0, "events": 1, "snapshots": 0}


@pytest.mark.usefixtures("impatient")
def test_events_that_were_taken_out_are_an_error(open_engine: OpenEngine, store_url: str) -> None:
    """Where SQL deleted the last events but not the head, an engine without them cached gives up."""
    open_engine().send("tally:@a", AddAll(amounts=(1, 1, 1)))
    execute(store_url, delete(events).where(events.c.version > 1))
    with pytest.raises(VersionConflict):
        open_engine().send("tally:@a", Add())
    assert row_counts(store_url)["events"] == 1


def test_a_tampered_entity_does_not_hurt_another(store: Store, store_url: str) -> None:
    """In a group with an entity whose head was deleted, its neighbour is written; it alone is told."""
    tampered, sound = an_entity(), an_entity()
    append(store, NETWORK, [an_append(tampered)])
    execute(store_url, delete(entities))
    refused, written = append(store, NETWORK, [an_append(tampered), an_append(sound)])
    assert isinstance(refused, StoreError)
    assert "inconsistent" in str(refused)
    assert written is Outcome.APPENDED


# Many threads.


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
    while len(engine._sender.commits._queue) < number:
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


# What is said to the database.


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of all that connections were told, by the first word, in order."""
    statements: list[str] = []
    run, prepared = Transaction.run, Transaction._prepared

    def seen_run(transaction: Transaction, sql: str) -> None:
        statements.append(sql)
        run(transaction, sql)

    def seen_prepared(transaction: Transaction, *arguments: Any) -> tuple[str, Any]:
        text, values = prepared(transaction, *arguments)
        statements.append(text.split()[0])
        return text, values

    monkeypatch.setattr(Transaction, "run", seen_run)
    monkeypatch.setattr(Transaction, "_prepared", seen_prepared)
    return statements


def reference_of(engine: Pachyderm, name: str) -> Reference:
    """Return an entity by its id, which needs no looking up."""
    return engine.find(name).entity


def test_a_warm_send_reads_nothing(engine: Pachyderm, store_url: str, said: list[str]) -> None:
    """To a cached entity it is one statement on Postgres, and begin, update, insert, commit on SQLite."""
    engine.send("tally:@a", Add())
    entity = reference_of(engine, "tally:@a")
    said.clear()
    engine.send(entity, Add())
    on_sqlite = ["BEGIN IMMEDIATE", "UPDATE", "INSERT", "COMMIT"]
    assert said == (on_sqlite if store_url.startswith("sqlite") else ["WITH"])


def test_several_events_are_still_one_statement_on_postgres(engine: Pachyderm, store_url: str, said: list[str]) -> None:
    """On Postgres all of a send's events go along; on SQLite, where nothing is far, there is one insert for each."""
    engine.send("tally:@a", Add())
    entity = reference_of(engine, "tally:@a")
    said.clear()
    engine.send(entity, AddAll(amounts=(1, 2, 3)))
    on_sqlite = ["BEGIN IMMEDIATE", "UPDATE", *["INSERT"] * 3, "COMMIT"]
    assert said == (on_sqlite if store_url.startswith("sqlite") else ["WITH"])


def test_a_rejection_reads_what_is_new_and_no_more(engine: Pachyderm, said: list[str]) -> None:
    """An answer without an append costs the one look at the log that makes sure of it."""
    engine.send("tally:@a", Add())
    entity = reference_of(engine, "tally:@a")
    said.clear()
    with pytest.raises(Rejected):
        engine.send(entity, Refuse())
    assert said == ["SELECT"]


@pytest.mark.postgres
def test_a_warm_send_is_one_round_trip(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver itself is asked to execute once, and to commit or roll back never."""
    from psycopg import Connection  # noqa: PLC0415 - with the extra `postgres` only

    with Pachyderm(postgres_url, {"quota": quota}) as engine:
        engine.send("quota:@a", Take())
        entity = reference_of(engine, "quota:@a")
        asked: list[str] = []

        def watched(name: str) -> None:
            original = getattr(Connection, name)

            def method(connection: Any, *arguments: Any, **options: Any) -> Any:
                asked.append(name)
                return original(connection, *arguments, **options)

            monkeypatch.setattr(Connection, name, method)

        for name in ("execute", "commit", "rollback", "pipeline", "cursor"):
            watched(name)
        engine.send(entity, Take())
    # `execute` makes itself a cursor.
    assert asked == ["execute", "cursor"]


def test_a_group_is_one_commit(store: Store, store_url: str, said: list[str]) -> None:
    """However many appends are in it, there is one begin and one commit."""
    append(store, NETWORK, [an_append(an_entity())])
    said.clear()
    append(store, NETWORK, [an_append(an_entity()) for _ in range(10)])
    one = ["INSERT", "INSERT"] if store_url.startswith("sqlite") else ["WITH"]
    begin = "BEGIN IMMEDIATE" if store_url.startswith("sqlite") else "BEGIN"
    assert said == [begin, *one * 10, "COMMIT"]


def test_without_a_cache_every_send_reads(open_engine: OpenEngine, said: list[str]) -> None:
    """With room for none, a send loads snapshot and events before it writes, and comes to the same."""
    engine = open_engine(cached=0)
    engine.send("tally:@a", Add())
    entity = reference_of(engine, "tally:@a")
    said.clear()
    assert engine.send(entity, Add()).state.count == 2
    assert said[:2] == ["SELECT", "SELECT"]


# What goes in and comes out is nobody else's.


def basket_engine(store_url: str, **options: Any) -> Pachyderm:
    """Return an engine for the basket."""
    return Pachyderm(store_url, {"basket": basket}, **options)


def test_a_state_that_was_given_out_may_be_changed(store_url: str) -> None:
    """What a caller does to the state of a result, or of `state()`, no later send is decided on."""
    with basket_engine(store_url) as engine:
        first = engine.send("basket:@a", Put(thing="apple"))
        first.state["things"].append("stone")
        second = engine.send("basket:@a", Put(thing="pear"))
        second.state.clear()
        engine.state("basket:@a")["things"].append("stone")
        engine.inspect("basket:@a").state["things"].append("stone")
        third = engine.send("basket:@a", Put(thing="fig"))
        assert third.state == {"things": ["apple", "pear", "fig"]}
        assert engine.replay("basket:@a").state == third.state


def test_a_handle_that_changes_its_state_changes_nothing(store_url: str) -> None:
    """What `handle` does in place to what it was given is lost: on acceptance, rejection, and where nothing is said."""
    with basket_engine(store_url, snapshots_every=1) as engine:
        for thing in ("apple", "pear"):
            sent = engine.send("basket:@a", SpillAndPut(thing=thing))
        assert sent.state == {"things": ["apple", "pear"]}
        assert engine.snapshots("basket:@a")[0].state == '{"things":["apple","pear"]}'
        with pytest.raises(Rejected):
            engine.send("basket:@a", Spill(reject=True))
        assert engine.send("basket:@a", Spill(reject=False)).state == sent.state
        assert engine.send("basket:@a", SpillAndPut(thing="fig")).state == {"things": ["apple", "pear", "fig"]}
        assert engine.state("basket:@a") == engine.replay("basket:@a").state


def test_an_update_that_changes_its_state_is_harmless(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decision that lost its race was folded in place; the next one begins from what the log says."""
    with basket_engine(store_url) as slow, basket_engine(store_url) as quick:
        slow.send("basket:@a", Put(thing="apple"))

        def overtaken(*arguments: Any) -> Any:
            monkeypatch.setattr(sending, "append", append)
            quick.send("basket:@a", Put(thing="pear"))
            return append(*arguments)

        monkeypatch.setattr(sending, "append", overtaken)
        sent = slow.send("basket:@a", Put(thing="fig"))
        assert sent.state == {"things": ["apple", "pear", "fig"]}
        assert slow.send("basket:@a", Put(thing="nut")).state == slow.replay("basket:@a").state


def test_a_state_that_cannot_be_copied_fails_before_anything_is_written(store_url: str) -> None:
    """The send that leads to it is acknowledged, since it is written; the next one says what is wrong."""
    with basket_engine(store_url) as engine:
        sent = engine.send("basket:@a", Put(thing="uncopyable"))
        assert sent.version == 1
        with pytest.raises(EntityFailed, match="copying the state"):
            engine.send("basket:@a", Put(thing="apple"))
        assert engine.find("basket:@a").version == 1
