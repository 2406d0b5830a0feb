"""Verifying the tables themselves, and stores in which an import is unfinished."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, text, update

from pachyderm_cli import Pachyderm
from pachyderm_cli.errors import CheckFailed
from pachyderm_cli.store import importing
from pachyderm_cli.store.migrate import migrate
from pachyderm_cli.store.schema import events, forks, metadata
from tests.support import courier, porter
from tests.support.courier import Do
from tests.support.moving import exported, furnish
from tests.support.office import Office
from tests.support.raw import execute

INDEXES = sorted((table.name, str(index.name)) for table in metadata.tables.values() for index in table.indexes)


@pytest.fixture
def office(store_url: str) -> Iterator[Office]:
    """Return a store with something of everything."""
    with Office(store_url) as office:
        furnish(office)
        yield office


@pytest.mark.parametrize("network", ["default", "other"])
def test_something_of_everything_is_sound(office: Office, network: str) -> None:
    """After effects of every kind, timers, copies, erasures and cursors, in several networks, nothing is found."""
    furnish(office, network="other")
    office.open(network=network).erase("courier:@fork", why="a copy, too")
    assert list(office.open().verify(all_networks=True)) == []


def test_what_was_imported_is_sound(office: Office, store_url: str) -> None:
    """Beside others, in a network of another name, and an entity alone: nothing is found after imports."""
    engine = office.open()
    for name, lines in (
        ("third", exported(engine)),
        ("copy", exported(engine, reference="courier:@fork")),
        ("type", exported(engine, type_name="courier")),
    ):
        office.open(network=name).import_lines(lines)
    assert list(engine.verify(all_networks=True)) == []


def test_a_migrated_store_has_all_it_is_to_have(store_url: str) -> None:
    """What the migrations make is what is looked for."""
    migrate(store_url)
    with Office(store_url) as office:
        assert list(furnish(office).verify()) == []


def test_a_copy_of_which_nothing_is_noted_is_sound(office: Office, store_url: str) -> None:
    """An import that was given up may have brought a copy without its note; and the copy goes on, as others do."""
    execute(store_url, delete(forks))
    assert list(office.open().verify()) == []
    office.open().send("courier:@fork", Do(note="on"))
    assert list(office.open().verify()) == []


@pytest.mark.parametrize(("table", "index"), INDEXES)
def test_an_index_that_is_missing_is_found(office: Office, store_url: str, table: str, index: str) -> None:
    """Without one of the schema's indexes that is told, and the rest is verified."""
    execute(store_url, text(f"DROP INDEX {index}"))
    verification = office.open().verify()
    [found] = list(verification)
    assert found.check == "schema"
    assert index in found.problem
    assert table in found.problem
    assert verification.summary.events > 0
    execute(store_url, text(f"CREATE INDEX {index} ON {table} (network)"))
    [found] = list(office.open().verify())
    assert "is one on (network)" in found.problem


def test_an_index_that_guards_nothing_is_found(office: Office, store_url: str) -> None:
    """An index that is to be unique, and is not, or not for all rows, is none."""
    for words in ("INDEX", "UNIQUE INDEX"):
        where = " WHERE version > 1" if words == "UNIQUE INDEX" else ""
        execute(store_url, text("DROP INDEX uq_pachyderm_events_version"))
        columns = "(network, entity_id, version)"
        execute(store_url, text(f"CREATE {words} uq_pachyderm_events_version ON pachyderm_events {columns}{where}"))
        [found] = list(office.open().verify())
        assert (found.check, "does not keep two rows" in found.problem) == ("schema", True)


