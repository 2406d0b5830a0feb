"""References: the forms that people write, and nothing else."""

from string import hexdigits
from uuid import UUID, uuid4

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pachyderm_cli.domain.reference import (
    ById,
    ByName,
    ByPrefix,
    New,
    Reference,
    exact_reference,
    is_type_name,
    named_id,
    parse_reference,
)
from pachyderm_cli.errors import InvalidReference

ID = UUID("0123abcd-4567-4890-abcd-ef0123456789")
prefixes = st.text(hexdigits, min_size=4, max_size=31)
names = st.text(min_size=1, max_size=20)
names_of_networks = "abc-_."


@given(st.text() | st.from_regex(r"[a-z.]{0,3}:?@?[0-9a-f-]{0,40}"))
@example("")
@example(":")
@example("counter:\ud800")
@example("counter:@\x1b[31m")
@example("\u0130:\u017f\u017f\u017f\u017f")
def test_any_text_parses_or_is_refused(text: str) -> None:
    """No text leads to anything but a reference or InvalidReference, in one printable line."""
    refused = None
    try:
        parsed = parse_reference(text)
    except InvalidReference as error:
        refused = error
    if refused is not None:
        assert refused.message.isprintable()
        assert refused.details["reference"] == text
    else:
        assert parsed.text == text
        assert parsed.type is None or is_type_name(parsed.type)


@given(st.uuids(), st.sampled_from([str, str.upper, lambda text: text.replace("-", "")]))
def test_a_whole_id_is_read_in_any_spelling(identifier: UUID, spell: object) -> None:
    """Upper case and missing hyphens change nothing."""
    assert callable(spell)
    text = spell(str(identifier))
    assert parse_reference(text).target == ById(identifier)
    parsed = parse_reference(f"billing.invoice:{text}")
    assert (parsed.type, parsed.target) == ("billing.invoice", ById(identifier))


@given(prefixes, st.uuids())
def test_a_prefix_bounds_exactly_the_ids_that_begin_with_it(prefix: str, other: UUID) -> None:
    """An id lies within the bounds if, and only if, its digits begin with the prefix."""
    target = parse_reference(prefix).target
    assert isinstance(target, ByPrefix)
    begins = UUID(prefix.lower() + other.hex[len(prefix) :])
    assert target.first <= begins <= target.last
    assert (target.first <= other <= target.last) == other.hex.startswith(prefix.lower())


@given(st.uuids(), st.integers(4, 35))
def test_a_prefix_may_have_the_hyphens_of_an_id(identifier: UUID, length: int) -> None:
    """What is copied from the beginning of an id is a prefix of it, a last hyphen included."""
    text = str(identifier)[:length]
    target = parse_reference(text).target
    assert isinstance(target, ByPrefix)
    assert target.first <= identifier <= target.last


@pytest.mark.parametrize(
    "text",
    [
        "abc",
        "counter:abc",
        "abcg",
        "0123-abcd",
        "0123abcd--4567",
        "-0123abcd",
        "0123abcd4567-4890-abcd",
        f"{ID}0",
        f"{ID}-",
        "counter:",
        ":abcd",
        "counter::abcd",
        "a/b:abcd",
        "../x:abcd",
        "1a:abcd",
        "a..b:abcd",
        "ä:abcd",
        "a b:abcd",
        "counter:@",
        "counter:@a\nb",
        "counter:@a\0",
        "new",
        "@visits",
        ":new",
        "counter:New ",
        " counter:new",
        "\uff10\uff11\uff12\uff13",
    ],
)
def test_malformed_references_are_refused(text: str) -> None:
    """Each is InvalidReference; nothing is guessed."""
    with pytest.raises(InvalidReference):
        parse_reference(text)


def test_new_and_names_are_read() -> None:
    """`new` and `@name` go with a type; a name may hold anything that prints."""
    assert parse_reference("counter:new").target == New()
    assert parse_reference("counter:@visits").target == ByName("visits")
    assert parse_reference("counter:@a b:c@d/é").target == ByName("a b:c@d/é")
    assert parse_reference("counter:@new").target == ByName("new")


def test_a_reference_is_written_as_it_is_read() -> None:
    """The text of a Reference is one that means the same."""
    reference = Reference("counter", ID)
    assert str(reference) == f"counter:{ID}"
    parsed = parse_reference(str(reference))
    assert (parsed.type, parsed.target) == ("counter", ById(ID))


def test_a_long_text_is_cut_in_the_error() -> None:
    """What is refused is shown, but not pages of it."""
    with pytest.raises(InvalidReference) as caught:
        parse_reference("x" * 10_000)
    assert len(caught.value.message) < 300


@given(names, names, names)
def test_named_ids_are_stable_and_distinct(network: str, type_name: str, name: str) -> None:
    """The same network, type and name are one id; any change of one, or of where they are divided, is another."""
    identifier = named_id(network, type_name, name)
    assert identifier == named_id(network, type_name, name)
    assert identifier.version == 5
    others = [
        named_id(network + "x", type_name, name),
        named_id(network, type_name + "x", name),
        named_id(network, type_name, name + "x"),
        named_id(network, "", type_name + name),
        named_id(network + type_name, name, ""),
        named_id("", network, type_name + name),
    ]
    assert identifier not in others


def test_named_ids_never_change() -> None:
    """These ids are in people's stores: a change of how they are made would lose their entities."""
    assert named_id("default", "counter", "visits") == UUID("851d183f-3af4-57f0-9fd6-7514266dc2f6")
    assert named_id("default", "counter", "é\U0001f418") == UUID("4a89ea9c-5362-5f04-9fe4-0897d1bf24d1")


def test_a_random_id_is_no_name_s() -> None:
    """What uuid4 gives is of another kind than what a name gives."""
    assert uuid4().version != named_id("n", "t", "x").version


@given(st.text(names_of_networks, min_size=1, max_size=9), st.sampled_from(["a", "b.c"]), st.uuids(), names)
def test_a_reference_that_says_by_itself_whom_it_means(
    network: str, type_name: str, entity_id: UUID, name: str
) -> None:
    """A whole id is that entity in every network, a name one of this network and type; all else needs the store."""
    assert exact_reference(network, f"{type_name}:{entity_id}") == Reference(type_name, entity_id)
    for inexact in (str(entity_id), f"{type_name}:{str(entity_id)[:12]}", f"{type_name}:new"):
        assert exact_reference(network, inexact) is None
    try:
        named = exact_reference(network, f"{type_name}:@{name}")
    except InvalidReference:
        assert not name.isprintable()
    else:
        assert named == Reference(type_name, named_id(network, type_name, name))
