"""The configuration: file, environment and options, in that order, all of it checked."""

from pathlib import Path
from typing import Any

import pytest

from pachyderm_cli import Pachyderm
from pachyderm_cli.config import Config, load_config
from pachyderm_cli.errors import ConfigError
from pachyderm_cli.store.url import parse_url


def project(folder: Path, text: str = "") -> Path:
    """Write a pachyderm.toml and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pachyderm.toml").write_text(text)
    return folder


def config(folder: Path, text: str = "", environment: dict[str, str] | None = None, **options: Any) -> Config:
    """Return the configuration of a project with that file, in an environment of its own."""
    return load_config(project(folder, text), environment=environment or {}, **options)


def refusal(folder: Path, text: str, environment: dict[str, str] | None = None, **options: Any) -> ConfigError:
    """Return the error for a project with that file."""
    with pytest.raises(ConfigError) as caught:
        config(folder, text, environment, **options)
    return caught.value


def test_a_folder_that_no_url_can_name_is_told(tmp_path: Path) -> None:
    """A store beside the project is named by a URL, and a folder's name that is no UTF-8 does not go into one."""
    folder = tmp_path / "\udcff"
    assert "has a name that is no UTF-8" in refusal(folder, "").message
    assert config(folder, '[store]\nurl = "sqlite:////elsewhere.db"').store_url == "sqlite:////elsewhere.db"


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    """Store, network, folder, snapshots and outbox are as the documentation says."""
    read = config(tmp_path)
    assert read.project == tmp_path
    assert read.entities == tmp_path / "entities"
    assert read.store_url == f"sqlite:///{tmp_path}/pachyderm.db"
    assert (read.network, read.snapshots_every, read.effects) == ("default", 100, {})
    assert (read.lease_seconds, read.deliveries, read.wait_seconds) == (30, 1000, 30)
    assert read.lookups == frozenset()


def test_everything_may_be_set(tmp_path: Path) -> None:
    """Each key of the file has its place."""
    read = config(
        tmp_path,
        """
        entities = "src/things"
        [store]
        url = "postgresql+psycopg://u@host/db"
        network = "live"
        wait_seconds = 0.5
        [snapshots]
        every = 0
        [outbox]
        lease_seconds = 2.5
        deliveries = 0
        [lookup]
        types = ["counter", "billing.invoice"]
        [effects]
        smtp_host = "localhost"
        ports = [25, 26]
        [effects.nested]
        deep = true
        """,
    )
    assert read.entities == tmp_path / "src" / "things"
    assert read.store_url == "postgresql+psycopg://u@host/db"
    assert (read.network, read.snapshots_every) == ("live", 0)
    assert (read.lease_seconds, read.deliveries, read.wait_seconds) == (2.5, 0, 0.5)
    assert read.lookups == {"counter", "billing.invoice"}
    assert read.effects == {"smtp_host": "localhost", "ports": [25, 26], "nested": {"deep": True}}


def test_an_option_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    """For store and network alike; an empty variable counts as not set."""
    text = '[store]\nurl = "sqlite:////file.db"\nnetwork = "file"'
    env = {"PACHYDERM_STORE": "sqlite:////env.db", "PACHYDERM_NETWORK": "env"}
    options = {"store": "sqlite:////option.db", "network": "option"}
    read = [
        config(tmp_path, text, env, **options),
        config(tmp_path, text, env),
        config(tmp_path, text, dict.fromkeys(env, "")),
    ]
    assert [each.store_url for each in read] == [f"sqlite:////{name}.db" for name in ("option", "env", "file")]
    assert [each.network for each in read] == ["option", "env", "file"]


def test_the_project_is_the_nearest_upwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a folder inside, the innermost project around it is found."""
    outer = project(tmp_path / "outer")
    inner = project(outer / "a" / "inner")
    (inner / "b" / "c").mkdir(parents=True)
    for here, expected in ((inner / "b" / "c", inner), (inner, inner), (outer / "a", outer)):
        monkeypatch.chdir(here)
        assert load_config(environment={}).project == expected


def test_a_project_that_is_named_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By argument, else by the environment, else by where one is."""
    here, named, given = (project(tmp_path / name) for name in ("here", "named", "given"))
    monkeypatch.chdir(here)
    env = {"PACHYDERM_PROJECT": str(named)}
    assert load_config(given, environment=env).project == given
    assert load_config(environment=env).project == named
    assert load_config("../given", environment={}).project == given
    with pytest.raises(ConfigError, match=r"is no project: it has no pachyderm\.toml"):
        load_config(tmp_path, environment={})


