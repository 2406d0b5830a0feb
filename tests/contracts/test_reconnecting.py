"""A Postgres that is away for a while: clients that are open wait for it, and go on by themselves."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from pachyderm_cli import Pachyderm
from pachyderm_cli.errors import ConfigError, StoreError
from pachyderm_cli.store.log import LogReader, Part
from tests.support.engines import tally_engine
from tests.support.raw import connected
from tests.support.tally import Add, Tell
from torture.faults.server import Server, a_server, standby_of

pytestmark = pytest.mark.postgres

SECONDS = 60


@pytest.fixture(scope="module")
def server(postgres_server: str) -> Iterator[Server]:
    """Lend a server that may be stopped."""
    with a_server() as started:
        yield started


@pytest.fixture
def store_url(server: Server) -> Iterator[str]:
    """Return the URL of an empty database on that server."""
    server.execute("CREATE DATABASE away")
    yield server.url("away")
    server.execute("DROP DATABASE away WITH (FORCE)")


def stop(server: Server) -> None:
    """Stop it as an administrator does."""
    server.stop("fast")


def crash(server: Server) -> None:
    """Stop it without a word to its clients, and with a recovery to come."""
    server.stop("immediate")


def kill(server: Server) -> None:
    """Kill -9 it."""
    server.kill()


class TellingOfWaits:
    """Says when somebody has begun to wait for the server, so that no test goes by the clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.waited = threading.Event()
        from pachyderm_cli.store.patience import Patience  # noqa: PLC0415 - what is watched

        pause = Patience.pause

        def watched(patience: Patience) -> bool:
            self.waited.set()
            return pause(patience)

        monkeypatch.setattr(Patience, "pause", watched)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> TellingOfWaits:
    """Return what tells that somebody waits."""
    return TellingOfWaits(monkeypatch)


@pytest.mark.parametrize("end", [stop, crash, kill])
def test_a_send_waits_for_a_server_that_restarts(
    server: Server, store_url: str, waits: TellingOfWaits, end: Callable[[Server], None]
) -> None:
    """It is answered when the server is back, and is in once."""
    with tally_engine(store_url) as engine, ThreadPoolExecutor(1) as pool:
        engine.send("tally:@a", Add())
        end(server)
        try:
            sending = pool.submit(engine.send, "tally:@a", Add(amount=5))
            assert waits.waited.wait(SECONDS)
            assert not sending.done()
        finally:
            server.start()
        sent = sending.result(SECONDS)
        assert (sent.version, sent.duplicate, engine.state("tally:@a").count) == (2, False, 6)


def test_everything_goes_on_after_a_restart(server: Server, store_url: str) -> None:
    """Reads, listings, followers, batches and workers of an open engine take the server that is back for granted."""
    with tally_engine(store_url, config={"told": []}) as engine:
        engine.send("tally:@a", Tell(texts=("x",)))
        log = engine.follow(cursor="c", wait=False)
        seen = [next(log).version]
        server.stop()
        server.start()
        assert [head.version for head in engine.entities()] == [1]
        server.stop()
        server.start()
        log.commit()
        results = engine.send_all([engine.request("tally:@a", Add()) for _ in range(3)])
        assert [each.version for each in results if not isinstance(each, Exception)] == [2, 3, 4]
        seen += [event.version for event in log]
        assert seen == [1, 2, 3, 4]
        server.stop()
        server.start()
        log.close()
        assert list(engine.work(once=True)) == []


def test_a_server_that_never_answered_is_told_at_once(server: Server, waits: TellingOfWaits) -> None:
    """Who names a wrong port, database or user is not kept waiting."""
    away = server.url().replace(f":{server.port}/", ":1/")
    for url, said in ((away, "Connection refused"), (server.url("nowhere"), '"nowhere" does not exist')):
        with tally_engine(url) as engine, pytest.raises(StoreError, match=said):
            engine.send("tally:@a", Add())
    assert not waits.waited.is_set()


def test_how_long_it_waits_is_the_user_s_to_say(server: Server, store_url: str) -> None:
    """With wait_seconds = 0 nothing is waited for: the error names the store, and the next send works."""
    with tally_engine(store_url, wait_seconds=0) as engine:
        engine.send("tally:@a", Add())
        server.stop()
        try:
            with pytest.raises(StoreError, match="cannot be reached"):
                engine.send("tally:@a", Add())
        finally:
            server.start()
        assert engine.send("tally:@a", Add()).version == 2
    with pytest.raises(ConfigError, match="wait_seconds"):
        tally_engine(store_url, wait_seconds=-1)


