"""`pachyderm list` by state: --where, --sort and --show."""

from typing import Any

import pytest

from pachyderm_cli.domain.reference import named_id
from tests.cli.running import Command, lines

pytestmark = pytest.mark.usefixtures("time_lab")

NAMES = {str(named_id("default", "purse", name)): name for name in "abcde"}


@pytest.fixture
def purses(on_store: Command) -> Command:
    """Return the command on a store of four purses: a with 10, b with 9.50, c with -2 and d with nothing ever put in.

    b is Bo's of Rome, d is Ada's of nowhere.
    """
    for name, amount in (("a", "10"), ("b", "9.50"), ("c", "-2")):
        on_store.quick("send", f"purse:@{name}", "put", f"amount={amount}").done()
    on_store.quick("send", "purse:@b", "own", "name=Bo", "city=Rome").done()
    on_store.quick("send", "purse:@d", "own", "name=Ada").done()
    on_store.quick("send", "counter:@a", "increment").done()
    return on_store


def listed(command: Command, *options: str) -> str:
    """Return the names of the purses listed, in order."""
    found: list[Any] = command.quick("list", "--type", "purse", *options, "--json").done().documents
    return "".join(NAMES[each["entity"]["id"]] for each in found)


@pytest.mark.parametrize(
    ("conditions", "names"),
    [
        (("balance<0",), "c"),
        (("balance>9",), "ab"),
        (("balance >= 9.5",), "ab"),
        (("balance=9.5",), "b"),
        (("balance!=0",), "abc"),
        (("balance>0", "balance<10"), "b"),
        (("owner.city=Rome",), "b"),
        (("owner.city=null",), "acd"),
        (("owner.name='Ada'",), "d"),
        (("owner.name>B",), "b"),
        (("moves.0=-2",), "c"),
        (("balance>1000",), ""),
    ],
)
def test_conditions_choose(purses: Command, conditions: tuple[str, ...], names: str) -> None:
    """Conditions compare by the type of the field, numbers as numbers; all of them have to hold."""
    options = [part for condition in conditions for part in ("--where", condition)]
    assert "".join(sorted(listed(purses, *options))) == names


def test_a_field_gives_the_order(purses: Command) -> None:
    """--sort orders by a field, with a minus the greatest first; nothing comes last in both; --limit cuts."""
    assert listed(purses, "--sort", "balance") == "cdba"
    assert listed(purses, "--sort", "-balance") == "abdc"
    assert listed(purses, "--sort", "-balance", "--limit", "2") == "ab"
    assert listed(purses, "--sort", "-balance", "--where", "balance<5") == "dc"
    assert listed(purses, "--sort", "owner.city")[0] == listed(purses, "--sort", "-owner.city")[0] == "b"


def test_the_fields_that_are_asked_for_are_shown(purses: Command) -> None:
    """With --show an object has those fields by their paths, null where there is nothing; without it the state."""
    show = ("--where", "owner.name=Ada", "--show", "owner.name, balance,owner.city,moves.0")
    found = purses("list", "--type", "purse", *show, "--json").done().document
    assert list(found) == ["entity", "version", "created_at", "updated_at", "fields"]
    assert found["fields"] == {"owner.name": "Ada", "balance": "0", "owner.city": None, "moves.0": None}
    whole = purses.quick("list", "--type", "purse", "--where", "owner.name=Ada", "--json").done().document
    assert whole["state"] == {"balance": "0", "owner": {"name": "Ada", "city": None}, "moves": []}


def test_people_see_the_fields_behind_the_entity(pachyderm: Command) -> None:
    """Without --json the fields stand behind the entity's line; that none fits is a note."""
    pachyderm.quick("send", "purse:@a", "put", "amount=1.50").done()
    (line,) = lines(pachyderm("list", "--type", "purse", "--where", "balance>1", "--show", "balance").done().out)
    assert line.startswith(f"purse:{named_id('default', 'purse', 'a')}  version 1  ")
    assert line.endswith('  balance="1.50"')
    none = pachyderm.quick("list", "--type", "purse", "--where", "balance<0").done()
    assert (none.out, none.err) == ("", "no entities of the type 'purse' that fit in the network 'default'\n")