@pytest.mark.parametrize("table", sorted(metadata.tables))
def test_a_table_or_a_column_that_is_missing_is_found(office: Office, store_url: str, table: str) -> None:
    """Without it nothing else can be read, and that is no error of the command's."""
    engine = office.open()
    column = list(metadata.tables[table].columns)[-1].name
    execute(store_url, text(f"ALTER TABLE {table} RENAME COLUMN {column} TO another"))
    [found] = list(engine.verify())
    assert (found.check, f"{table} has no column {column}" in found.problem) == ("schema", True)
    execute(store_url, text(f"ALTER TABLE {table} RENAME TO elsewhere"))
    [found] = list(engine.verify())
    assert (found.check, f"the table {table}," in found.problem) == ("schema", True)


@pytest.mark.postgres
def test_what_postgres_can_lose_is_found(postgres_url: str) -> None:
    """A key, a NOT NULL, and a sequence behind the log, which would give positions that are taken."""
    with Office(postgres_url) as office:
        engine = furnish(office)
        execute(postgres_url, text("ALTER TABLE pachyderm_forks DROP CONSTRAINT pk_pachyderm_forks"))
        execute(postgres_url, text("ALTER TABLE pachyderm_events ALTER COLUMN data DROP NOT NULL"))
        key, column = sorted(each.problem for each in engine.verify())[::-1]
        assert key == "the primary key of pachyderm_forks, (network, entity_id), is missing"
        assert column == "the column data of pachyderm_events may be null"
    with Office(postgres_url) as office:
        execute(postgres_url, text("ALTER TABLE pachyderm_forks ADD CONSTRAINT pk PRIMARY KEY (network, entity_id)"))
        execute(postgres_url, text("ALTER TABLE pachyderm_events ALTER COLUMN data SET NOT NULL"))
        assert list(office.open().verify()) == []
        execute(postgres_url, text("SELECT setval('pachyderm_events_position_seq', 3)"))
        [found] = list(office.open().verify())
        assert (found.check, "the next position" in found.problem) == ("position", True)
        execute(postgres_url, text("DROP SEQUENCE pachyderm_events_position_seq CASCADE"))
        [found] = list(office.open().verify())
        assert "is missing" in found.problem


@pytest.mark.parametrize("other", ["0005", "0004", "0000"])
def test_a_second_stamp_is_found(office: Office, store_url: str, other: str) -> None:
    """A store that says of itself that it is of two schemas is verified as this one's, and that is told."""
    execute(store_url, text(f"INSERT INTO pachyderm_schema VALUES ('{other}')"))  # noqa: S608 - the test's own
    verification = office.open().verify()
    [found] = list(verification)
    assert (found.check, other in found.problem) == ("schema", True)
    assert verification.summary.events > 0


def test_a_network_without_a_name_is_found(office: Office, store_url: str) -> None:
    """A network that nobody could name is told."""
    execute(store_url, update(events).where(events.c.type == "Noted").values(network="a\nb"))
    assert ("network", "a\nb") in [(each.check, each.network) for each in office.open().verify(all_networks=True)]


def test_an_unfinished_import_is_told_once(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is to come with the rest of it is no finding of its own; what is wrong with what is there is one."""
    monkeypatch.setattr(importing, "_PART", 3)
    with Office(f"sqlite:///{tmp_path}/source.db") as source:
        lines = exported(furnish(source))
    modules = {"courier": courier, "porter": porter}
    for end in range(5, len(lines) - 1, 3):
        with Pachyderm(store_url, modules, network=f"n{end}") as engine:
            with pytest.raises(CheckFailed, match="cut off"):
                engine.import_lines(lines[:end], resumable=True)
            [found] = list(engine.verify())
            assert (found.check, found.network, found.entity) == ("import", f"n{end}", None)
            assert "--resumable" in found.problem
    with Pachyderm(store_url, modules, network="n11") as engine:
        execute(store_url, update(events).where(events.c.network == "n11").values(recorded_at="then"))
        assert {each.check for each in engine.verify()} == {"import", "time"}
    with Pachyderm(store_url, modules, network="n8") as engine:
        engine.import_lines(lines, resumable=True)
        assert list(engine.verify()) == []
        engine.send("courier:@new", Do(note="n"))
        assert list(engine.verify()) == []