def test_a_connection_to_spare_is_waited_for(server: Server, store_url: str, waits: TellingOfWaits) -> None:
    """Where the server has none left, also for a first one, a send waits until there is one."""
    server.execute("CREATE ROLE few LOGIN CONNECTION LIMIT 1")
    server.execute("GRANT ALL ON DATABASE away TO few")
    with connected(store_url) as connection:
        connection.execute(text("GRANT ALL ON SCHEMA public TO few"))
    url = store_url.replace("postgres@", "few@")
    try:
        with ThreadPoolExecutor(1) as pool, tally_engine(url) as one, tally_engine(url) as other:
            one.send("tally:@a", Add())
            sending = pool.submit(other.send, "tally:@a", Add())
            assert waits.waited.wait(SECONDS)
            one.close()
            assert sending.result(SECONDS).version == 2
    finally:
        with connected(store_url) as connection:
            connection.execute(text("DROP OWNED BY few"))
        server.execute("DROP OWNED BY few; DROP ROLE few")


def test_a_lock_is_waited_for_beyond_the_server_s_timeout(
    server: Server, store_url: str, waits: TellingOfWaits
) -> None:
    """As on SQLite a send waits as long as the store does; then the server's own error is told."""
    server.execute("ALTER DATABASE away SET lock_timeout TO '20ms'")
    with (
        tally_engine(store_url) as engine,
        tally_engine(store_url, wait_seconds=0) as hasty,
        ThreadPoolExecutor(1) as pool,
    ):
        engine.send("tally:@a", Add())
        with connected(store_url) as other:
            other.execute(text("SELECT 1 FROM pachyderm_entities FOR UPDATE"))
            with pytest.raises(StoreError, match="lock timeout"):
                hasty.send("tally:@a", Add())
            sending = pool.submit(engine.send, "tally:@a", Add(amount=5))
            assert waits.waited.wait(SECONDS)
            assert not sending.done()
        assert sending.result(SECONDS).version == 2


def test_a_follower_s_cursor_waits_for_a_lock_as_a_send_does(
    server: Server, store_url: str, waits: TellingOfWaits
) -> None:
    """Its row is locked for a moment by whoever renews its lease, which is no reason to end the follower."""
    server.execute("ALTER DATABASE away SET lock_timeout TO '20ms'")
    with tally_engine(store_url) as engine, ThreadPoolExecutor(1) as pool:
        engine.send("tally:@a", Add())
        with engine.follow(cursor="c", wait=False) as log:
            assert len(list(log)) == 1
            with connected(store_url) as other:
                other.execute(text("SELECT 1 FROM pachyderm_cursors FOR UPDATE"))
                moving = pool.submit(log.commit)
                assert waits.waited.wait(SECONDS)
                assert not moving.done()
            moving.result(SECONDS)
        assert [each.position for each in engine.cursors()] == [1]


def several(*servers: Server) -> str:
    """Return the URL of a store that lives on one or the other of some servers."""
    hosts = ",".join(f"127.0.0.1:{each.port}" for each in servers)
    return f"postgresql://postgres@{hosts}/postgres"


def test_a_standby_that_takes_over_has_all_that_was_acknowledged(server: Server, waits: TellingOfWaits) -> None:
    """Of several hosts the one that can be written to is used, whichever that is; a send waits until there is one."""
    with a_server(synchronous_standby_names="*") as primary, standby_of(primary) as standby:
        with tally_engine(several(standby, primary)) as engine, ThreadPoolExecutor(1) as pool:
            sent = [engine.send("tally:@a", Add()) for _ in range(5)]
            primary.kill()
            sending = pool.submit(engine.send, "tally:@a", Add())
            assert waits.waited.wait(SECONDS)
            standby.promote()
            set_standbys(standby, "")  # it has none of its own
            assert sending.result(SECONDS).version == 6
            assert [event.message_id for event in engine.history("tally:@a")][:5] == [each.message_id for each in sent]
        with tally_engine(several(primary, standby)) as engine:  # a new process, while the first of them is away
            assert engine.state("tally:@a").count == 6


