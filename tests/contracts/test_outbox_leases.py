"""Leases at work: kept as long as their holder lives, and nothing is ended by who has lost his."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from pachyderm_cli import Pachyderm
from pachyderm_cli.engine.results import Worked
from pachyderm_cli.errors import StoreError
from pachyderm_cli.store import outbox
from tests.support.batches import all_sent
from tests.support.commits import wait_until
from tests.support.courier import Do, Order, Pass, Post
from tests.support.office import Office, log

SECONDS = 60
SHORT = 2.0  # seconds, and yet longer than a busy machine keeps a thread from its turn


@pytest.fixture
def office(store_url: str) -> Iterator[Office]:
    """Return a store for couriers, on each database."""
    with Office(store_url) as opened:
        yield opened


@contextmanager
def working(engine: Pachyderm, **options: Any) -> Iterator[list[Worked]]:
    """Let a worker work meanwhile; give the list of what became of what it tried."""
    stop = threading.Event()
    worked: list[Worked] = []
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(lambda: worked.extend(engine.work(stop=stop, **options)))
        try:
            yield worked
        finally:
            stop.set()
            done.result(SECONDS)


@contextmanager
def held_up(office: Office, text: str) -> Iterator[threading.Event]:
    """Let the first effect with that text wait; give what tells that it has begun. At the end it goes on."""
    begun, go_on = threading.Event(), threading.Event()

    def act() -> None:
        if not begun.is_set():
            begun.set()
            assert go_on.wait(SECONDS)

    office.world.acts[text] = act
    try:
        yield begun
    finally:
        go_on.set()


@pytest.mark.parametrize("by", ["send", "worker"])
def test_an_effect_that_takes_longer_than_a_lease_is_its_holder_s_all_the_while(office: Office, by: str) -> None:
    """The lease is renewed: another worker, which looks again and again, does not begin it a second time."""
    office.world.acts["slow"] = lambda: time.sleep(2.5 * SHORT)
    mine, theirs = office.open(lease_seconds=SHORT), office.open(lease_seconds=SHORT)
    with working(theirs) if by == "send" else working(mine):
        mine.send("courier:@a", Do(note="n", orders=(Post(text="slow"),)), effects=by == "send")
        wait_until(lambda: office.only()["status"] == "done")
        assert list(theirs.work(once=True)) == []
    assert (office.world.heard, office.only()["attempts"]) == (["slow"], 1)


def test_the_last_effects_of_a_batch_wait_for_the_first_without_becoming_another_s(office: Office) -> None:
    """They are under one lease from their commit on, which is kept until all of them are carried out."""
    office.world.acts = {str(at): lambda: time.sleep(0.6 * SHORT) for at in range(6)}
    mine, theirs = office.open(lease_seconds=SHORT), office.open(lease_seconds=SHORT)
    batch = [mine.request(f"courier:@{at}", Do(note="n", orders=(Post(text=str(at)),))) for at in range(6)]
    with working(theirs) as worked:
        sent = all_sent(mine.send_all(batch))
    assert [[str(each.status) for each in one.effects] for one in sent] == [["done"]] * 6
    assert office.world.heard == [str(at) for at in range(6)]
    assert worked == []


def test_a_worker_that_lost_its_lease_finishes_nothing(office: Office) -> None:
    """Another did; the effect ran twice, as at least once means, and is told of by who finished it."""
    slow, quick = office.open(), office.open()
    slow.send("courier:@a", Do(note="n", orders=(Post(text="t"),)), effects=False)
    with working(slow, concurrency=1) as worked, held_up(office, "t") as begun:  # it takes it up no second time itself
        assert begun.wait(SECONDS)
        office.end_leases()
        assert [(str(each.result.status), each.attempt) for each in quick.work(once=True)] == [("done", 2)]
        row = office.only()
    assert worked == []
    assert office.only() == row
    assert office.world.heard == ["t", "t"]


@pytest.mark.parametrize("fails", [False, True])
def test_a_sender_that_lost_its_lease_is_told_what_became_of_the_effect(office: Office, *, fails: bool) -> None:
    """What the database says, whatever its own attempt came to."""
    slow, quick = office.open(), office.open()
    with ThreadPoolExecutor(1) as pool:
        with held_up(office, "t") as begun:
            sending = pool.submit(slow.send, "courier:@a", Do(note="n", orders=(Post(text="t"),)))
            assert begun.wait(SECONDS)
            office.end_leases()
            list(quick.work(once=True))
            office.world.failing = {"t"} if fails else set()
        sent = sending.result(SECONDS)
    assert [(str(each.status), each.error) for each in sent.effects] == [("done", None)]
    assert office.only()["attempts"] == 2


def test_an_effect_that_is_discarded_while_it_runs_stays_discarded(office: Office) -> None:
    """Its sender tells that it was carried out; that is not written."""
    engine = office.open()
    with ThreadPoolExecutor(1) as pool:
        with held_up(office, "t") as begun:
            sending = pool.submit(engine.send, "courier:@a", Do(note="n", orders=(Post(text="t"),)))
            assert begun.wait(SECONDS)
            engine.discard_effect(office.only()["id"], "not wanted")
        sent = sending.result(SECONDS)
    assert [str(each.status) for each in sent.effects] == ["done"]
    assert (office.only()["status"], office.only()["error"]) == ("discarded", "not wanted")


def test_what_the_store_did_not_take_is_tried_again_by_a_worker_that_goes_on(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease of an effect whose end could not be written is not kept by the worker that goes on working."""
    finish, failures = outbox.finish, [StoreError("the disk is full")]

    def failing(*arguments: Any) -> bool:
        if failures:
            raise failures.pop()
        return finish(*arguments)

    monkeypatch.setattr(outbox, "finish", failing)
    engine = office.open(lease_seconds=SHORT)
    engine.send("courier:@a", Do(note="n", orders=(Post(text="t"),)), effects=False)
    with working(engine) as worked:
        wait_until(lambda: office.only()["status"] == "done")
        wait_until(lambda: len(worked) == 2)
    assert office.world.heard == ["t", "t"]
    assert [(str(each.result.status), each.result.error) for each in worked] == [
        ("pending", "the disk is full"),
        ("done", None),
    ]