def test_states_of_other_code_are_left_out_and_told_until_they_are_rebuilt(purses: Command) -> None:
    """After a change of code what is kept is stale: `list` says how much, and `snapshot --all` brings it up to date."""
    purse = purses.folder / "entities" / "purse.py"
    purse.write_text(purse.read_text(encoding="utf-8").replace("[-3:]", "[-2:]"), encoding="utf-8")
    result = purses.quick("list", "--type", "purse", "--where", "balance<0").done()
    told = "4 entities of the type 'purse' left out, because what is kept of the state is stale"
    assert result.out == ""
    assert result.err.startswith(f"{told}; run: pachyderm snapshot --all --type purse\n")
    assert told in purses.quick("list", "--type", "purse", "--where", "balance<0", "--json").done().err
    purses.quick("send", "purse:@a", "put", "amount=1").done()
    some = purses.quick("list", "--type", "purse", "--sort", "balance").done()
    assert some.err.startswith("3 entities ")
    assert len(lines(some.out)) == 1
    assert len(lines(purses.quick("snapshot", "--all", "--type", "purse").done().out)) == 4
    assert listed(purses, "--where", "balance<0") == "c"
    assert purses.quick("list", "--type", "purse", "--where", "balance<0").done().err == ""


def test_a_type_may_be_named_in_the_projects_file(purses: Command) -> None:
    """`[lookup] types` in pachyderm.toml does what `lookup = True` does in a module; describe shows it."""
    refused = purses.quick("list", "--type", "counter", "--where", "count>0", "--json")
    assert (refused.status, refused.error["code"]) == (2, "usage")
    assert "lookup = True" in refused.error["message"]
    assert "pachyderm snapshot --all --type counter" in refused.error["message"]
    assert purses.quick("describe", "counter", "--json").done().document["lookup"] is False
    (purses.folder / "pachyderm.toml").write_text('[lookup]\ntypes = ["counter"]\n', encoding="utf-8")
    assert purses.quick("describe", "counter", "--json").done().document["lookup"] is True
    purses.quick("snapshot", "--all", "--type", "counter").done()
    found = purses.quick("list", "--type", "counter", "--where", "count>0", "--json").done().document
    assert found["state"] == {"count": 1}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--where", "balance"), "is no condition"),
        (("--where", "balance<<0"), "cannot be compared"),
        (("--where", "balance<x"), "balance is a number"),
        (("--where", ".balance<0"), "no field"),
        (("--where", "balnce<0"), "did you mean balance?"),
        (("--sort", "-balnce"), "did you mean balance?"),
        (("--sort", ""), "no field"),
        (("--show", "a..b"), "no field"),
        (("--show", "ownr.name"), "did you mean owner?"),
        (("--limit", "-1"), "--limit"),
    ],
)
def test_a_bad_condition_is_a_usage_error(purses: Command, options: tuple[str, str], told: str) -> None:
    """What is no condition, no field, or cannot be compared has exit status 2, and says how to write it."""
    result = purses.quick("list", "--type", "purse", *options, "--json")
    assert (result.status, result.out, result.error["code"]) == (2, "", "usage")
    assert told in result.error["message"]


@pytest.mark.parametrize("option", [("--where", "balance<0"), ("--sort", "balance"), ("--show", "balance")])
def test_states_are_those_of_one_type(pachyderm: Command, option: tuple[str, str]) -> None:
    """Without --type there is nothing to compare; a type that is not there is told with the nearest."""
    result = pachyderm.quick("list", *option, "--json")
    assert (result.status, result.error["code"]) == (2, "usage")
    assert "--type" in result.error["message"]
    unknown = pachyderm.quick("list", "--type", "prse", *option, "--json")
    assert (unknown.status, unknown.error["code"]) == (2, "unknown_entity_type")
    assert "did you mean purse?" in unknown.error["message"]