@pytest.fixture
def without_standby(server: Server, store_url: str) -> Iterator[Pachyderm]:
    """Return an engine on a server that waits for a standby which is not there."""
    with tally_engine(store_url) as engine:
        engine.send("tally:@a", Add())
        set_standbys(server, "nobody")
        try:
            yield engine
        finally:
            set_standbys(server, "")


def set_standbys(server: Server, names: str) -> None:
    """Have the server wait for standbys, or not; return when it does."""
    server.execute(f"ALTER SYSTEM SET synchronous_standby_names TO '{names}'")
    server.reload()
    while server.execute("SHOW synchronous_standby_names") != [(names,)]:
        pass


def waiting_session(server: Server, other_than: int = 0) -> int:
    """Return the process of the session that waits for the standby, once there is one."""
    found: list[tuple[int]] = []
    while not found:
        found = server.execute(
            "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND pid <> %(other)s", other=other_than
        )
    return found[0][0]


@pytest.mark.parametrize("cut", ["pg_terminate_backend", "pg_cancel_backend"])
def test_what_a_standby_may_not_have_is_not_answered(server: Server, without_standby: Pachyderm, cut: str) -> None:
    """A commit whose wait for the standby is cut short can be seen, and might be lost: the send goes on waiting."""
    engine = without_standby
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(engine.send, "tally:@a", Add(amount=5))
        first = waiting_session(server)
        server.execute(f"SELECT {cut}({first})")
        waiting_session(server, other_than=first)
        with connected(server.url("away")) as connection:
            assert connection.execute(text("SELECT count(*) FROM pachyderm_events")).scalar_one() == 2
        assert not sending.done()
        set_standbys(server, "")
        sent = sending.result(SECONDS)
        assert (sent.version, sent.duplicate) == (2, False)
        assert [event.version for event in engine.history("tally:@a")] == [1, 2]


def test_a_message_sent_again_is_answered_when_the_standby_has_it(server: Server, without_standby: Pachyderm) -> None:
    """Also by another process, which cannot know how it came into the log."""
    with ThreadPoolExecutor(2) as pool, tally_engine(server.url("away")) as other:
        message_id = "6f0d4a9e-0000-4000-8000-000000000001"
        pool.submit(without_standby.send, "tally:@a", Add(amount=5), message_id=message_id)
        first = waiting_session(server)
        server.execute(f"SELECT pg_terminate_backend({first})")
        waiting_session(server, other_than=first)
        again = pool.submit(other.send, "tally:@a", Add(amount=5), message_id=message_id)
        while len(server.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'")) < 2:
            pass
        assert not again.done()
        set_standbys(server, "")
        assert (again.result(SECONDS).version, again.result(SECONDS).duplicate) == (2, True)


def test_a_follower_is_not_given_what_a_standby_may_not_have(server: Server, without_standby: Pachyderm) -> None:
    """It would act on an event that is not there any more once the standby has taken over."""
    with ThreadPoolExecutor(2) as pool, tally_engine(server.url("away")) as other:
        pool.submit(without_standby.send, "tally:@a", Add(amount=5))
        first = waiting_session(server)
        server.execute(f"SELECT pg_terminate_backend({first})")
        second = waiting_session(server, other_than=first)
        following = pool.submit(lambda: [event.version for event in other.follow(after=0, wait=False)])
        while len(server.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'")) < 2:
            pass
        assert second
        assert not following.done()
        set_standbys(server, "")
        assert following.result(SECONDS) == [1, 2]


@pytest.mark.parametrize("restart", [crash, kill])
def test_a_reader_forgets_the_gaps_of_before_a_crash(
    server: Server, store_url: str, restart: Callable[[Server], None]
) -> None:
    """The server may draw a position again that it had drawn before: what was settled then is not any more."""
    with tally_engine(store_url) as engine:
        engine.send("tally:@a", Add())
        reader = LogReader(engine.store, Part("default"), 0)
        assert [event.position for event in reader.read() or []] == [1]
        reader._settled = 1000  # as it is where all those have ended that drew so far
        restart(server)
        server.start()
        with connected(store_url) as other:
            other.execute(text("LOCK TABLE pachyderm_events IN ROW EXCLUSIVE MODE"))
            [drawn] = other.execute(text("SELECT nextval('pachyderm_events_position_seq')")).scalars()
            beyond = engine.send("tally:@b", Add())
            assert reader.read() is None
        assert drawn > 1
        assert [event.message_id for event in reader.read() or []] == [beyond.message_id]
