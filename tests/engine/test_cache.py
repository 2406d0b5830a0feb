"""The cache of folds: bounded, never older than it was, and nobody's to change."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest

from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.domain.protocol import read_entity
from pachyderm_cli.engine.cache import FoldCache
from pachyderm_cli.engine.folding import Fold
from tests.support import basket, quota

A, B, C, D = (UUID(int=number) for number in range(4))
SECONDS = 60


@pytest.fixture
def shared() -> EntityType:
    """Return an entity type whose states cannot be changed."""
    return read_entity("quota", quota)


@pytest.fixture
def copied() -> EntityType:
    """Return an entity type whose states can be changed in place."""
    return read_entity("basket", basket)


def fold(version: int, state: Any = None) -> Fold:
    """Return a fold at that version."""
    return Fold(version, quota.State(taken=version) if state is None else state, 0)


def kept(cache: FoldCache, entity_type: EntityType) -> list[int | None]:
    """Return the versions that are kept of A, B, C and D; the looks are uses too."""
    folds = [cache.get(entity_type, entity_id) for entity_id in (A, B, C, D)]
    return [None if each is None else each.version for each in folds]


def test_what_was_put_is_there(shared: EntityType) -> None:
    """A fold comes back as it was put, snapshot version and all; of another entity there is none."""
    cache = FoldCache(2)
    put = Fold(7, quota.State(taken=2), 5)
    cache.put(shared, A, put)
    assert cache.get(shared, A) == put
    assert cache.get(shared, B) is None


def test_each_type_has_its_own(shared: EntityType) -> None:
    """Two types on one history fold it to two states."""
    cache = FoldCache(4)
    other = replace(shared, name="other")
    cache.put(shared, A, fold(1))
    assert cache.get(other, A) is None
    cache.put(other, A, fold(2))
    assert [each and each.version for each in (cache.get(shared, A), cache.get(other, A))] == [1, 2]
    cache.drop(other, A)
    assert cache.get(shared, A) == fold(1)


def test_the_one_used_longest_ago_makes_room(shared: EntityType) -> None:
    """Beyond the capacity the least recently used is dropped; both a look and a new version are uses."""
    cache = FoldCache(3)
    for entity_id in (A, B, C):
        cache.put(shared, entity_id, fold(1))
    cache.get(shared, A)
    cache.put(shared, B, fold(2))
    cache.put(shared, D, fold(1))
    assert kept(cache, shared) == [1, 2, None, 1]
    assert len(cache._folds) == 3


def test_it_never_holds_more_than_its_capacity(shared: EntityType) -> None:
    """However many entities pass through, as many as fit are kept: the last."""
    cache = FoldCache(10)
    for number in range(100):
        cache.put(shared, UUID(int=number), fold(1))
        assert len(cache._folds) <= 10
    assert all(cache.get(shared, UUID(int=number)) for number in range(90, 100))


def test_a_newer_version_stays(shared: EntityType) -> None:
    """An older fold that comes late does not take the place of a newer one; a newer one does."""
    cache = FoldCache(2)
    for version, expected in [(2, 2), (1, 2), (3, 3), (2, 3)]:
        cache.put(shared, A, fold(version))
        assert cache.get(shared, A) == fold(expected)


def test_the_same_version_is_put_anew(shared: EntityType) -> None:
    """A fold that knows of a newer snapshot at the same version is kept."""
    cache = FoldCache(2)
    cache.put(shared, A, fold(2))
    cache.put(shared, A, fold(2)._replace(snapshot_version=2))
    found = cache.get(shared, A)
    assert found is not None
    assert found.snapshot_version == 2


def test_what_was_dropped_is_gone(shared: EntityType) -> None:
    """After a drop even an older fold is taken; to drop what is not there is fine."""
    cache = FoldCache(2)
    cache.drop(shared, A)
    cache.put(shared, A, fold(5))
    cache.drop(shared, A)
    assert cache.get(shared, A) is None
    cache.put(shared, A, fold(1))
    assert cache.get(shared, A) == fold(1)


def test_a_capacity_of_nothing_keeps_nothing(shared: EntityType, copied: EntityType) -> None:
    """With 0 no fold is kept, nor is a state copied for it."""
    cache = FoldCache(0)
    cache.put(shared, A, fold(1))
    cache.put(copied, A, fold(1, {"things": [basket.Uncopyable()]}))
    assert (cache.get(shared, A), cache.get(copied, A)) == (None, None)


def test_an_immutable_state_is_shared(shared: EntityType) -> None:
    """The very object that was put is handed out, to everyone."""
    cache = FoldCache(2)
    put = fold(1)
    cache.put(shared, A, put)
    assert cache.get(shared, A) is put


def test_a_mutable_state_is_copied_on_the_way_in(copied: EntityType) -> None:
    """What is done afterwards to the state that was put does not reach the one that is kept."""
    cache = FoldCache(2)
    state = {"things": ["apple"]}
    cache.put(copied, A, fold(1, state))
    state["things"].append("stone")
    assert cache.get(copied, A) == fold(1, {"things": ["apple"]})


def test_a_mutable_state_is_copied_on_the_way_out(copied: EntityType) -> None:
    """What is done to a state that was handed out does not reach the one that is kept, nor another's."""
    cache = FoldCache(2)
    cache.put(copied, A, fold(1, {"things": ["apple"]}))
    first, second = cache.get(copied, A), cache.get(copied, A)
    assert first is not None
    assert second is not None
    first.state["things"].append("stone")
    assert second.state == {"things": ["apple"]}
    assert cache.get(copied, A) == second


def test_a_state_that_cannot_be_copied_is_not_kept(copied: EntityType) -> None:
    """Nothing is raised, since its events may be committed; the older fold goes, and others stay."""
    cache = FoldCache(2)
    cache.put(copied, A, fold(1, {"things": []}))
    cache.put(copied, B, fold(1, {"things": []}))
    cache.put(copied, A, fold(2, {"things": [basket.Uncopyable()]}))
    assert kept(cache, copied) == [None, 1, None, None]


@pytest.mark.parametrize("name", ["shared", "copied"])
def test_threads_share_it(request: pytest.FixtureRequest, name: str) -> None:
    """Of many threads' puts the newest stays, each state belongs to its version, and the bound holds."""
    entity_type: EntityType = request.getfixturevalue(name)
    cache = FoldCache(3)
    together = Barrier(8, timeout=SECONDS)
    ids = [A, B, C, D]

    def state(version: int) -> Any:
        return quota.State(taken=version) if name == "shared" else {"things": ["apple"] * version}

    def work(number: int) -> None:
        together.wait()
        for turn in range(100):
            entity_id = ids[(number + turn) % len(ids)]
            version = (turn * 7 + number) % 20
            cache.put(entity_type, entity_id, fold(version, state(version)))
            found = cache.get(entity_type, entity_id)
            assert found is None or found.state == state(found.version)
            if turn % 10 == number:
                cache.drop(entity_type, entity_id)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert len(cache._folds) <= 3
    cache.put(entity_type, A, fold(1000, state(1)))

    def late(version: int) -> None:
        together.wait()
        cache.put(entity_type, A, fold(version, state(version)))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(late, range(8)))
    found = cache.get(entity_type, A)
    assert found is not None
    assert found.version == 1000