def test_outside_of_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that is named will do, without entities; otherwise the error says what to run."""
    monkeypatch.chdir(tmp_path)
    read = load_config(store="sqlite:///some.db", environment={})
    assert (read.project, read.entities) == (None, None)
    assert read.store_url == f"sqlite:///{tmp_path}/some.db"
    with pytest.raises(ConfigError, match="run pachyderm init"):
        load_config(environment={})


def test_a_relative_file_is_relative_to_whoever_named_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the file it is the project's folder, in an option or the environment the current one."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    folder = tmp_path / "project"
    text = '[store]\nurl = "sqlite:///data/x.db"'
    assert config(folder, text).store_url == f"sqlite:///{folder}/data/x.db"
    assert config(folder, text, store="sqlite:///x.db").store_url == f"sqlite:///{here}/x.db"
    assert config(folder, text, {"PACHYDERM_STORE": "sqlite:///x.db"}).store_url == f"sqlite:///{here}/x.db"
    assert config(folder, '[store]\nurl = "sqlite:////abs/x.db"').store_url == "sqlite:////abs/x.db"


@pytest.mark.parametrize(
    ("written", "expanded"),
    [
        ("postgresql://u:${PASSWORD}@host/db", "postgresql://u:a%2Fb%40c%3A%24%20@host/db"),
        ("postgresql://u@host/${EMPTY}db", "postgresql://u@host/db"),
        ("${WHOLE}", "postgresql://u:p%40@host/db"),
        ("postgresql://u:$$${PLAIN}$@host/db", "postgresql://u:$x$@host/db"),
        ("postgresql://u:$PLAIN@host/db", "postgresql://u:$PLAIN@host/db"),
        ("postgresql://u:$${PLAIN}@host/db", "postgresql://u:${PLAIN}@host/db"),
    ],
)
def test_placeholders_in_the_url(tmp_path: Path, written: str, expanded: str) -> None:
    """A value is quoted for a URL, unless it is the whole of it; `$$` is a dollar; nothing is expanded twice."""
    env = {"PASSWORD": "a/b@c:$ ", "EMPTY": "", "PLAIN": "x", "WHOLE": "postgresql://u:p%40@host/db"}
    assert config(tmp_path, f"[store]\nurl = '{written}'", env).store_url == expanded


def test_placeholders_in_the_effects(tmp_path: Path) -> None:
    """Texts at any depth are expanded, as they are; other values stay."""
    text = '[effects]\na = "${X}!"\nb = [1, "${X}", ["$$"]]\n[effects.c]\nd = "${X}${X}"\n'
    assert config(tmp_path, text, {"X": "a b@"}).effects == {
        "a": "a b@!",
        "b": [1, "a b@", ["$"]],
        "c": {"d": "a b@a b@"},
    }


@pytest.mark.parametrize(
    ("text", "key"),
    [("[store]\nurl = 'x${NOT_THERE}'", "store.url"), ("[effects]\na.b = ['${NOT_THERE}']", "effects.a.b")],
)
def test_a_missing_variable_is_named(tmp_path: Path, text: str, key: str) -> None:
    """Which variable, and by which key."""
    error = refusal(tmp_path, text, {"OTHER": "secret"})
    assert "${NOT_THERE}" in error.message
    assert error.details["key"] == key


def test_a_placeholder_of_a_url_that_is_not_used_may_be_missing(tmp_path: Path) -> None:
    """Who names another store needs no password for the file's."""
    text = "[store]\nurl = 'postgresql://u:${NOT_THERE}@host/db'"
    assert config(tmp_path, text, store="sqlite:////x.db").store_url == "sqlite:////x.db"


