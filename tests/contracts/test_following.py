"""Following the log: every event, once, in order; by cursors that last, one follower at a time."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, NullPool, create_engine, make_url, text, update

from pachyderm_cli import Pachyderm
from pachyderm_cli.engine import following
from pachyderm_cli.errors import CursorHeld, NotFound, StoreError, UsageError
from pachyderm_cli.store.log import LogReader
from pachyderm_cli.store.records import RecordedEvent
from pachyderm_cli.store.schema import cursors
from tests.contracts.conftest import OpenEngine
from tests.support import tally
from tests.support.raw import connected, execute
from tests.support.tally import Add, AddAll, Ask


def places(events: Iterator[RecordedEvent]) -> list[tuple[str, int]]:
    """Return whose events they are, and their versions."""
    return [(str(event.entity), event.version) for event in events]


def fill(engine: Pachyderm) -> list[tuple[str, int]]:
    """Write to two entities of two types, and return what is in the log."""
    a, b = (str(engine.receiver(name)) for name in ("tally:@a", "doubler:@b"))
    engine.send(a, AddAll(amounts=(1, 2)))
    engine.send(b, "double")
    engine.send(a, Ask())
    engine.send(a, Add())
    return [(a, 1), (a, 2), (b, 1), (a, 3)]


def test_all_there_is_comes_in_order(engine: Pachyderm) -> None:
    """From the start, an event after the other as they are in the log, each as `history` has it."""
    written = fill(engine)
    with engine.follow(after=0, wait=False) as log:
        found = list(log)
    assert places(iter(found)) == written
    assert [each for each in found if str(each.entity) == written[0][0]] == list(engine.history(written[0][0]))
    positions = [each.position for each in found]
    assert positions == sorted(set(positions))


def test_it_begins_where_it_is_told_to(engine: Pachyderm) -> None:
    """After a position comes what is behind it; without one only what is written from then on."""
    written = fill(engine)
    with engine.follow(after=0, wait=False) as log:
        second = list(log)[1].position
    with engine.follow(after=second, wait=False) as log:
        assert places(log) == written[2:]
    with engine.follow(wait=False) as log:
        sent = engine.send("tally:@c", Add())
        assert places(log) == [(str(sent.entity), 1)]


def test_types_and_entities_are_chosen(engine: Pachyderm) -> None:
    """Only events of a type, or of an entity, which need not be there yet."""
    written = fill(engine)
    with engine.follow(after=0, type_name="tally", wait=False) as log:
        assert places(log) == [each for each in written if each[0].startswith("tally:")]
    with engine.follow(after=0, reference=written[2][0], wait=False) as log:
        assert places(log) == [written[2]]
    with engine.follow(after=0, reference="tally:@nobody", wait=False) as log:
        assert places(log) == []


def test_networks_do_not_see_one_another(open_engine: OpenEngine) -> None:
    """A network's log has none of another's events, and a cursor of one is none of the other's."""
    here, there = open_engine(), open_engine(network="there")
    written = fill(here)
    other = fill(there)
    assert other != written
    for engine, its in ((here, written), (there, other)):
        with engine.follow(cursor="c", wait=False) as log:
            assert places(log) == its
            log.commit()
        assert [each.name for each in engine.cursors()] == ["c"]


def test_what_is_written_meanwhile_comes(open_engine: OpenEngine) -> None:
    """A follower that waits gets what another engine writes, and ends when it is told to."""
    writer, reader, stop = open_engine(), open_engine(), threading.Event()
    found: list[RecordedEvent] = []

    def read() -> None:
        with reader.follow(after=0, stop=stop) as log:
            for event in log:
                found.append(event)
                if len(found) == 4:
                    stop.set()

    thread = threading.Thread(target=read)
    thread.start()
    written = fill(writer)
    thread.join(timeout=60)
    assert not thread.is_alive()
    assert places(iter(found)) == written


def test_a_cursor_goes_on_behind_what_was_committed(open_engine: OpenEngine) -> None:
    """A new cursor begins with the first event; what was handed out and not committed comes again."""
    engine = open_engine()
    written = fill(engine)
    with engine.follow(cursor="c", wait=False) as log:
        assert next(log).version == 1
        log.commit()
        next(log)
    assert engine.cursor("c").behind == 3
    with open_engine().follow(cursor="c", wait=False) as log:
        assert places(log) == written[1:]
        log.commit()
    assert (engine.cursor("c").behind, engine.cursor("c").is_held) == (0, False)
    with engine.follow(cursor="c", wait=False) as log:
        assert places(log) == []


