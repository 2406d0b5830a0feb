"""Keeping leases: renewed while they are held, and no longer."""

import os
import threading
from uuid import uuid4

import pytest

from pachyderm_cli.engine.leases import LeaseKeeper
from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.records import Lease

SECONDS = 0.03
GENEROUS = 60.0  # seconds: longer than any test waits


class Renewals:
    """Remembers what was renewed, and lets a test wait for it."""

    def __init__(self) -> None:
        self.leases: list[Lease] = []
        self.came = threading.Semaphore(0)

    def __call__(self, lease: Lease) -> None:
        """Note the renewal."""
        self.leases.append(lease)
        self.came.release()


def test_a_lease_is_renewed_while_it_is_held() -> None:
    """Again and again, as long as the block runs."""
    renewals, lease = Renewals(), Lease(uuid4(), SECONDS)
    keeper = LeaseKeeper(renewals, SECONDS)
    with keeper.keep(lease):
        for _ in range(3):
            assert renewals.came.acquire(timeout=GENEROUS)
    keeper.close()
    assert set(renewals.leases) == {lease}


def test_it_is_not_renewed_once_it_is_given_back() -> None:
    """Another lease that is held on goes on; the first is heard of no more."""
    renewals, first, second = Renewals(), Lease(uuid4(), SECONDS), Lease(uuid4(), SECONDS)
    keeper = LeaseKeeper(renewals, SECONDS)
    with keeper.keep(second):
        with keeper.keep(first):
            pass
        renewals.leases.clear()
        for _ in range(6):
            assert renewals.came.acquire(timeout=GENEROUS)
        assert renewals.leases.count(first) <= 1  # a round that had begun
    keeper.close()
    assert second in renewals.leases


def test_a_lease_that_is_held_twice_is_kept_until_both_give_it_back() -> None:
    """The inner block's end does not end the outer one's hold."""
    renewals, lease = Renewals(), Lease(uuid4(), SECONDS)
    keeper = LeaseKeeper(renewals, SECONDS)
    with keeper.keep(lease):
        with keeper.keep(lease):
            pass
        renewals.leases.clear()
        assert renewals.came.acquire(timeout=GENEROUS)
        assert renewals.came.acquire(timeout=GENEROUS)
    keeper.close()
    assert lease in renewals.leases


def test_a_store_that_fails_ends_nothing() -> None:
    """The next round tries again: whoever finishes asks whether the lease still holds."""
    renewals, lease, failures = Renewals(), Lease(uuid4(), SECONDS), iter([True])

    def renew(each: Lease) -> None:
        if next(failures, False):
            raise StoreError("not now")
        renewals(each)

    keeper = LeaseKeeper(renew, SECONDS)
    with keeper.keep(lease):
        assert renewals.came.acquire(timeout=GENEROUS)
    keeper.close()
    assert renewals.leases


def test_closing_ends_the_thread_and_holding_starts_it_again() -> None:
    """An engine may be used again after it was closed."""
    renewals, lease = Renewals(), Lease(uuid4(), SECONDS)
    keeper = LeaseKeeper(renewals, SECONDS)
    for _ in range(2):
        with keeper.keep(lease):
            assert renewals.came.acquire(timeout=GENEROUS)
        keeper.close()
        assert not [each for each in threading.enumerate() if each.name == "pachyderm-leases"]


def test_a_forked_child_keeps_leases_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parent's thread and what it held are not there in another process, which starts a thread of its own."""
    renewals, held_by_parent, own = Renewals(), Lease(uuid4(), SECONDS), Lease(uuid4(), SECONDS)
    keeper = LeaseKeeper(renewals, SECONDS)
    with keeper.keep(held_by_parent):
        keeper.close()  # as a fork leaves it: no thread
        monkeypatch.setattr(os, "getpid", lambda: -1)
        renewals.leases.clear()
        with keeper.keep(own):
            assert renewals.came.acquire(timeout=GENEROUS)
            assert renewals.came.acquire(timeout=GENEROUS)
        assert own in renewals.leases
        assert held_by_parent not in renewals.leases
    keeper.close()
