"""Passwords appear in no output, no log, no traceback and no process's arguments, whatever goes right or wrong."""

import logging
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from pachyderm_cli import Pachyderm
from pachyderm_cli.cli.session import Session
from pachyderm_cli.config import load_config
from pachyderm_cli.engine.networks import Place
from pachyderm_cli.errors import PachydermError
from pachyderm_cli.store.store import Store
from tests.cli.running import Command, Result
from tests.postgres_server import LOCKED
from tests.security.surface import run_all

SECRET = "xK4geheim"  # noqa: S105 - nobody's
"""Is in every password here, however that is encoded, and nowhere else."""

PASSWORD = f"/{SECRET}'%:?\\ ü"
WRONG = f"wrong-{SECRET}"

pytestmark = pytest.mark.usefixtures("outbox_lab", "time_lab")


@pytest.fixture
def locked_url(postgres_url: str) -> str:
    """Return the URL of an empty database for a role that has to give PASSWORD; it has none in it."""
    with psycopg.connect(
        make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    ) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(7)")  # the role is one for all of a run's tests
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (LOCKED,)).fetchall():
            connection.execute(f"CREATE ROLE {LOCKED} LOGIN SUPERUSER")
        quoted = sql.Literal(PASSWORD)
        connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(LOCKED), quoted))
    url = make_url(postgres_url).set(username=LOCKED)
    with suppress(psycopg.OperationalError):
        psycopg.connect(url.set(drivername="postgresql", password=WRONG).render_as_string(hide_password=False)).close()
        pytest.skip("this server lets everybody in, whatever the password")
    return url.render_as_string(hide_password=False)


def with_password(url: str, password: str) -> str:
    """Return the URL with the password in it."""
    return make_url(url).set(password=password).render_as_string(hide_password=False)


@dataclass
class Heard:
    """What was logged, and the arguments that processes were started with."""

    logs: pytest.LogCaptureFixture
    started: list[Any]

    def require_silence(self, where: object, result: Result) -> None:
        """Fail if anything tells the secret."""
        texts = {"out": result.out, "err": result.err, "log": self.logs.text, "process": str(self.started)}
        assert [kind for kind, text in texts.items() if SECRET in text] == [], where


