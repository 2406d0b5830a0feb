"""A damaged SQLite file: what cannot be read is one clear error, never a failure of pachyderm's and never a guess."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from pachyderm_cli import Pachyderm
from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.existing import existing
from pachyderm_cli.store.log import fitting_positions
from pachyderm_cli.store.schema import events
from pachyderm_cli.store.statement import Statement
from pachyderm_cli.store.store import Store
from tests.support import courier
from tests.support.courier import Do, Post
from tests.support.engines import tally_engine
from tests.support.tally import Add

Use = Callable[[Pachyderm], Any]


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[Pachyderm]:
    """Return an engine whose tally has five events, two snapshots, a cursor and a copy."""
    with tally_engine(sqlite_url, snapshots_every=2) as opened:
        for _ in range(5):
            opened.send("tally:@a", Add())
        opened.fork("tally:@a", to="tally:@copy")
        with opened.follow(cursor="c", wait=False) as log:
            log.commit()
        opened.close()  # what was read once may be kept
        yield opened


def damage(sqlite_url: str, statement: str) -> None:
    """Write into the tables what pachyderm never writes."""
    with closing(sqlite3.connect(str(make_url(sqlite_url).database), isolation_level=None)) as connection:
        assert connection.execute(statement).rowcount > 0


def failure(engine: Pachyderm, use: Use) -> str:
    """Return the message of the StoreError that a use of the engine raises."""
    with pytest.raises(StoreError) as caught:
        use(engine)
    assert "\n" not in caught.value.message
    return caught.value.message


ENTITIES: Use = lambda engine: list(engine.entities())  # noqa: E731 - names for the table below
HISTORY: Use = lambda engine: list(engine.history("tally:@a"))  # noqa: E731
FOLLOWING: Use = lambda engine: list(engine.follow(after=0, wait=False))  # noqa: E731
EXPORT: Use = lambda engine: list(engine.export())  # noqa: E731
NO_JSON = "UPDATE pachyderm_events SET data = '{\"amount\": }' WHERE position = 3"


@pytest.mark.parametrize(
    ("statement", "use"),
    [
        ("UPDATE pachyderm_entities SET created_at = 'yesterday'", ENTITIES),
        ("UPDATE pachyderm_entities SET version = 'five'", lambda engine: engine.inspect("tally:@a")),
        (
            "UPDATE pachyderm_entities SET id = 'nobody' WHERE id LIKE (SELECT min(id) FROM pachyderm_entities)",
            ENTITIES,
        ),
        (
            "UPDATE pachyderm_events SET message_id = 'none' WHERE position = 5",
            HISTORY,
        ),
        ("UPDATE pachyderm_events SET recorded_at = ''", HISTORY),
        ("UPDATE pachyderm_events SET data = x'00'", HISTORY),
        (NO_JSON, HISTORY),
        (NO_JSON, FOLLOWING),
        (NO_JSON, EXPORT),
        ("UPDATE pachyderm_events SET message_id = 'zz' WHERE position = 3", EXPORT),
        ("UPDATE pachyderm_entities SET updated_at = 'later'", EXPORT),
        (
            "UPDATE pachyderm_events SET entity_id = 'x' WHERE position = 5",
            FOLLOWING,
        ),
        ("UPDATE pachyderm_snapshots SET taken_at = 'now'", lambda engine: engine.snapshots("tally:@a")),
        ("UPDATE pachyderm_cursors SET position = 'end'", lambda engine: list(engine.cursors())),
        ("UPDATE pachyderm_forks SET from_id = 'x'", lambda engine: engine.inspect("tally:@copy")),
    ],
)
def test_a_row_that_cannot_be_read_is_damage(engine: Pachyderm, sqlite_url: str, statement: str, use: Use) -> None:
    """The error says that the store is damaged, and what to do."""
    damage(sqlite_url, statement)
    said = failure(engine, use)
    assert said.startswith("the store is damaged")
    assert "store verify" in said


def test_a_follower_stops_before_what_it_cannot_be_told(engine: Pachyderm, sqlite_url: str) -> None:
    """Its cursor does not move past an event that is damaged."""
    engine.set_cursor("c", 0)
    damage(sqlite_url, NO_JSON)
    with engine.follow(cursor="c", wait=False) as log, suppress(StoreError):
        for _ in log:
            log.commit()
    assert [cursor.position for cursor in engine.cursors()] < [3]


@pytest.mark.parametrize("column", ["id", "message_id", "due_at", "attempts", "data", "on_rejected"])
def test_an_effect_that_cannot_be_read_is_damage(sqlite_url: str, column: str) -> None:
    """So it is in the outbox."""
    with Pachyderm(sqlite_url, {"courier": courier}) as engine:
        engine.send("courier:@a", Do(note="n", orders=(Post(text="t"),)), effects=False)
        damage(sqlite_url, f"UPDATE pachyderm_outbox SET {column} = 'x'")  # noqa: S608 - the names above
        assert "an effect in it cannot be read" in failure(engine, lambda engine: list(engine.effects()))


@pytest.mark.parametrize(
    "use",
    [
        lambda engine: list(engine.history("tally:@a")),
        lambda engine: list(engine.history("tally:@a", reverse=True)),
        lambda engine: engine.replay("tally:@a"),
        lambda engine: list(engine.steps("tally:@a")),
    ],
)
@pytest.mark.parametrize("version", [1, 3, 5])
def test_a_history_with_a_gap_is_never_shown(engine: Pachyderm, sqlite_url: str, use: Use, version: int) -> None:
    """Where an event is gone, at the start, in the middle or at the end, nobody is told what the others add up to."""
    damage(sqlite_url, f"DELETE FROM pachyderm_events WHERE version = {version}")  # noqa: S608 - a number
    damage(sqlite_url, "DELETE FROM pachyderm_snapshots")
    assert failure(engine, use).startswith("the store is damaged: ")


def test_a_state_that_lacks_its_last_events_is_never_shown(engine: Pachyderm, sqlite_url: str) -> None:
    """The head says that there is more; a snapshot before it is no answer."""
    damage(sqlite_url, "DELETE FROM pachyderm_events WHERE version = 5")
    assert "end at version 4, not at 5" in failure(engine, lambda engine: engine.state("tally:@a"))


def test_an_event_that_is_no_json_is_damage_and_no_fault_of_the_code(engine: Pachyderm, sqlite_url: str) -> None:
    """It is named by its version."""
    damage(sqlite_url, "UPDATE pachyderm_events SET data = '{\"amount\":' WHERE version = 5")
    assert "at version 5" in failure(engine, lambda engine: engine.state("tally:@a"))


def test_text_that_is_none_is_damage(engine: Pachyderm, sqlite_url: str) -> None:
    """What is no UTF-8 is not told as a server that cannot be reached; `verify` finds it in every column."""
    damage(sqlite_url, "UPDATE pachyderm_events SET message_fingerprint = CAST(x'ff41' AS TEXT) WHERE version = 5")
    assert "is damaged; restore it" in failure(engine, lambda engine: list(engine.export()))
    assert {finding.check for finding in engine.verify()} == {"event"}


def test_a_network_whose_name_is_no_text_is_found(engine: Pachyderm, sqlite_url: str) -> None:
    """Nothing can be asked for by that name; the other networks are verified."""
    damage(sqlite_url, "UPDATE pachyderm_cursors SET network = CAST(x'ff41' AS TEXT)")
    verification = engine.verify(all_networks=True)
    assert [finding.check for finding in verification] == ["network"]
    assert verification.summary.events == 10


def test_a_stream_that_is_left_after_its_connection_says_nothing(engine: Pachyderm, sqlite_url: str) -> None:
    """Where an error closes the connection first, the rows that were not read yet are no second error."""
    with existing(Store(sqlite_url)) as found:
        rows = found.transaction.stream(Statement(events.select()), {})
        next(rows)
    rows.close()


def test_a_log_that_leads_back_to_where_it_was_is_read_to_an_end(sqlite_url: str) -> None:
    """With the root of the log's tree in place of any page below it, export and follow end: with an error, or whole."""
    with tally_engine(sqlite_url) as engine:
        engine.send_all([engine.request("tally:@a", Add()) for _ in range(2500)])
        engine.close()
        file = Path(str(make_url(sqlite_url).database))
        with closing(sqlite3.connect(file)) as connection:
            ((root,),) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'pachyderm_events'")
            ((size,),) = connection.execute("PRAGMA page_size")
        whole = file.read_bytes()
        refused: set[str] = set()
        for below in _children(whole, root, size):
            spoilt = bytearray(whole)
            spoilt[(below - 1) * size : below * size] = whole[(root - 1) * size : root * size]
            file.write_bytes(spoilt)
            for lines in (engine.export(), engine.follow(after=0, wait=False)):
                with suppress(StoreError):
                    assert sum(1 for _ in islice(lines, 10_000)) < 10_000
                    continue
                refused.add(type(lines).__name__)
            engine.close()
        assert len(refused) == 2


