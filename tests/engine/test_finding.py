"""Finding the entity that someone means."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from pachyderm_cli.domain.reference import Reference, named_id
from pachyderm_cli.engine.finding import Finder
from pachyderm_cli.errors import AmbiguousReference, InvalidReference, NotFound
from pachyderm_cli.store.append import append
from pachyderm_cli.store.store import Store
from tests.support.appends import an_append, an_entity

NOBODY = UUID("0c9f1d52-7f0b-4e1e-8a3e-2c51a6d0b7aa")
ONE = Reference("counter", UUID("aaaa1111-0000-4000-8000-000000000000"))
TWO = Reference("counter", UUID("aaaa2222-0000-4000-8000-000000000000"))
NAMED = Reference("counter", named_id("n", "counter", "visits"))


@pytest.fixture
def finder(sqlite_url: str) -> Iterator[Finder]:
    """Return a finder in a network of three entities."""
    store = Store(sqlite_url)
    append(store, "n", [an_append(each) for each in (ONE, TWO, NAMED)])
    append(store, "other", [an_append(an_entity("bbbb"))])
    yield Finder(store, "n")
    store.close()


@pytest.mark.parametrize(
    ("written", "found"),
    [
        (None, NAMED),
        (ONE, ONE),
        (str(ONE), ONE),
        (str(ONE.id), ONE),
        (ONE.id.hex.upper(), ONE),
        ("aaaa1", ONE),
        ("counter:aaaa2", TWO),
        ("counter:@visits", NAMED),
    ],
)
def test_an_existing_entity_is_found(finder: Finder, written: str | Reference | None, found: Reference) -> None:
    """Whole, short or left out, a reference finds the entity with its head."""
    head = finder.existing(written)
    assert (head.entity, head.version) == (found, 1)


@pytest.mark.parametrize("written", [f"other:{ONE.id}", "other:aaaa1", Reference("other", ONE.id)])
def test_a_type_that_is_given_is_the_one_that_handles(finder: Finder, written: str | Reference) -> None:
    """The id identifies the entity; the type says who reads it."""
    assert finder.existing(written).entity == Reference("other", ONE.id)


@pytest.mark.parametrize("written", ["bbbb", "counter:bbbb", "counter:@nobody", str(NOBODY), f"counter:{NOBODY}"])
def test_what_is_not_there_is_not_found(finder: Finder, written: str) -> None:
    """Other networks do not count; the error names the reference and the network."""
    with pytest.raises(NotFound) as caught:
        finder.existing(written)
    assert caught.value.details == {"reference": written, "network": "n"}


def test_a_prefix_of_several_is_ambiguous(finder: Finder) -> None:
    """The candidates are listed."""
    for find in (finder.existing, finder.receiver):
        with pytest.raises(AmbiguousReference) as caught:
            find("aaaa")
        assert caught.value.details["candidates"] == [str(ONE), str(TWO)]


def test_many_candidates_are_cut(finder: Finder) -> None:
    """Five are named, and that there are more."""
    append(finder.store, "n", [an_append(an_entity("cccc")) for _ in range(9)])
    with pytest.raises(AmbiguousReference, match="…") as caught:
        finder.existing("cccc")
    assert len(caught.value.details["candidates"]) == 5


def test_new_is_for_receivers(finder: Finder) -> None:
    """An entity that is made by being sent to cannot be looked at."""
    with pytest.raises(InvalidReference):
        finder.existing("counter:new")
    with pytest.raises(InvalidReference):
        finder.receiver("counter:new")
    assert finder.receiver("counter:new", lambda: ONE.id) == ONE


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("counter:@nobody", Reference("counter", named_id("n", "counter", "nobody"))),
        (f"other:{TWO.id}", Reference("other", TWO.id)),
        ("aaaa2", TWO),
        ("other:aaaa2", Reference("other", TWO.id)),
        (str(TWO.id), TWO),
        (an_entity("dddd"), None),
    ],
)
def test_a_receiver_need_not_exist(finder: Finder, written: str | Reference, found: Reference | None) -> None:
    """A whole id or a name with its type is a receiver; without a type it has to exist."""
    assert finder.receiver(written) == (written if found is None else found)


def test_a_receiver_without_type_has_to_exist(finder: Finder) -> None:
    """There is nothing that could handle the message."""
    with pytest.raises(NotFound):
        finder.receiver(str(uuid4()))


def test_an_empty_network_has_no_last_entity(finder: Finder) -> None:
    """Where nothing was written, leaving the reference out finds nothing."""
    with pytest.raises(NotFound, match="has no entities yet"):
        Finder(finder.store, "empty").existing(None)
