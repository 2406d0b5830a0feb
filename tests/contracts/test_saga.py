"""The example saga on a real store: whatever is killed when, no money is made or lost, and every transfer ends."""

import json
import os
import signal
import sys
import time
import traceback
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from functools import partial
from itertools import count
from random import Random
from typing import Any

import pytest
from sqlalchemy import literal, select, union_all, update

from entities import account, transfer
from entities.account import Close, Deposit, Open
from entities.transfer import GiveUp, Start
from pachyderm_cli import Pachyderm, Rejected
from pachyderm_cli.store.schema import events, outbox
from pachyderm_cli.store.statement import Transaction
from pachyderm_cli.store.store import Store
from tests.support.clients import wait_for_the_server
from tests.support.raw import connected, execute

BALANCES = {"account:@ada": 1000, "account:@bob": 100, "account:@cyd": 2, "account:@eve": 0}  # eve's is closed
ENDS = {"completed", "refused", "refunded"}
PAST = "2000-01-01T00:00:00.000000Z"
SECONDS = 20


def start(source: str, target: str, amount: int = 1, patience: float = 60) -> Start:
    """Return what starts a transfer between two accounts, given by name."""
    return Start(
        source=f"account:@{source}",
        target=f"account:@{target}",
        amount=Decimal(amount),
        patience=timedelta(seconds=patience),
    )


def bank(store_url: str) -> Pachyderm:
    """Return an engine for accounts and transfers."""
    return Pachyderm(store_url, {"account": account, "transfer": transfer})


@pytest.fixture
def opened(store_url: str) -> str:
    """Return the URL of a store in which the accounts are open, but for one."""
    with bank(store_url) as engine:
        for name, balance in BALANCES.items():
            engine.send(name, Open(owner=name))
            engine.send(name, Deposit(amount=Decimal(balance)) if balance else Close())
    return store_url


def unaccounted(store_url: str) -> dict[str, Decimal]:
    """Return the transfers whose money is missing or there twice, as of one moment, and how much it is.

    What an account gave and no account got is with a message that is not delivered: exactly one.
    """
    logged = select(literal("log"), events.c.entity_id, events.c.type, events.c.data)
    waiting = select(literal("outbox"), outbox.c.to_id, outbox.c.message, outbox.c.data)
    waiting = waiting.where(outbox.c.status.in_(["pending", "parked"]), outbox.c.message.is_not(None))
    with connected(store_url) as connection:
        rows = connection.execute(union_all(logged, waiting)).all()
    found = [(place, str(key), name, json.loads(data)) for place, key, name, data in rows]
    amounts = {key: Decimal(data["amount"]) for _, key, name, data in found if name == "Started"}
    missing: defaultdict[str, Decimal] = defaultdict(Decimal)
    for place, key, name, data in found:
        match place, name:
            case "log", "TransferredOut":
                missing[data["transfer"]] += Decimal(data["amount"])
            case ("log", "TransferredIn") | ("outbox", "Give"):
                missing[data["transfer"]] -= Decimal(data["amount"])
            case "outbox", "Taken" | "NotGiven":
                missing[key] -= amounts[key]
    return {key: amount for key, amount in missing.items() if amount}