def test_a_cursor_begins_where_it_is_told_to_once(engine: Pachyderm) -> None:
    """A position to begin with is for a new cursor; one that is there says itself where it stands."""
    written = fill(engine)
    with engine.follow(after=0, wait=False) as log:
        second = list(log)[1].position
    with engine.follow(cursor="c", after=second, wait=False) as log:
        assert places(log) == written[2:]
    with pytest.raises(UsageError, match="cursors set"):
        engine.follow(cursor="c", after=second, wait=False)


def test_a_new_cursor_begins_within_the_log(engine: Pachyderm) -> None:
    """One that was to begin beyond the end is not made."""
    fill(engine)
    with pytest.raises(UsageError, match="the end of the log"):
        engine.follow(cursor="c", after=99)
    assert list(engine.cursors()) == []


def test_a_cursor_has_one_follower(open_engine: OpenEngine) -> None:
    """Who does not wait is refused as long as another has it, and so is whoever would set or drop it."""
    engine, other = open_engine(), open_engine()
    written = fill(engine)
    with engine.follow(cursor="c", wait=False) as log:
        next(log)
        assert other.cursor("c").is_held
        for refused in (
            lambda: other.follow(cursor="c", wait=False),
            lambda: other.set_cursor("c", 0),
            lambda: other.drop_cursor("c"),
        ):
            with pytest.raises(CursorHeld, match="'c'"):
                refused()
    with other.follow(cursor="c", wait=False) as log:
        assert places(log) == written


def test_who_waits_takes_over(open_engine: OpenEngine) -> None:
    """A follower that waits has the cursor as soon as the other one has ended."""
    engine, other = open_engine(), open_engine()
    written, stop, found = fill(engine), threading.Event(), []

    def take_over() -> None:
        with other.follow(cursor="c", stop=stop) as log:
            for event in log:
                found.append(event)
                if len(found) == 3:
                    stop.set()

    with engine.follow(cursor="c", wait=False) as log:
        thread = threading.Thread(target=take_over)
        thread.start()
        next(log)
        log.commit()
        assert found == []
    thread.join(timeout=60)
    assert places(iter(found)) == written[1:]


def test_a_cursor_that_was_taken_over_is_not_moved(open_engine: OpenEngine, store_url: str) -> None:
    """Whoever lost the lease, having slept for too long, is told so at the next commit, and moves nothing."""
    engine, other = open_engine(), open_engine()
    written = fill(engine)
    late = engine.follow(cursor="c", wait=False)
    next(late)
    execute(store_url, update(cursors).values(lease_until="2026-01-01T00:00:00.000000Z"))
    with other.follow(cursor="c", wait=False) as log:
        next(log)
        next(log)
        log.commit()
        with pytest.raises(CursorHeld, match="taken"):
            late.commit()
        late.close()
        assert other.cursor("c").is_held
        assert places(log) == written[2:]
    assert engine.cursor("c").behind == 2


def test_a_cursor_beyond_the_end_is_told(engine: Pachyderm, store_url: str) -> None:
    """As after a restore of an older copy: to wait there would miss what is written in between."""
    fill(engine)
    engine.set_cursor("c", 0)
    execute(store_url, update(cursors).values(position=1000))
    with pytest.raises(NotFound, match="1000"):
        engine.follow(cursor="c", wait=False)
    assert not engine.cursor("c").is_held


def test_cursors_are_set_and_dropped(engine: Pachyderm) -> None:
    """A cursor is put to any position that there is, and forgotten; what makes no sense is refused."""
    written = fill(engine)
    assert engine.set_cursor("c", 0).behind == 4
    with engine.follow(cursor="c", wait=False) as log:
        assert places(log) == written
    last = engine.set_cursor("d", max(each.position for each in engine.history(written[0][0])))
    assert (last.behind, [each.name for each in engine.cursors()]) == (0, ["c", "d"])
    for position in (-1, last.position + 1):
        with pytest.raises(UsageError):
            engine.set_cursor("c", position)
    assert engine.drop_cursor("c").name == "c"
    with pytest.raises(NotFound, match="'d'"):
        engine.drop_cursor("c")
    for name in ("", "a\nb", "x" * 201):
        with pytest.raises(UsageError):
            engine.follow(cursor=name)


Opened = Callable[[str], Any]


@contextmanager
def by_driver(store_url: str) -> Iterator[Any]:
    """Give a connection of the database's own driver, in its usual mode."""
    url = make_url(store_url)
    if url.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(Path(str(url.database)))) as connection:
            yield connection
        return
    with psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False)) as connection:
        yield connection


