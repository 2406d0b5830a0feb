"""The log as it grows: what is read is complete, however commits overtake one another."""

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, NullPool, create_engine, insert, select, text

from pachyderm_cli.store import log
from pachyderm_cli.store.append import append
from pachyderm_cli.store.log import PAGE, LogReader, Part, last_position, settled_end
from pachyderm_cli.store.records import NewEvent
from pachyderm_cli.store.schema import events
from pachyderm_cli.store.statement import Transaction
from pachyderm_cli.store.store import Store
from tests.support.appends import an_append, an_entity

NETWORK = "n"
EVERYTHING = Part(NETWORK)
WRITERS = 3


@pytest.fixture
def pg(postgres_url: str) -> Iterator[Engine]:
    """Return the database of a store on Postgres, to write to past pachyderm."""
    store = Store(postgres_url)
    append(store, NETWORK, [an_append(an_entity())])
    store.close()
    engine = create_engine(postgres_url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE pachyderm_events RESTART IDENTITY"))
    yield engine
    engine.dispose()


@pytest.fixture
def store(pg: Engine) -> Iterator[Store]:
    """Return the store, opened by itself."""
    opened = Store(pg.url.render_as_string(hide_password=False))
    yield opened
    opened.close()


def write(connection: Connection, entity_id: UUID | None = None, version: int = 1) -> int:
    """Write an event inside the transaction that is under way, and return its position."""
    row = {
        "network": NETWORK,
        "entity_id": str(entity_id or uuid4()),
        "version": version,
        "entity_type": "tally",
        "type": "Added",
        "data": "{}",
        "message_id": str(uuid4()),
        "ordinal": 0,
        "message": "Add",
        "message_fingerprint": "",
        "recorded_at": "2026-11-24T00:00:00.000000Z",
    }
    return int(connection.execute(insert(events).values(row).returning(events.c.position)).scalar_one())


def positions(reader: LogReader) -> list[int]:
    """Return the positions of what comes next."""
    return [event.position for event in reader.read() or []]


def test_what_is_written_later_with_a_lower_position_comes_first(pg: Engine, store: Store) -> None:
    """An event whose transaction is slower is waited for, and those behind it come after it."""
    reader = LogReader(store, EVERYTHING, 0)
    with pg.connect() as slow, pg.connect() as fast:
        write(fast)
        fast.commit()
        assert positions(reader) == [1]
        write(slow)
        write(fast)
        fast.commit()
        assert reader.read() is None
        assert reader.read() is None
        slow.commit()
    assert positions(reader) == [2, 3]
    assert reader.read() is None


def test_what_comes_before_a_gap_is_not_held_up(pg: Engine, store: Store) -> None:
    """Of a page, what is complete is read at once; the rest once the gap is closed."""
    reader = LogReader(store, EVERYTHING, 0)
    with pg.connect() as slow, pg.connect() as fast:
        write(fast)
        write(slow)
        write(fast)
        fast.commit()
        assert positions(reader) == [1]
        assert reader.read() is None
        slow.rollback()
        assert positions(reader) == [3]
        assert reader.position == 3


def test_a_full_page_loses_nothing_to_what_fills_a_gap_in_it(
    pg: Engine, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a page that grew between the look at its positions and that at its rows, the last ones are read too."""
    monkeypatch.setattr(log, "PAGE", 3)
    reader = LogReader(store, EVERYTHING, 0)
    look = log._writers
    with pg.connect() as slow, pg.connect() as fast:
        write(slow)
        for _ in range(4):
            write(fast)
        fast.commit()

        def look_late(transaction: Transaction) -> Any:
            slow.commit()
            return look(transaction)

        monkeypatch.setattr(log, "_writers", look_late)
        found = positions(reader) + positions(reader)
    assert found == [1, 2, 3, 4, 5]


def test_the_end_of_the_log_is_where_nothing_can_come_before_it(pg: Engine, store: Store) -> None:
    """Whoever is writing is waited for, and who begins later is not; what is written then comes after that end."""
    with pg.connect() as slow, pg.connect() as fast, pg.connect() as later:
        assert settled_end(store, lambda: pytest.fail("nobody writes")) == 0
        write(slow)
        write(fast)
        fast.commit()
        pauses: list[Callable[[], object]] = [slow.commit, lambda: write(later)]

        def pause() -> bool:
            pauses.pop()()
            return True

        assert (settled_end(store, pause), pauses) == (2, [])
        reader = LogReader(store, EVERYTHING, 2)
        later.commit()
        assert positions(reader) == [3]


def test_only_who_writes_to_the_log_is_waited_for(pg: Engine, store: Store) -> None:
    """A transaction that has written elsewhere, however long it stays open, holds no reader up at a gap."""
    reader = LogReader(store, EVERYTHING, 0)
    with pg.connect() as other, pg.connect() as writer:
        other.execute(text("CREATE TABLE elsewhere (n INTEGER)"))
        other.execute(text("SELECT count(*) FROM pachyderm_events"))
        write(writer)
        writer.rollback()
        write(writer)
        writer.commit()
        assert positions(reader) == [2]


def test_who_began_after_the_gap_is_not_waited_for(pg: Engine, store: Store) -> None:
    """Writers that follow one another without a pause do not keep a reader before an old gap for ever."""
    reader = LogReader(store, EVERYTHING, 0)
    with pg.connect() as slow, pg.connect() as fast, pg.connect() as next_one:
        write(slow)
        write(fast)
        fast.commit()
        assert reader.read() is None
        write(next_one)
        slow.rollback()
        assert positions(reader) == [2]


def test_another_networks_events_are_passed_over(pg: Engine, store: Store) -> None:
    """A reader of another network gets on behind them, and reads none."""
    reader = LogReader(store, Part("another"), 0)
    with pg.begin() as connection:
        write(connection)
        write(connection)
    assert reader.read() == []
    assert (reader.position, reader.read()) == (2, None)


Steps = list[tuple[int, str]]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.integers(0, WRITERS - 1), st.sampled_from(["write", "write", "commit", "roll back", "read"])),
        min_size=15,
        max_size=40,
    )
)
def test_nothing_is_missed_whoever_commits_first(pg: Engine, store: Store, steps: Steps) -> None:
    """However transactions overlap, a reader gets what was committed, all of it, once, and in order."""
    read: list[int] = []
    with pg.begin() as connection:
        connection.execute(text("TRUNCATE pachyderm_events RESTART IDENTITY"))
    with ExitStack() as stack:
        writers = [stack.enter_context(pg.connect()) for _ in range(WRITERS)]
        reader = LogReader(store, EVERYTHING, 0)
        for number, step in steps:
            if step == "write":
                write(writers[number])
            elif step == "commit":
                writers[number].commit()
            elif step == "roll back":
                writers[number].rollback()
            else:
                read += positions(reader)
        for writer in writers:
            writer.rollback()
        read += positions(reader)
        with pg.connect() as connection:
            there = list(connection.execute(select(events.c.position).order_by(events.c.position)).scalars())
    assert read == there


def test_small_pages_miss_nothing_while_writers_hold_transactions_open(
    pg: Engine, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writers that commit or roll back after a while, by chance; the reader looks all the time, a few rows at once."""
    monkeypatch.setattr(log, "PAGE", 3)

    def write_many(seed: int) -> None:
        chances = random.Random(seed)  # noqa: S311 - no secret
        with pg.connect() as connection:
            for _ in range(100):
                for _ in range(chances.randrange(1, 4)):
                    write(connection)
                time.sleep(chances.choice((0, 0.001, 0.005)))
                connection.rollback() if chances.random() < 0.2 else connection.commit()

    reader, read = LogReader(store, EVERYTHING, 0), list[int]()
    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(write_many, seed) for seed in range(4)]
        while not all(each.done() for each in writing):
            read += positions(reader)
    while (found := reader.read()) is not None:
        read += [event.position for event in found]
    with pg.connect() as connection:
        there = list(connection.execute(select(events.c.position).order_by(events.c.position)).scalars())
    assert read == there
    assert len(there) > 400
    for each in writing:
        each.result()


def test_a_log_of_many_pages_comes_in_order(store_url: str) -> None:
    """On both databases, page after page, with other networks' events between; then nothing more."""
    opened = Store(store_url)
    for network in (NETWORK, "another", NETWORK):
        many = [an_append(an_entity()) for _ in range(PAGE // 2 + 7)]
        append(opened, network, many)
    reader = LogReader(opened, EVERYTHING, 0)
    found: list[int] = []
    while (part := reader.read()) is not None:
        found += [event.position for event in part]
    assert len(found) == 2 * (PAGE // 2 + 7)
    assert found == sorted(set(found))
    assert reader.position == last_position(opened) == found[-1]
    opened.close()


def test_large_events_come_a_few_at_a_time(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page has no more of them than fit beside one another, and one that is larger than all comes alone."""
    monkeypatch.setattr(log, "_LARGE", 1000)
    opened = Store(store_url)
    new = [(NewEvent(1, "Added", f'{{"text":"{"x" * size}"}}'),) for size in (10, 300, 600, 200, 5000, 10, 10)]
    for each in new:
        append(opened, NETWORK, [an_append(an_entity())._replace(events=each)])
    reader = LogReader(opened, EVERYTHING, 0)
    pages = []
    while (part := reader.read()) is not None:
        pages.append(len(part))
    assert pages == [4, 1, 2]
    opened.close()


@pytest.mark.parametrize("part", [Part(NETWORK), Part(NETWORK, "tally"), Part(NETWORK, None, UUID(int=1))])
def test_sqlite_reads_a_part_by_positions(sqlite_url: str, part: Part) -> None:
    """No index of a network's or an entity's whole history is searched for a page of the log."""
    opened = Store(sqlite_url)
    append(opened, NETWORK, [an_append(an_entity())])
    parameters = {
        "network": NETWORK,
        "entity_type": "tally",
        "entity_id": str(part.entity),
        "after": 0,
        "up_to": 9,
        "page": 9,
    }
    compiled = part.statement.for_dialect("sqlite")
    with closing(opened.database.connect()) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {compiled.text}", compiled.arguments(parameters)).fetchall()
    searches = [row[-1] for row in plan if "SEARCH" in row[-1]]
    assert searches == ["SEARCH pachyderm_events USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"]
    opened.close()
