"""A follower that is killed again and again misses nothing, whatever the writers do; nor does one after a restore."""

import json
import random
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, select, text

from pachyderm_cli.store.schema import events
from tests.cli.running import ROOT, SECONDS, Command
from tests.postgres_server import Keeper, server_url
from tests.support.dawdlers import writing
from tests.support.engines import tally_engine
from tests.support.raw import connected
from tests.support.tally import Add, AddAll

KILLS = 6
PROJECT = "[outbox]\nlease_seconds = 0.5\n"


@pytest.fixture
def command(tmp_path: Path, store_url: str) -> Command:
    """Return the command in a project whose followers' leases are short; it needs none of the code."""
    folder = tmp_path / "project"
    (folder / "entities").mkdir(parents=True)
    (folder / "pachyderm.toml").write_text(PROJECT, encoding="utf-8")
    return Command(folder, ROOT, {"PACHYDERM_STORE": store_url})


@contextmanager
def following(command: Command, output: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Give a follower by a cursor, which writes what it gets to a file; it does not outlive the block."""
    with output.open("wb") as file:
        process = subprocess.Popen(
            command.line("follow", "--cursor", "c", "--json"),
            cwd=command.folder,
            env=command.environment({}),
            stdout=file,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def printed(output: Path) -> Iterator[dict[str, Any]]:
    """Yield what is whole of a follower's lines."""
    for line in output.read_bytes().splitlines(keepends=True):
        if line.endswith(b"\n"):
            yield json.loads(line)


def test_nothing_is_missed_by_followers_that_are_killed(command: Command, store_url: str) -> None:
    """One after the other is killed while writers write: together they print every event, each first in its order."""
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - shown where the test fails
    dice = random.Random(seed)  # noqa: S311 - no secret
    outputs = [command.folder / f"out-{number}" for number in range(KILLS + 1)]
    with closing(tally_engine(store_url)) as engine:
        engine.send("tally:@0", Add())
    with writing(store_url, seed):
        for output in outputs[:-1]:
            with following(command, output) as process:
                wait_until(partial(is_begun, output))
                time.sleep(dice.uniform(0, 0.3))
                process.kill()
    with closing(tally_engine(store_url)) as engine:
        engine.send("tally:@last", Add())  # what the last one has to print, even if those before it missed nothing
    with following(command, outputs[-1]) as process:
        wait_until(partial(is_begun, outputs[-1]))  # before that it may be too young to be asked to end
        wait_until(lambda: not command.quick("cursors", "list", "--json").done().document["behind"])
        process.terminate()
        assert process.wait(SECONDS) == 0
    first_seen: dict[int, tuple[str, int]] = {}
    for output in outputs:
        run = [(each["position"], (each["entity"]["id"], each["version"])) for each in printed(output)]
        assert [position for position, _ in run] == sorted(position for position, _ in run)
        for position, event in run:
            assert first_seen.setdefault(position, event) == event
    with connected(store_url) as connection:
        log = connection.execute(
            select(events.c.position, events.c.entity_id, events.c.version).order_by(events.c.position)
        )
        there = {position: (str(entity_id), version) for position, entity_id, version in log}
    assert list(first_seen.items()) == list(there.items())
    assert len(set(first_seen.values())) == len(first_seen)


def is_begun(output: Path) -> bool:
    """Tell whether a follower has printed something."""
    return output.stat().st_size > 0


def wait_until(condition: Callable[[], bool]) -> None:
    """Return once that is so."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, "the follower hangs"
        time.sleep(0.02)


@pytest.fixture
def another_server() -> Iterator[str]:
    """Return the URL of a Postgres server that was made just now, and has seen no transactions yet."""
    keeper = Keeper()
    try:
        yield server_url(keeper.home)
    finally:
        keeper.close()


def pg(program: str, url: str, *arguments: str, stdin: bytes = b"") -> bytes:
    """Run one of Postgres's own programs on a database, and return what it prints."""
    with connected(url) as connection:
        folder = connection.execute(text("SELECT setting FROM pg_config WHERE name = 'BINDIR'")).scalar_one()
    path = Path(folder) / program
    if not path.exists():
        pytest.skip(f"needs {program} beside the Postgres server")
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    ended = subprocess.run([path, *arguments, plain], input=stdin, capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.postgres
def test_a_dump_restored_into_a_fresh_server_is_followed_on(postgres_url: str, another_server: str) -> None:
    """The new server counts transactions from the beginning; the cursor goes on, with what was there and what comes."""
    engine = create_engine(postgres_url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for _ in range(300):  # as many transactions as the new server has not had
            connection.execute(text("SELECT pg_current_xact_id()"))
    engine.dispose()
    with closing(tally_engine(postgres_url)) as before:
        before.send("tally:@a", AddAll(amounts=tuple(range(10))))
        with before.follow(cursor="c", wait=False) as log:
            seen = [next(log).version for _ in range(4)]
            log.commit()
        before.send("tally:@b", Add())
    restored = make_url(another_server).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    pg("psql", restored, "--quiet", "--set", "ON_ERROR_STOP=1", stdin=pg("pg_dump", postgres_url))
    with closing(tally_engine(restored)) as after:
        after.send("tally:@a", Add())
        with after.follow(cursor="c", wait=False) as log:
            seen += [event.version for event in log]
            log.commit()
        after.send("tally:@a", Add())
        with after.follow(cursor="c", wait=False) as log:
            seen += [event.version for event in log]
    assert seen == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 11, 12]