def test_what_was_claimed_and_not_told_of_is_claimed_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the answer to a claim was lost, nobody keeps its lease; a worker that goes on finds it again."""
    claim, lost = outbox.claim, [True]

    def forgetting(*arguments: Any) -> Any:
        claimed = claim(*arguments)
        if claimed and lost:
            lost.pop()
            raise StoreError("the connection was lost")
        return claimed

    monkeypatch.setattr(outbox, "claim", forgetting)
    engine = office.open(lease_seconds=SHORT)
    engine.send("courier:@a", Do(note="n", orders=(Post(text="t"),)), effects=False)
    with working(engine):
        wait_until(lambda: office.only()["status"] == "done")
    assert office.world.heard == ["t"]


def test_the_messages_of_a_dead_sender_are_delivered_once(office: Office) -> None:
    """A worker takes them over while the sender, which was only slow, goes on: each arrives once."""
    slow, quick = office.open(), office.open()
    orders: tuple[Order, ...] = (
        Post(text="t"),
        *(Pass(to=f"courier:@{at}", errand=Do(note="hello")) for at in range(5)),
    )
    with ThreadPoolExecutor(1) as pool:
        with held_up(office, "t") as begun:
            sending = pool.submit(slow.send, "courier:@a", Do(note="n", orders=orders))
            assert begun.wait(SECONDS)
            office.end_leases()
            list(quick.work(once=True))
        sent = sending.result(SECONDS)
    assert {str(each.status) for each in sent.effects} == {"done"}
    assert [log(quick, f"courier:@{at}") for at in range(5)] == [["hello"]] * 5


def test_two_workers_do_each_effect_once_between_them(office: Office) -> None:
    """Neither is told of an effect that the other did."""
    engines = [office.open() for _ in range(2)]
    batch = [engines[0].request(f"courier:@{at}", Do(note="n", orders=(Post(text=str(at)),))) for at in range(100)]
    engines[0].send_all(batch, effects=False)
    with ThreadPoolExecutor(2) as pool:
        shares = list(pool.map(lambda engine: list(engine.work(once=True, concurrency=3)), engines))
    assert sorted(office.world.heard, key=int) == [str(at) for at in range(100)]
    assert len({each.result.id for share in shares for each in share}) == sum(len(share) for share in shares) == 100
    assert {(row["status"], row["attempts"]) for row in office.rows()} == {("done", 1)}
