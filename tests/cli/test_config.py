"""Project, pachyderm.toml, environment and store URL: each mistake told, each setting taken from where it should be."""

import json
from pathlib import Path

import pytest

from tests.cli.running import Command

SECRETS = ("hush-hush", "sesame-42")

BAD_FILES = {
    "no TOML": ("entities = ", "is not TOML", "at end of document"),
    "no text": ("\udcff", "cannot be read", "utf-8"),
    "unknown key": ('entity = "x"', "there is no key entity", "did you mean entities?"),
    "unknown key in a table": ('[store]\nurls = "x"', "there is no key store.urls", "did you mean url?"),
    "wrong type": ("entities = 1", "entities: Input should be a valid string", ""),
    "no table": ('store = "x"', "store: ", ""),
    "negative": ("[snapshots]\nevery = -1", "snapshots.every: Input should be greater than or equal to 0", ""),
    "text for a number": ('[snapshots]\nevery = "1"', "snapshots.every: Input should be a valid integer", ""),
    "no URL": ('[store]\nurl = "pachyderm.db"', "store's URL cannot be read", "sqlite:///FILE"),
    "another database": ('[store]\nurl = "mysql://h/d"', "not 'mysql'", "sqlite:///FILE"),
    "in memory": ('[store]\nurl = "sqlite://"', "a file that lasts", "sqlite:///FILE"),
    "options": ('[store]\nurl = "sqlite:///x.db?mode=ro"', "no options", "sqlite:///FILE"),
    "missing variable": ('[store]\nurl = "postgresql://u:${NO_SUCH}@h/d"', "${NO_SUCH}", "environment"),
    "missing variable of an effect": ('[effects]\na.b = "${NO_SUCH}"', "effects.a.b", "${NO_SUCH}"),
    "network": ('[store]\nnetwork = "a\\nb"', "no name of a network", "printable"),
    "no folder": ('entities = "nowhere"', "no folder of entity modules at", "pachyderm.toml"),
}