@pytest.fixture
def heard(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[Heard]:
    """Give what is logged on any level, by the drivers and SQLAlchemy too, and what processes are started with."""
    started: list[Any] = []

    class Noting(subprocess.Popen[Any]):
        def __init__(self, args: Any, *rest: Any, **settings: Any) -> None:
            started.append(args)
            super().__init__(args, *rest, **settings)

    monkeypatch.setattr(subprocess, "Popen", Noting)
    own = logging.getLogger("pachyderm")  # passes nothing on while a command runs
    own.addHandler(caplog.handler)
    for name in ("sqlalchemy", "psycopg", "alembic"):
        caplog.set_level(logging.DEBUG, name)
    caplog.set_level(logging.DEBUG)
    yield Heard(caplog, started)
    own.removeHandler(caplog.handler)


@pytest.mark.postgres
@pytest.mark.parametrize("as_json", [False, True], ids=["plain", "json"])
def test_no_command_tells_the_password(pachyderm: Command, locked_url: str, heard: Heard, *, as_json: bool) -> None:
    """Each command of all, with a password that is right, with tracebacks asked for, which add to what is shown."""
    pachyderm = pachyderm.store(with_password(locked_url, PASSWORD))
    done = 0
    for call, result in run_all(pachyderm, as_json=as_json, PACHYDERM_DEBUG="1"):
        heard.require_silence(call, result)
        done += result.status == 0
    assert done > 40
    assert heard.started != []
    assert any(record.name.startswith(("sqlalchemy", "psycopg")) for record in heard.logs.records)


@pytest.mark.postgres
@pytest.mark.parametrize("debug", ["", "1"], ids=["", "debug"])
@pytest.mark.parametrize("as_json", [False, True], ids=["plain", "json"])
def test_no_command_tells_a_wrong_password(
    pachyderm: Command, locked_url: str, heard: Heard, *, as_json: bool, debug: str
) -> None:
    """Each command of all, with a password that the server refuses."""
    refused = 0
    pachyderm = pachyderm.store(with_password(locked_url, WRONG))
    for call, result in run_all(pachyderm, as_json=as_json, PACHYDERM_DEBUG=debug):
        heard.require_silence(call, result)
        assert ("Traceback" in result.err) <= (debug == "1")
        refused += "password authentication failed" in result.err
    assert refused > 40


@pytest.mark.postgres
@pytest.mark.parametrize("password", [PASSWORD, WRONG], ids=["right", "wrong"])
def test_a_password_may_come_in_every_way(pachyderm: Command, locked_url: str, heard: Heard, password: str) -> None:
    """From a placeholder in pachyderm.toml, alone or in a URL, from libpq's variable, or in the URL's query."""
    whole, file = with_password(locked_url, password), pachyderm.folder / "pachyderm.toml"
    in_file = with_password(locked_url, "NAMED").replace("NAMED", "${HUSH}")
    as_option = f"{locked_url}&password={quote(password, safe='')}"
    ways: list[tuple[str, dict[str, str]]] = [
        (in_file, {"HUSH": password}),
        ("${HUSH}", {"HUSH": whole}),
        (locked_url, {"PGPASSWORD": password}),
        (as_option, {}),
    ]
    for url, environment in ways:
        file.write_text(f"[store]\nurl = '''{url}'''\n[networks.other]\nurl = '''{url}'''\n", encoding="utf-8")
        for command in (("store", "status"), ("networks",), ("list",), ("backup", "copy.db"), ("store", "migrate")):
            for options in ((), ("--json",)):
                result = pachyderm.quick(*command, *options, **environment, PACHYDERM_DEBUG="1")
                assert result.status == (2 if command[0] == "backup" else 7 if password == WRONG else 0), result
                heard.require_silence((url, command), result)


MISTAKEN = f"postgresql://user:{SECRET}@127.0.0.1:1/db"
"""A whole URL, given where none belongs."""


@pytest.mark.parametrize("url", [MISTAKEN, f"postgresql://u:p@{SECRET}@h/db", f"postgresql://h/db?password={SECRET}"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("{}",),
        ("copy", "{}"),
        ("list", "--store", "{}"),
        ("--stor={}", "list"),
        ("history", "{}"),
        ("send", "{}", "increment"),
        ("send", "counter:@a", "increment", "{}"),
        ("send", "counter:@a", "increment", "amount={}"),
        ("send", "counter:@a", "increment", "--data", "{}"),
        ("send", "counter:@a", "increment", "--data", "@{}"),
        ("send", "box:@a", "refuse", "reason={}"),
        ("send", "--file", "{}"),
        ("--network", "{}", "list"),
        ("--project", "{}", "list"),
        ("list", "--type", "{}"),
        ("list", "--where", "{}", "--type", "purse"),
        ("list", "--where", "moves>{}", "--type", "purse"),
        ("export", "-o", "{}"),
        ("import", "{}"),
        ("effects", "show", "{}"),
        ("effects", "list", "--status", "{}"),
        ("cursors", "drop", "{}", "--yes"),
        ("replay", "--at", "{}"),
        ("describe", "{}"),
        ("check", "{}"),
        ("timers", "cancel", "counter:@a", "{}"),
    ],
    ids=" ".join,
)
def test_a_url_that_is_given_for_something_else_is_quoted_without_its_password(
    pachyderm: Command, heard: Heard, arguments: tuple[str, ...], url: str
) -> None:
    """An error that quotes what it does not understand leaves the password out, in its message and in its details."""
    pachyderm.quick("send", "counter:@a", "increment").done()
    for options in ((), ("--json",)):
        for settings in ({}, {"PACHYDERM_DEBUG": "1"}):
            result = pachyderm.quick(*(each.format(url) for each in arguments), *options, **settings)
            heard.require_silence(arguments, result)


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://u:1,{SECRET}/w@127.0.0.1:1/db",  # a comma, as between hosts
        f"postgresql://u:pa@ss/{SECRET}@127.0.0.1:1/db",
        f"postgresql://u:pa@{SECRET}?s=1@127.0.0.1:1/db",
        f"postgresql://u:pa?{SECRET}@127.0.0.1:1/db",
        f"postgresql://u:pa#{SECRET}@127.0.0.1:1,127.0.0.1:2/db",
        f"postgresql://u:{SECRET},x@127.0.0.1:1,127.0.0.1:2/db",
        f"postgresql://u:%00{SECRET}@127.0.0.1:1/db",
        f"postgresql://u@127.0.0.1:1/db?sslmode=require&sslpassword={SECRET}&sslkey=none&sslcert=none",
        f"postgresql://127.0.0.1:1/db?user=u&password={SECRET}&password={SECRET}",
    ],
)
def test_a_password_that_nobody_encoded_stays_hidden(pachyderm: Command, heard: Heard, url: str) -> None:
    """What a URL's reader makes of a password's own signs is not shown, and neither is half of it."""
    for options in ((), ("--json",)):
        result = pachyderm.quick("--store", url, "list", *options, PACHYDERM_DEBUG="1")
        assert result.status in (6, 7)
        heard.require_silence(url, result)