def forked(work: Callable[[], object]) -> int:
    """Let a child process do the work and end; return its id."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that the threads of pytest are not in the child
        pid = os.fork()
    if pid:
        return pid
    try:
        work()
    except BaseException:  # noqa: BLE001 - whatever it is, the parent is told
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def is_killed(pid: int) -> bool:
    """Wait for a child; tell whether it was killed, if it did not do its work."""
    status = os.waitpid(pid, 0)[1]
    assert status in (0, signal.SIGKILL), "a child failed, as said on standard error"
    return status != 0


def at_step(step: int, happens: signal.Signals, *, commits: bool = True) -> None:
    """Let this process get a signal the so many-th time that it is about to write, or to commit what it wrote."""
    steps = count(1)

    def counting(function: Callable[..., Any], *, only: str = "") -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            if (not only or only in arguments) and next(steps) == step:
                os.kill(os.getpid(), happens)
                time.sleep(0.02)  # until every thread has it
            return function(*arguments, **named)

        return counted

    Store.write = counting(Store.write)  # type: ignore[method-assign]  # the process ends with it
    Store.run = counting(Store.run)  # type: ignore[method-assign]  # as above
    if commits:
        Transaction.run = counting(Transaction.run, only="COMMIT")  # type: ignore[method-assign]  # as above


def pass_leases(store_url: str) -> None:
    """Let the leases of the dead run out."""
    execute(store_url, update(outbox).where(outbox.c.lease.is_not(None)).values(next_attempt_at=PAST))


def pass_time(store_url: str) -> None:
    """Let leases run out, and all come due that waits for a time."""
    execute(store_url, update(outbox).where(outbox.c.status == "pending").values(next_attempt_at=PAST))


def finished(store_url: str) -> Counter[str]:
    """Let a worker do what the dead have left; return how the transfers ended, of which nothing is left to do."""
    wait_for_the_server(store_url)
    pass_leases(store_url)
    with bank(store_url) as engine:
        for worked in engine.work(once=True):
            assert not worked.result.has_failed, worked
        assert list(engine.effects()) == []
        states = {str(head.entity): engine.state(head.entity) for head in engine.entities()}
    assert unaccounted(store_url) == {}
    accounts = [state for name, state in states.items() if name.startswith("account:")]
    assert sum(each.balance for each in accounts) == sum(BALANCES.values())
    assert not any(each.unsettled for each in accounts)
    ends = Counter(str(state.status) for name, state in states.items() if name.startswith("transfer:"))
    assert set(ends) <= ENDS
    return ends


KINDS = {
    "accepted": (start("ada", "bob"), "completed"),
    "closed target": (start("ada", "eve"), "refunded"),
    "given up": (start("ada", "bob", patience=0), "refunded"),
    "poor source": (start("bob", "ada", amount=1000), "refused"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_sender_is_killed_at_each_step(opened: str, kind: str) -> None:
    """Wherever the process that started a transfer dies, the transfer ends as if it had lived."""
    message, end = KINDS[kind]

    def send(step: int) -> None:
        at_step(step, signal.SIGKILL)
        with bank(opened) as engine:
            engine.send(f"transfer:@{step}", message)

    for step in count(1):
        was_killed = is_killed(forked(partial(send, step)))
        assert unaccounted(opened) == {}
        if not was_killed:
            break
    ends = finished(opened)
    assert set(ends) == {end}
    assert ends[end] >= step - 2 >= 4  # but for the first one or two, which had sent nothing yet


def test_the_worker_is_killed_at_each_step(opened: str) -> None:
    """Wherever a worker dies that carries a transfer on, the next one brings it to the end that it would have had."""
    message, end = KINDS["closed target"]

    def work(step: int) -> None:
        at_step(step, signal.SIGKILL)
        with bank(opened) as engine:
            list(engine.work(once=True, concurrency=1))

    for step in count(1):
        with bank(opened) as engine:
            engine.send(f"transfer:@{step}", message, effects=False)
        was_killed = is_killed(forked(partial(work, step)))
        assert unaccounted(opened) == {}
        if not was_killed:
            break
    assert finished(opened) == {end: step}
    assert step > 20


@pytest.mark.parametrize("kind", ["closed target", "given up"])
def test_a_sender_that_stands_still_is_overtaken(opened: str, kind: str) -> None:
    """A process that goes on when a worker has long finished its transfer does nothing a second time."""
    message, end = KINDS[kind]

    def send(step: int) -> None:
        at_step(step, signal.SIGSTOP, commits=False)  # within a transaction it would keep everybody waiting
        with bank(opened) as engine:
            engine.send(f"transfer:@{step}", message)

    for step in count(1):
        child = forked(partial(send, step))
        _, status = os.waitpid(child, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            break
        try:
            pass_leases(opened)
            with bank(opened) as engine:
                list(engine.work(once=True))
        finally:
            os.kill(child, signal.SIGCONT)
        assert not is_killed(child)
        assert unaccounted(opened) == {}
    assert finished(opened) == {end: step}
    assert step > 5


def test_patience_that_is_over_needs_no_worker(opened: str) -> None:
    """Whoever sends to a transfer whose time is over finds it given up; the money that comes later goes back."""
    with bank(opened) as engine:
        engine.send("transfer:@late", start("ada", "bob", patience=0), effects=False)
        with pytest.raises(Rejected, match="a transfer that is giving up takes no GiveUp"):
            engine.send("transfer:@late", GiveUp())
    assert finished(opened) == {"refunded": 1}


def send_at_random(store_url: str, random: Random) -> None:
    """Start transfers between any two accounts, and now and then close or open one."""
    names = [name.partition("@")[2] for name in BALANCES]  # the last one is closed
    with bank(store_url) as engine:
        for _ in range(30):
            source = random.choice(names[:-1])
            target = random.choice([name for name in names if name != source])
            message = start(source, target, random.choice((1, 2, 20)), random.choice((0, 60)))
            engine.send("transfer:new", message, effects=random.random() < 0.7)
            with suppress(Rejected):
                engine.send(f"account:@{random.choice(names)}", Close())


def work_at_random(store_url: str, _random: Random) -> None:
    """Carry out whatever is due."""
    with bank(store_url) as engine:
        for _ in range(10):
            list(engine.work(once=True))


def test_all_are_killed_at_random(opened: str) -> None:
    """Senders and workers that are at it together and die together leave nothing that others could not finish."""
    random = Random(4)  # noqa: S311 - no secret
    for _ in range(6):
        jobs = [send_at_random, send_at_random, work_at_random, work_at_random]
        seeds = [random.random() for _ in jobs]
        children = [
            forked(partial(job, opened, Random(seed)))  # noqa: S311 - as above
            for job, seed in zip(jobs, seeds, strict=True)
        ]
        try:
            for _ in range(random.randint(5, 30)):
                assert unaccounted(opened) == {}
        finally:
            for child in children:
                os.kill(child, signal.SIGKILL)
        for child in children:
            is_killed(child)
        wait_for_the_server(opened)
        assert unaccounted(opened) == {}
        pass_time(opened)
    assert set(finished(opened)) <= ENDS