@pytest.mark.parametrize(
    ("text", "key", "nearest"),
    [
        ('entitties = "x"', "entitties", "entities"),
        ("[store]\nurll = 'x'", "store.urll", "url"),
        ("[snapshots]\nevry = 3", "snapshots.evry", "every"),
        ("[snapshot]\nevery = 3", "snapshot", "snapshots"),
        ("[outbox]\nlease_secs = 3", "outbox.lease_secs", "lease_seconds"),
        ("[outbox]\ndeliverys = 3", "outbox.deliverys", "deliveries"),
        ("[outboxes]\ndeliveries = 3", "outboxes", "outbox"),
        ("[lookup]\ntype = ['counter']", "lookup.type", "types"),
        ("[stores.x]\ny = 3", "stores", "store"),
    ],
)
def test_an_unknown_key_is_told_the_nearest(tmp_path: Path, text: str, key: str, nearest: str) -> None:
    """The key is named with its table, and what it might have been."""
    error = refusal(tmp_path, text)
    assert f"there is no key {key}; did you mean {nearest}?" in error.message
    assert error.details == {"file": str(tmp_path / "pachyderm.toml"), "key": key}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[store", "is not TOML"),
        ("a = 1\na = 2", "is not TOML"),
        ("entities = 3", "entities: Input should be a valid string"),
        ("store = 'x'", "store: "),
        ("[snapshots]\nevery = -1", "snapshots.every: Input should be greater than or equal to 0"),
        ("[snapshots]\nevery = '3'", "snapshots.every: Input should be a valid integer"),
        ("[snapshots]\nevery = true", "snapshots.every: Input should be a valid integer"),
        ("[outbox]\nlease_seconds = 0.4", "outbox.lease_seconds: Input should be greater than or equal to 0.5"),
        ("[outbox]\nlease_seconds = 86401", "outbox.lease_seconds: Input should be less than or equal to 86400"),
        ("[store]\nwait_seconds = -1", "store.wait_seconds: Input should be greater than or equal to 0"),
        ("[outbox]\nlease_seconds = nan", "outbox.lease_seconds: Input should be "),
        ("[outbox]\nlease_seconds = inf", "outbox.lease_seconds: Input should be less than or equal to 86400"),
        ("[outbox]\nlease_seconds = '30'", "outbox.lease_seconds: Input should be a valid number"),
        ("[outbox]\nlease_seconds = true", "outbox.lease_seconds: Input should be a valid number"),
        ("[lookup]\ntypes = 'counter'", "lookup.types: Input should be a valid list"),
        ("[lookup]\ntypes = [1]", "lookup.types.0: Input should be a valid string"),
        ("[outbox]\ndeliveries = -1", "outbox.deliveries: Input should be greater than or equal to 0"),
        ("[outbox]\ndeliveries = 1.5", "outbox.deliveries: Input should be a valid integer"),
        ("[outbox]\ndeliveries = '3'", "outbox.deliveries: Input should be a valid integer"),
        ("outbox = 3", "outbox: "),
        ("effects = []", "effects: "),
        ('[store]\nnetwork = "a\\nb"', "is no name of a network"),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """What is wrong is said with the key, in one line."""
    error = refusal(tmp_path, text)
    assert said in error.message
    assert error.message.isprintable()


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """Bytes that are not UTF-8, or a folder of that name, are told with the file."""
    (tmp_path / "pachyderm.toml").write_bytes(b"entities = '\xff'")
    with pytest.raises(ConfigError, match=r"pachyderm\.toml cannot be read"):
        load_config(tmp_path, environment={})


@pytest.mark.parametrize("network", ["a\nb", "\0", "x" * 201, "\x1b[31m"])
def test_a_network_s_name_is_printable(tmp_path: Path, network: str) -> None:
    """Control characters and overlong names are refused, wherever they come from."""
    for options in ({"network": network}, {"environment": {"PACHYDERM_NETWORK": network}}):
        error = refusal(tmp_path, "", **options)
        assert error.message.isprintable()


def test_secrets_are_not_in_the_repr(tmp_path: Path) -> None:
    """A configuration that is printed shows neither the store's URL nor the effects."""
    read = config(tmp_path, "[store]\nurl = 'postgresql://u:geheim@h/d'\n[effects]\ntoken = 'geheim'")
    assert "geheim" not in repr(read)


@pytest.mark.parametrize("empty", ["store", "network"])
def test_an_empty_option_is_a_mistake(tmp_path: Path, empty: str) -> None:
    """A script whose variable is unset does not fall through to another network or store without a word."""
    env = {"PACHYDERM_STORE": "sqlite:////env.db", "PACHYDERM_NETWORK": "env"}
    with pytest.raises(ConfigError):
        Pachyderm.from_config(config(tmp_path, "", env, **{empty: ""}))


@pytest.mark.parametrize("name", ["q?mark", "per%20cent", "a b", "ü#1"])
def test_a_project_may_be_in_any_folder(tmp_path: Path, name: str) -> None:
    """The store is the file in the project's folder, whatever characters a URL would take for its own."""
    url = parse_url(config(tmp_path / name, "").store_url)
    assert url.file == tmp_path / name / "pachyderm.db"


def test_a_folder_that_is_gone_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the current folder was removed, a project cannot be found, but a store with a whole path can be used."""

    def gone() -> Path:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(Path, "cwd", gone)
    with pytest.raises(ConfigError, match="current folder cannot be used"):
        load_config(environment={})
    assert load_config(store="sqlite:////whole.db", environment={}).store_url == "sqlite:////whole.db"


@pytest.mark.parametrize("seconds", ["0.5", "1", "86400"])
def test_a_lease_may_last_from_half_a_second_to_a_day(tmp_path: Path, seconds: str) -> None:
    """Both ends count, and the engine takes what the file takes."""
    read = config(tmp_path, f"[outbox]\nlease_seconds = {seconds}")
    assert read.lease_seconds == float(seconds)
    Pachyderm.from_config(read).close()