@pytest.mark.parametrize(("text", "problem", "remedy"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_bad_file_is_told(pachyderm: Command, text: str, problem: str, remedy: str) -> None:
    """A mistake in pachyderm.toml ends every command that reads it with status 6, and one line that names it."""
    file = pachyderm.folder / "pachyderm.toml"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    result = pachyderm.quick("send", "counter:new", "increment", "--json")
    assert (result.status, result.out, result.error["code"]) == (6, "", "config_error")
    assert problem in result.error["message"]
    assert remedy in result.error["message"]
    assert not (pachyderm.folder / "pachyderm.db").exists()


def test_outside_of_a_project_the_way_in_is_told(pachyderm: Command, tmp_path: Path) -> None:
    """Without a project, the error says how to make or name one."""
    elsewhere = pachyderm.elsewhere(tmp_path)
    result = elsewhere("list", "--json")
    assert (result.status, result.error["code"]) == (6, "config_error")
    for way in ("pachyderm init", "--project", "--store"):
        assert way in result.error["message"]
    named = elsewhere.quick("--project", "nowhere", "list", "--json")
    assert (named.status, named.error["code"]) == (6, "config_error")
    assert "pachyderm init nowhere" in named.error["message"]


def test_outside_of_a_project_a_store_can_be_looked_at(pachyderm: Command, tmp_path: Path) -> None:
    """With --store, what needs no entity module works without a project; what needs one says so."""
    pachyderm.quick("send", "counter:@a", "increment").done()
    elsewhere = pachyderm.elsewhere(tmp_path)
    url = f"sqlite:///{pachyderm.folder}/pachyderm.db"
    assert len(elsewhere.quick("--store", url, "list", "--json").done().documents) == 1
    assert len(elsewhere.quick("--store", url, "history", "--json").done().documents) == 1
    result = elsewhere.quick("--store", url, "inspect", "counter:@a", "--json")
    assert (result.status, result.error["code"]) == (2, "unknown_entity_type")
    assert "--project" in result.error["message"]


def test_the_project_is_the_nearest_upwards(pachyderm: Command, tmp_path: Path) -> None:
    """A command in a folder below uses the project above it, and its store, whatever the current folder."""
    below = pachyderm.folder / "entities" / "deep"
    below.mkdir()
    pachyderm.elsewhere(below)("send", "counter:@a", "increment").done()
    assert (pachyderm.folder / "pachyderm.db").exists()
    for settings, options in (({"PACHYDERM_PROJECT": str(pachyderm.folder)}, ()), ({}, ("--project", "project"))):
        found = pachyderm.elsewhere(tmp_path).quick(*options, "list", "--json", **settings).done()
        assert len(found.documents) == 1


def test_an_option_wins_over_the_environment_and_that_over_the_file(pachyderm: Command) -> None:
    """Store and network are taken from option, environment and file, in this order."""
    file = pachyderm.folder / "pachyderm.toml"
    file.write_text('[store]\nurl = "sqlite:///file.db"\nnetwork = "of file"\n', encoding="utf-8")
    environment = {"PACHYDERM_STORE": "sqlite:///environment.db", "PACHYDERM_NETWORK": "of environment"}
    options = ("--store", "sqlite:///option.db", "--network", "of option")
    send = ("send", "counter:@a", "increment", "--json")
    networks = [
        pachyderm.quick(*send).done().document["network"],
        pachyderm.quick(*send, **environment).done().document["network"],
        pachyderm.quick(*options, *send, **environment).done().document["network"],
    ]
    assert networks == ["of file", "of environment", "of option"]
    assert {path.name for path in pachyderm.folder.glob("*.db")} == {"file.db", "environment.db", "option.db"}


def test_the_environment_fills_in_the_file(pachyderm: Command) -> None:
    """${NAME} in a URL or in an effect's config is the environment's, and $$ is a dollar."""
    (pachyderm.folder / "pachyderm.toml").write_text(
        '[store]\nurl = "sqlite:///${NAME}.db"\n[effects]\nout = "${OUT}"\nprice = "5$$"\n', encoding="utf-8"
    )
    pachyderm.quick("send", "box:@b", "ring", NAME="mine", OUT="rings").done()
    assert (pachyderm.folder / "mine.db").exists()
    line = (pachyderm.folder / "rings").read_text(encoding="utf-8")
    assert json.loads(line) == [1, {"out": "rings", "price": "5$"}]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://user:hush-hush@127.0.0.1:1/db?password=sesame-42",
        "postgresql://user:hush-hush@127.0.0.1:1/db?sslpassword=sesame-42",
        "postgresql://user:hush-hush@127.0.0.1:port/db",
        "postgresql://user:hush-hush@[/db",
        "mysql://user:hush-hush@127.0.0.1/db?password=sesame-42",
        "sqlite://user:hush-hush@host/db",
        "hush-hush:sesame-42",
    ],
)
@pytest.mark.parametrize(
    "command", [("list",), ("send", "counter:new", "increment"), ("store", "migrate")], ids=" ".join
)
def test_no_password_is_ever_printed(pachyderm: Command, url: str, command: tuple[str, ...]) -> None:
    """Whatever is wrong with a URL, neither the error nor its traceback shows a password."""
    for settings in ({}, {"PACHYDERM_DEBUG": "1"}):
        for options in ((), ("--json",)):
            result = pachyderm.quick("--store", url, *command, *options, **settings)
            assert result.status in (6, 7)
            assert result.out == ""
            assert [secret for secret in SECRETS if secret in result.err] == []


def test_a_secret_of_the_environment_stays_there(pachyderm: Command) -> None:
    """A password that comes from the environment is not printed either, whole or percent-encoded."""
    (pachyderm.folder / "pachyderm.toml").write_text(
        '[store]\nurl = "postgresql://user:${PGPASSWORD}@127.0.0.1:1/db"\n', encoding="utf-8"
    )
    result = pachyderm.quick("list", "--json", PGPASSWORD="hush@hush/%")
    assert (result.status, result.error["code"]) == (7, "store_error")
    assert "hush" not in result.err
