"""Networks on the command line: each with its own store and its own effects, and none of them sees another."""

import pytest

from tests.cli.running import Command, lines

TOML = """
[store]
url = "sqlite:///pachyderm.db"

[effects]
out = "everybody"

[networks.billing]
url = "sqlite:///billing.db"

[networks.billing.effects]
out = "of-billing"

[networks.here]
"""
KEYS = ["network", "store", "entities", "events", "named", "current"]
READING = (
    ("history", "counter:@a"),
    ("inspect", "counter:@a"),
    ("replay", "counter:@a"),
    ("snapshot", "counter:@a"),
    ("erase", "counter:@a", "--yes", "--why", "x"),
    ("fork", "counter:@a"),
)


@pytest.fixture
def networked(pachyderm: Command) -> Command:
    """Return the command in a project with a network that has a store of its own, and one that has not."""
    (pachyderm.folder / "pachyderm.toml").write_text(TOML, encoding="utf-8")
    return pachyderm


def on(network: str, *arguments: str) -> tuple[str, ...]:
    """Return the command line for a network."""
    return ("--network", network, *arguments)


def test_a_network_may_have_a_store_of_its_own(networked: Command) -> None:
    """What is sent there is in its file, and no other command than that network's sees it."""
    networked.quick(*on("billing", "send", "counter:@a", "increment")).done()
    assert (networked.folder / "billing.db").exists()
    assert not (networked.folder / "pachyderm.db").exists()
    assert networked.quick(*on("billing", "list", "--json")).done().document["version"] == 1
    for network in ("default", "here"):
        assert networked.quick(*on(network, "list", "--json")).done().out == ""
        for arguments in READING:
            assert networked.quick(*on(network, *arguments)).status == 3
        assert networked.quick(*on(network, "follow", "--from-start", "--once", "--json")).done().out == ""


def test_a_network_may_have_effects_settings_of_its_own(networked: Command) -> None:
    """They are instead of everybody's, which every other network has."""
    for network in ("billing", "here", "default"):
        networked.quick(*on(network, "send", "box:@a", "ring")).done()
    told = {name: lines((networked.folder / name).read_text(encoding="utf-8")) for name in ("everybody", "of-billing")}
    assert {name: len(each) for name, each in told.items()} == {"everybody": 2, "of-billing": 1}


def test_an_option_names_one_store_for_all(networked: Command) -> None:
    """--store and PACHYDERM_STORE win over a network's own, as over everything in the file."""
    networked.quick("--store", "sqlite:///one.db", *on("billing", "send", "counter:@a", "increment")).done()
    assert not (networked.folder / "billing.db").exists()
    listed = networked.quick("networks", "--json", PACHYDERM_STORE="sqlite:///one.db").done().documents
    assert [(each["network"], each["entities"]) for each in listed] == [("billing", 1), ("default", 0), ("here", 0)]


def test_networks_are_listed(networked: Command) -> None:
    """Those of the file and those in the stores, with how much is in each; the one that is worked in is marked."""
    networked.quick(*on("billing", "send", "counter:@a", "increment")).done()
    networked.quick(*on("unnamed", "send", "counter:@a", "increment")).done()
    networked.quick(*on("unnamed", "send", "counter:@a", "increment")).done()
    listed = networked.quick("networks", "--json").done().documents
    assert [list(each) for each in listed] == [KEYS] * 4
    assert [tuple(each.values())[2:] for each in listed] == [
        (1, 1, True, False),
        (0, 0, True, True),
        (0, 0, True, False),
        (1, 2, False, False),
    ]
    assert [each["network"] for each in listed] == ["billing", "default", "here", "unnamed"]
    assert [each["store"].rpartition("/")[2] for each in listed] == ["billing.db"] + ["pachyderm.db"] * 3
    shown = lines(networked.quick(*on("here", "networks")).done().out)
    assert [line[:2] for line in shown] == ["  ", "  ", "* ", "  "]


def test_a_store_that_cannot_be_read_is_told(networked: Command) -> None:
    """The others are listed all the same; the exit status is the storage's."""
    (networked.folder / "billing.db").write_text("no database, whatever it is called", encoding="utf-8")
    result = networked.quick("networks", "--json")
    assert (result.status, result.error["code"]) == (7, "store_error")
    assert [(each["network"], each["entities"]) for each in result.documents][:2] == [("billing", None), ("default", 0)]


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ('[networks.billing]\nurk = "x"\n', "networks.billing.urk"),
        ('networks = "x"\n', "networks"),
        ('[networks."a\\nb"]\n', "no name of a network"),
        ('[networks.default]\nurl = "mysql://x"\n', "mysql"),
        ('[networks.default]\nurl = "postgresql://u:${NOT_THERE}@h/d"\n', "networks.default.url"),
    ],
)
def test_what_the_file_says_wrongly_is_told(pachyderm: Command, toml: str, told: str) -> None:
    """A key, a name or a URL that is none is a configuration error that names it."""
    (pachyderm.folder / "pachyderm.toml").write_text(toml, encoding="utf-8")
    result = pachyderm.quick("list")
    assert result.status == 6
    assert told in result.err


@pytest.mark.usefixtures("outbox_lab")
def test_the_outbox_tells_the_network_that_a_message_goes_to(networked: Command) -> None:
    """`effects` show it, as JSON and for people; for one that stays in its network it is null."""
    fields = ("network=billing", "to=courier:@b", "text=x")
    networked.quick("send", "courier:@a", "forward", *fields, "--no-effects").done()
    (effect,) = networked.quick("effects", "list", "--json").done().documents
    assert (effect["to_network"], effect["to"]["type"]) == ("billing", "courier")
    assert "in the network billing" in networked.quick("effects", "list").done().out
    networked.quick("worker", "--once").done()
    assert networked.quick(*on("billing", "inspect", "courier:@b", "--json")).done().document["version"] == 1