def _children(database: bytes, root: int, size: int) -> list[int]:
    """Return the numbers of some of the pages right below a table's root, as SQLite's file format has them."""
    page = database[(root - 1) * size : root * size]
    assert page[0] == 5  # an interior page of a table
    cells = [int.from_bytes(page[12 + 2 * at : 14 + 2 * at]) for at in range(int.from_bytes(page[3:5]))]
    below = [*(int.from_bytes(page[cell : cell + 4]) for cell in cells), int.from_bytes(page[8:12])]
    return [below[0], below[1], below[len(below) // 2], below[-2], below[-1]]


@pytest.mark.parametrize("found", [[(1, 9), (1, 9)], [(3, 9), (2, 9)], [(0, 9)]])
def test_positions_that_do_not_go_up_are_damage(found: list[tuple[int, int]]) -> None:
    """Whoever reads on from the last of a page comes further with each."""
    with pytest.raises(StoreError, match="out of order"):
        fitting_positions(0, found)


@pytest.mark.parametrize("use", [lambda engine: list(engine.entities()), lambda engine: engine.store_status()])
def test_another_program_s_database_is_left_as_it_is(tmp_path: Path, use: Use) -> None:
    """Looking makes no tables in it, and no WAL of it; the first send does."""
    file = tmp_path / "places.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE places (url TEXT)")
    before = file.read_bytes()
    with tally_engine(f"sqlite:///{file}") as engine:
        use(engine)
        assert file.read_bytes() == before
        assert engine.send("tally:@a", Add()).version == 1
        assert len(list(engine.entities())) == 1