@contextmanager
def by_sqlalchemy(store_url: str) -> Iterator[Connection]:
    """Give a connection of SQLAlchemy's."""
    engine = create_engine(store_url, poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


@pytest.mark.parametrize("connect", [by_driver, by_sqlalchemy])
def test_a_cursor_moves_in_the_users_own_transaction(open_engine: OpenEngine, store_url: str, connect: Any) -> None:
    """What a follower writes beside the log is in exactly once, whenever it fails between an event and its commit."""
    engine = open_engine()
    written = fill(engine)
    execute(store_url, text("CREATE TABLE read_model (entity TEXT, version INTEGER)"))
    failures = iter([True, False, True, True, False, False, True, False])
    while engine.cursor("c").behind if any(engine.cursors()) else True:
        with connect(store_url) as connection, engine.follow(cursor="c", wait=False) as log:
            for event in log:
                values = f"('{event.entity}', {event.version})"
                statement = f"INSERT INTO read_model VALUES {values}"  # noqa: S608 - our own values
                connection.execute(text(statement) if isinstance(connection, Connection) else statement)
                log.commit(connection)
                if next(failures):
                    connection.rollback()
                    break
                connection.commit()
    with connected(store_url) as connection:
        rows = connection.execute(text("SELECT entity, version FROM read_model")).all()
    assert [tuple(row) for row in rows] == written
    assert next(failures, None) is None


@pytest.mark.parametrize("connect", [by_driver, by_sqlalchemy])
def test_a_connection_to_elsewhere_is_refused(
    open_engine: OpenEngine, store_url: str, connect: Any, tmp_path: Path
) -> None:
    """To another kind of database, or to another store where nothing of this cursor is known; nothing is moved."""
    engine = open_engine()
    fill(engine)
    kind, other_url = make_url(store_url).get_backend_name(), f"sqlite:///{tmp_path}/other.db"
    with Pachyderm(other_url, {"tally": tally}) as other:
        other.send("tally:@a", Add())
    with engine.follow(cursor="c", wait=False) as log:
        next(log)
        with connect(other_url) as connection, pytest.raises(UsageError, match=r"another|postgresql"):
            log.commit(connection)
        with pytest.raises(UsageError, match=f"a connection to {kind}, and this is no connection"):
            log.commit("nonsense")
    assert engine.cursor("c").position == 0


def test_there_is_nothing_to_move(engine: Pachyderm, store_url: str) -> None:
    """Without a cursor, or once the follower is closed, a commit that was to be in a transaction is told so."""
    fill(engine)
    with engine.follow(after=0, wait=False) as log:
        next(log)
        log.commit()
        with by_driver(store_url) as connection, pytest.raises(UsageError, match="no cursor"):
            log.commit(connection)
    with pytest.raises(UsageError, match="closed"):
        log.commit()


def test_a_store_that_is_away_for_a_while_is_waited_for(
    open_engine: OpenEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A follower that waits tries again until the store can be read; one that does not wait says what is wrong."""
    engine, stop = open_engine(), threading.Event()
    monkeypatch.setattr(following, "_TROUBLED_PAUSE", 0.01)
    written = fill(engine)
    with engine.follow(after=0, stop=stop) as log:
        found = [next(log) for _ in written]
        failures = [StoreError("away")] * 3
        read = LogReader.read

        def read_or_fail(self: LogReader) -> list[RecordedEvent] | None:
            if failures:
                raise failures.pop()
            return read(self)

        monkeypatch.setattr(LogReader, "read", read_or_fail)
        engine.send("tally:@a", Add())
        found.append(next(log))
    assert places(iter(found)) == [*written, (written[0][0], 4)]
    assert [each.message for each in caplog.records if "tried again" in each.message] != []
    failures.append(StoreError("away"))
    with pytest.raises(StoreError, match="away"), engine.follow(after=0, wait=False) as log:
        next(log)


def test_history_is_followed(open_engine: OpenEngine) -> None:
    """An entity's history goes on with what is written, up to a version if one is named."""
    engine, stop = open_engine(), threading.Event()
    engine.send("tally:@a", AddAll(amounts=(1, 2)))
    found = engine.history("tally:@a", follow=stop)
    assert [next(found).version, next(found).version] == [1, 2]
    open_engine().send("tally:@a", AddAll(amounts=(3, 4)))
    assert [next(found).version, next(found).version] == [3, 4]
    stop.set()
    assert list(found) == []
    assert [each.version for each in engine.history("tally:@a", to_version=3, follow=threading.Event())] == [1, 2, 3]
    with pytest.raises(UsageError):
        engine.history("tally:@a", reverse=True, follow=stop)


def test_nothing_makes_a_store(open_engine: OpenEngine, store_url: str) -> None:
    """To follow without a cursor, or to list cursors, makes no SQLite file where there is none."""
    engine = open_engine()
    for after in (0, None):
        with engine.follow(after=after, wait=False) as log:
            assert list(log) == []
    assert list(engine.cursors()) == []
    url = make_url(store_url)
    assert url.get_backend_name() != "sqlite" or not Path(str(url.database)).exists()