@pytest.mark.parametrize("option", ["keepalives", "options", "passfile", "service", "sslkey"])
def test_an_option_that_may_be_a_secret_stays_hidden(pachyderm: Command, option: str) -> None:
    """What libpq quotes of an option's value is shown neither in the error nor in the errors that led to it.

    Only the drivers' own debugging logs tell it; a password they do not.
    """
    result = pachyderm.quick("--store", f"postgresql://127.0.0.1:1/db?{option}={SECRET}", "list", PACHYDERM_DEBUG="1")
    assert result.status == 7
    assert "Traceback" in result.err
    assert SECRET not in result.err


@pytest.mark.parametrize(
    "text",
    [
        f'[store]\nurl = "sqlite:///a.db"\npassword = "{SECRET}"\n',
        f'[store]\nurl = ["postgresql://u:{SECRET}@h"]\n',
        f'[store]\nurl = "postgresql://u:{SECRET}@h\n',
        f'[networks.a]\nurls = "postgresql://u:{SECRET}@h"\n',
        f'[effects]\ntoken = "{SECRET}"\n[store]\nwait_seconds = "{SECRET}"\n',
        f'url = "{SECRET}"\n',
    ],
)
def test_a_misplaced_password_in_the_file_is_not_quoted(pachyderm: Command, heard: Heard, text: str) -> None:
    """What is wrong with pachyderm.toml is told by its key and place, and not by what stands there."""
    (pachyderm.folder / "pachyderm.toml").write_text(text, encoding="utf-8")
    result = pachyderm.quick("list", PACHYDERM_DEBUG="1")
    assert result.status == 6
    heard.require_silence(text, result)


def test_what_the_cause_of_an_error_says_is_hidden_from_logs_of_users_too() -> None:
    """Who logs a traceback of the engine's errors shows no password: the drivers' own errors have lost it."""
    with pytest.raises(PachydermError) as caught, Pachyderm(f"postgresql://u@127.0.0.1:1/d?keepalives={SECRET}") as own:
        own.store_status()
    told, error = [], caught.value.__cause__
    while error is not None:
        told.append(str(error))
        error = error.__cause__
    assert any("keepalives" in each for each in told)
    assert [each for each in told if SECRET in each] == []


def test_an_effect_that_fails_tells_no_password_of_the_service_it_called(pachyderm: Command, heard: Heard) -> None:
    """What a library says of a URL that it was given is kept, and shown, without its password."""
    module = pachyderm.folder / "entities" / "courier.py"
    text = module.read_text(encoding="utf-8")
    module.write_text(text.replace('OSError("no ink")', f'OSError("no ink at {MISTAKEN}")'), encoding="utf-8")
    for command in (("send", "courier:@a", "risk", "text=a"), ("effects", "list", "--status", "parked"), ("export",)):
        for options in ((), ("--json",)):
            result = pachyderm.quick(*command, *options)
            heard.require_silence(command, result)
            assert command[0] != "effects" or "no ink at postgresql://user:***@127.0.0.1:1/db" in result.out


def test_what_holds_a_url_does_not_show_it() -> None:
    """The objects that a debugger or a test's failure prints leave the password out."""
    url = f"postgresql://u:{SECRET}@h/d"
    with Pachyderm(url) as engine:
        shown = [engine, engine.store, str(engine.store), Session(store=url), Place(url), load_config(store=url)]
        assert [each for each in map(repr, shown) if SECRET in each] == []
    assert SECRET in Store(url).opened_url
