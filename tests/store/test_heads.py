"""Heads: finding entities by id and prefix, and listing them by their last write."""

from uuid import UUID

from pachyderm_cli.domain.reference import ByPrefix, Reference, parse_reference
from pachyderm_cli.store.append import append, append_all
from pachyderm_cli.store.heads import find_head, heads, heads_between
from pachyderm_cli.store.store import Store
from tests.support.appends import an_append, an_entity


def with_prefix(store: Store, prefix: str, most: int = 10) -> list[Reference]:
    """Return the entities that a prefix fits."""
    target = parse_reference(prefix).target
    assert isinstance(target, ByPrefix)
    return [head.entity for head in heads_between(store, "n", target.first, target.last, most)]


def test_an_entity_is_found_by_its_id_in_its_network(store: Store) -> None:
    """Another id, or another network, finds nothing."""
    entity = an_entity()
    append(store, "n", [an_append(entity)])
    head = find_head(store, "n", entity.id)
    assert head is not None
    assert head.entity == entity
    assert find_head(store, "other", entity.id) is None
    assert find_head(store, "n", an_entity().id) is None


def test_a_prefix_finds_what_begins_with_it(store: Store) -> None:
    """Bounds are inclusive, the order is that of the ids, and no more than asked for come."""
    low, high = Reference("t", UUID("abcd" + "0" * 28)), Reference("t", UUID("abcd" + "f" * 28))
    between, outside = an_entity("abcd5"), [an_entity("abcc"), an_entity("abce")]
    append(store, "n", [an_append(each) for each in (high, *outside, between, low)])
    append(store, "other", [an_append(an_entity("abcd"))])
    assert [each.id for each in with_prefix(store, "abcd")] == [low.id, between.id, high.id]
    assert [each.id for each in with_prefix(store, "abcd", most=2)] == [low.id, between.id]
    assert [each.id for each in with_prefix(store, "abcd5")] == [between.id]
    assert with_prefix(store, "beef") == []


def test_heads_come_last_written_first(store: Store) -> None:
    """Each append moves its entity to the front, however many events it has."""
    a, b, c = an_entity(), an_entity(), an_entity()
    for each in (an_append(a, events=5), an_append(b), an_append(c)):
        append(store, "n", [each])
    append(store, "other", [an_append(an_entity())])
    assert [head.entity for head in heads(store, "n")] == [c, b, a]
    append(store, "n", [an_append(a, 5)])
    append(store, "n", [an_append(c, 7)])
    assert [head.entity for head in heads(store, "n")] == [a, c, b]
    assert [head.entity for head in heads(store, "n", limit=2)] == [a, c]
    assert list(heads(store, "n", limit=0)) == []


def test_the_second_entity_of_a_new_store_comes_before_the_first(store: Store) -> None:
    """The very first write counts as one: its entity's place is not that of the next, whatever their ids."""
    first, second = an_entity("f"), an_entity("0")
    for each in (first, second):
        append(store, "n", [an_append(each)])
    assert [head.entity for head in heads(store, "n")] == [second, first]


def test_heads_are_chosen_by_the_type_that_wrote_last(store: Store) -> None:
    """An entity that another type has written since is listed under that one."""
    a, b = an_entity(), an_entity()
    append(store, "n", [an_append(a), an_append(b)])
    append(store, "n", [an_append(Reference("other", a.id), 1)])
    assert [head.entity.id for head in heads(store, "n", "tally")] == [b.id]
    assert [head.entity for head in heads(store, "n", "other")] == [Reference("other", a.id)]
    assert [head.entity.id for head in heads(store, "n", "tally", limit=5)] == [b.id]


def test_many_heads_are_streamed(store: Store) -> None:
    """A list longer than what is fetched at a time is complete, and may be left in the middle."""
    entities = [an_entity() for _ in range(1203)]
    assert append_all(store, "n", [an_append(each) for each in entities]) == []
    assert [head.entity for head in heads(store, "n")] == entities[::-1]
    listing = heads(store, "n")
    assert next(listing).entity == entities[-1]
    del listing
    assert len(list(heads(store, "n"))) == 1203
