"""A batch beside other writers, and on a database that refuses or goes away: in once, in order, without a gap."""

import time
from collections.abc import Callable, Sequence
from threading import Barrier, Thread

import pytest
from sqlalchemy import text

from pachyderm_cli import Pachyderm, Rejected
from pachyderm_cli.engine.results import Sent
from pachyderm_cli.errors import PachydermError, StoreError, VersionConflict
from pachyderm_cli.store.schema import entities
from tests.contracts.conftest import OpenEngine
from tests.support import quota
from tests.support.batches import all_sent, before_commits, brief, history, requests, transactions
from tests.support.engines import tally_engine
from tests.support.quota import GiveBack, Take
from tests.support.raw import all_rows, connected, execute, row_counts
from tests.support.tally import Add, AddAll, Ask, Refuse


def test_a_stale_cache_is_decided_anew(open_engine: OpenEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another engine wrote to one of the entities, all is rolled back, decided again, and written together."""
    told: list[str] = []
    mine, theirs = open_engine(config={"told": told}), open_engine()
    mine.send_all(requests(mine, ("tally:@a", AddAll(amounts=(1,))), ("tally:@b", AddAll(amounts=(1,)))))
    theirs.send("tally:@b", AddAll(amounts=(10, 10)))
    said = transactions(monkeypatch)
    batch = requests(mine, *[("tally:@a", Add()), ("tally:@b", Add())] * 2)
    sent = all_sent(mine.send_all(batch))
    assert [(each.version, each.state.count) for each in sent] == [(2, 2), (4, 22), (3, 3), (5, 23)]
    assert told == ["1 + 1", "21 + 1", "2 + 1", "22 + 1"]
    assert said == ["BEGIN", "BEGIN", "COMMIT"]
    assert [version for version, _ in history(mine, "tally:@b")] == [1, 2, 3, 4, 5]


def test_a_rejection_is_not_decided_on_an_old_state(store_url: str) -> None:
    """What the cached state would reject is accepted where the newest accepts it, and the other way round."""
    with Pachyderm(store_url, {"quota": quota}) as mine, Pachyderm(store_url, {"quota": quota}) as theirs:
        mine.send_all(requests(mine, *[("quota:@full", Take())] * quota.LIMIT, ("quota:@free", Take())))
        theirs.send_all(requests(theirs, ("quota:@full", GiveBack()), *[("quota:@free", Take())] * (quota.LIMIT - 1)))
        batch = requests(mine, *[("quota:@full", Take()), ("quota:@free", Take())] * 2)
        assert brief(mine.send_all(batch, keep_going=True)) == [5, Rejected, 6, Rejected]


@pytest.mark.parametrize("times", [1, 3, 4, 9, 13])
def test_a_writer_that_wins_again_and_again(
    open_engine: OpenEngine, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """However often another writes between decision and commit, all ends up in order, exactly once, without a gap."""
    told: list[str] = []
    mine, theirs = open_engine(config={"told": told}), open_engine()
    attempts = before_commits(monkeypatch, lambda: theirs.send("tally:@b", AddAll(amounts=(100,))), times)
    batch = requests(mine, *((f"tally:@{'ab'[number % 2]}", Add(amount=number)) for number in range(8)))
    sent = all_sent(mine.send_all(batch))
    assert [each.version for each in sent if each.entity == sent[0].entity] == [1, 2, 3, 4]
    for name in "ab":
        versions, data = zip(*history(mine, f"tally:@{name}"), strict=True)
        assert versions == tuple(range(1, len(versions) + 1))
        mine_alone = [each for each in data if each != '{"amount":100}']
        assert mine_alone == [f'{{"amount":{number}}}' for number in range(8) if "ab"[number % 2] == name]
    assert len(told) == 8
    halved = [8] * 4 + [4] * 4 + [2] * 4
    assert attempts[: times + 1][:12] == halved[: times + 1]
    after = all_sent(mine.send_all(requests(mine, ("tally:@a", Add()), ("tally:@b", Add()))))
    assert after[0].version == 5


def test_a_writer_that_wins_changes_what_is_decided(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure that was decided in an attempt that lost its race is decided again, and may be none."""
    with Pachyderm(store_url, {"quota": quota}) as mine, Pachyderm(store_url, {"quota": quota}) as theirs:
        mine.send_all(requests(mine, *[("quota:@a", Take())] * (quota.LIMIT - 1)))
        before_commits(monkeypatch, lambda: theirs.send("quota:@a", GiveBack()))
        batch = requests(mine, *[("quota:@a", Take())] * quota.LIMIT, ("quota:@a", Take()))
        assert brief(mine.send_all(batch)) == [4, 5, 6, Rejected]


def test_expect_holds_against_other_writers(open_engine: OpenEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that is no longer the entity's is a conflict in its place, not a reason to try again."""
    mine, theirs = open_engine(), open_engine()
    mine.send("tally:@a", Add())
    attempts = before_commits(monkeypatch, lambda: theirs.send("tally:@a", Add()))
    batch = [
        mine.request("tally:@b", Add()),
        mine.request("tally:@a", Add(), expect=1),
        mine.request("tally:@b", Add()),
    ]
    assert brief(mine.send_all(batch, keep_going=True)) == [1, VersionConflict, 2]
    assert attempts == [3, 2]


@pytest.fixture
def refusing(open_engine: OpenEngine, store_url: str) -> Pachyderm:
    """Return an engine on a database that takes no event of tally:@bad."""
    engine = open_engine()
    engine.send("tally:@a", AddAll(amounts=(1,)))
    bad = engine.receiver("tally:@bad").id
    if store_url.startswith("sqlite"):
        refuse = (
            f"CREATE TRIGGER refuse BEFORE INSERT ON pachyderm_events WHEN NEW.entity_id = '{bad}' "
            "BEGIN SELECT RAISE(ABORT, 'not this one'); END"
        )
    else:
        refuse = f"ALTER TABLE pachyderm_events ADD CONSTRAINT refuse CHECK (entity_id <> '{bad}')"
    execute(store_url, text(refuse))
    return engine


@pytest.mark.parametrize("at", [0, 1, 4, 6])
def test_what_the_database_refuses_fails_alone(refusing: Pachyderm, at: int) -> None:
    """The neighbours are written, in order, and the cache knows what is."""
    batch = requests(refusing, *[("tally:@a", Add())] * 6)
    batch.insert(at, refusing.request("tally:@bad", Add()))
    expected: list[object] = [2, 3, 4, 5, 6, 7]
    expected.insert(at, StoreError)
    assert brief(refusing.send_all(batch, keep_going=True)) == expected
    assert refusing.send("tally:@a", Add()).state.count == 8
    assert [head.version for head in refusing.entities()] == [8]


@pytest.mark.parametrize("at", [0, 1, 4, 6])
def test_what_the_database_refuses_ends_it(refusing: Pachyderm, store_url: str, at: int) -> None:
    """Those before are written, none after; of the refused one there is neither event nor head."""
    batch = requests(refusing, *[("tally:@a", Add())] * 6)
    batch.insert(at, refusing.request("tally:@bad", Add()))
    assert brief(refusing.send_all(batch)) == [*range(2, 2 + at), StoreError]
    assert row_counts(store_url) == {"entities": 1, "events": 1 + at, "snapshots": 0}


@pytest.mark.parametrize("message", [Ask(), Refuse(), Add()])
def test_finding_what_is_refused_takes_few_commits(
    refusing: Pachyderm, monkeypatch: pytest.MonkeyPatch, message: Ask | Refuse | Add
) -> None:
    """Whatever is around the refused message, it is found by halving; after it, parts grow again."""
    some = requests(refusing, *[("tally:@a", message)] * 100)
    attempts = before_commits(monkeypatch, lambda: None)
    outcomes = refusing.send_all([*some, *requests(refusing, ("tally:@bad", Add())), *some], keep_going=True)
    assert [index for index, each in enumerate(outcomes) if isinstance(each, StoreError)] == [100]
    assert len(attempts) < 50


def test_where_all_are_refused_each_is_tried_few_times(refusing: Pachyderm, monkeypatch: pytest.MonkeyPatch) -> None:
    """The work for many that the database refuses grows with their number, not with its square."""
    attempts = before_commits(monkeypatch, lambda: None)
    outcomes = refusing.send_all(requests(refusing, *[("tally:@bad", Add())] * 100), keep_going=True)
    assert brief(outcomes) == [StoreError] * 100
    assert sum(attempts) < 1000


def test_effects_of_what_is_committed_run_before_the_next_part(
    refusing: Pachyderm, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a batch goes in by parts, what could go wrong with a later one costs no effect of an earlier one."""
    seen: list[int] = []
    monkeypatch.setattr("tests.support.tally.Told.dispatch", lambda *_: seen.append(row_counts(store_url)["events"]))
    batch = requests(refusing, *[("tally:@a", Add())] * 2, ("tally:@bad", Add()), *[("tally:@a", Add())] * 2)
    refusing.send_all(batch, keep_going=True)
    assert seen == [3, 3, 5, 5]


def test_a_head_that_was_taken_out_is_an_error(
    engine: Pachyderm, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where SQL deleted an entity's head, its messages give up after their attempts, and the others are sent."""
    monkeypatch.setattr("pachyderm_cli.engine.sending.ATTEMPTS", 3)
    engine.send("tally:@bad", Add())
    execute(store_url, entities.delete())
    batch = requests(engine, ("tally:@a", Add()), ("tally:@bad", Add()), ("tally:@a", Add()))
    assert brief(engine.send_all(batch, keep_going=True)) == [1, VersionConflict, 2]
    assert [version for version, _ in history(engine, "tally:@a")] == [1, 2]


def at_once(*works: Callable[[], object]) -> None:
    """Run them in threads that begin together."""
    barrier = Barrier(len(works))
    threads = [Thread(target=lambda work=work: (barrier.wait(), work())) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_batches_that_meet_in_opposite_order(store_url: str) -> None:
    """Two that write to the same entities, each the other way round, are both in, in order, without a gap."""
    outcomes: dict[str, Sequence[Sent | PachydermError]] = {}
    names = [f"tally:@{number}" for number in range(20)]
    with tally_engine(store_url) as one, tally_engine(store_url) as other:
        one.send("tally:@0", AddAll(amounts=(0,)))

        def send(engine: Pachyderm, key: str, order: list[str]) -> None:
            outcomes[key] = engine.send_all(requests(engine, *((name, AddAll(amounts=(1,))) for name in order * 5)))

        at_once(lambda: send(one, "one", names), lambda: send(other, "other", names[::-1]))
        assert all(len(all_sent(each)) == 100 for each in outcomes.values())
        assert [one.state(name).count for name in names] == [10] * 20
        assert len(all_rows(store_url)["events"]) == 201


def is_blocked(postgres_url: str) -> bool:
    """Tell whether a connection to the database waits for a lock."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with connected(postgres_url) as connection:
        return connection.execute(text(waiting)).first() is not None


@pytest.mark.postgres
def test_a_deadlock_is_no_failure(postgres_url: str) -> None:
    """A batch that Postgres picked to end a deadlock is sent once more, in smaller parts, in order."""
    lock = "UPDATE pachyderm_entities SET updated_at = updated_at WHERE id = '{}'"
    with tally_engine(postgres_url) as engine:
        batch = requests(engine, *[("tally:@a", Add()), ("tally:@b", Add())] * 2)
        first, second = (each.entity.id for each in batch[:2])
        engine.send_all(batch)
        outcomes: list[Sent | PachydermError] = []
        sending = Thread(target=lambda: outcomes.extend(engine.send_all(batch)))
        with connected(postgres_url) as other:
            other.execute(text("SET LOCAL deadlock_timeout TO '1h'"))  # it is the batch that notices, and is picked
            other.execute(text(lock.format(second)))
            sending.start()
            while not is_blocked(postgres_url):
                time.sleep(0.01)
            other.execute(text(lock.format(first)))
        sending.join()
        assert brief(outcomes) == [3, 3, 4, 4]
        assert [len(history(engine, name)) for name in ("tally:@a", "tally:@b")] == [4, 4]
