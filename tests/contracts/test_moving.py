"""Exports and imports: nothing is lost, every order stays, what collides is refused, and life goes on afterwards."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, make_url, select, update

from pachyderm_cli import Pachyderm
from pachyderm_cli.errors import Collision, Erased, NotFound, StoreError, UsageError
from pachyderm_cli.store.schema import cursors, entities, events, forks, outbox
from tests.contracts.conftest import OpenEngine
from tests.databases import fresh_postgres
from tests.support.courier import Do, Post
from tests.support.moving import TABLES, exported, furnish, rows
from tests.support.office import Office
from tests.support.raw import connected, execute
from tests.support.tally import Add, AddAll

NewStore = Callable[[str], str]
ODD = '{"note": "x",  "b":1.00000000000000000000000000001E+400,"a":' + "7" * 5000 + "}"


@pytest.fixture
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewStore]:
    """Return a function that gives the URL of another empty store on a database of that name."""
    with ExitStack() as stack:
        made: list[str] = []

        def new(database: str) -> str:
            if database == "sqlite":
                made.append(f"sqlite:///{tmp_path}/store-{len(made)}.db")
            else:
                made.append(stack.enter_context(fresh_postgres(request.getfixturevalue("postgres_server"))))
            return made[-1]

        yield new


@pytest.fixture
def office(store_url: str) -> Iterator[Office]:
    """Return an office on the store that the test was given."""
    with Office(store_url) as opened:
        yield opened


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Return what closes further offices after the test."""
    with ExitStack() as opened:
        yield opened


OTHER = {"sqlite": "postgres", "postgresql": "sqlite"}


def other_database(store_url: str) -> str:
    """Return the database that this store is not on."""
    return OTHER[make_url(store_url).get_backend_name()]


def own_database(store_url: str) -> str:
    """Return the database that this store is on."""
    return OTHER[{"sqlite": "postgresql", "postgres": "sqlite"}[other_database(store_url)]]


@pytest.mark.postgres
def test_a_round_trip_is_the_same_byte_for_byte(office: Office, new_store: NewStore, stack: ExitStack) -> None:
    """To the other database and back, a second export has the same bytes, and every row is as it was."""
    engine = furnish(office)
    with connected(office.store_url) as connection:
        note = connection.execute(select(events.c.position).where(events.c.type == "Noted").limit(1)).scalar_one()
        connection.execute(update(events).where(events.c.position == note).values(data=ODD))
    lines = exported(engine)
    assert json.dumps(ODD)[1:-1] in "".join(lines)
    statuses = {status for _, status in office.statuses()}
    assert statuses == {"done", "pending", "parked", "rejected", "discarded"}
    wanted = rows(office.store_url)
    for each in wanted[cursors.name]:
        each["position"] = min(each["position"], max(row["position"] for row in wanted[events.name]))
    for database in (other_database(office.store_url), own_database(office.store_url)):
        moved = stack.enter_context(Office(new_store(database)))
        imported = moved.open().import_lines(lines)
        assert (imported.events, imported.positions_kept) == (len(wanted[events.name]), True)
        assert exported(moved.open()) == lines
        found = rows(moved.store_url)
        assert {name: found[name] for name in found if name != cursors.name} == {
            name: wanted[name] for name in wanted if name != cursors.name
        }
        assert [each["name"] for each in found[cursors.name]] == [each["name"] for each in wanted[cursors.name]]


def test_life_goes_on_after_an_import(office: Office, new_store: NewStore, stack: ExitStack) -> None:
    """Versions go on, a message that was handled is not handled again, a worker does what waits, nobody comes back."""
    engine = furnish(office)
    sent = engine.send("courier:@a", Do(note="last"))
    moved = stack.enter_context(Office(new_store(own_database(office.store_url))))
    there = moved.open()
    there.import_lines(exported(engine))
    again = there.send("courier:@a", Do(note="last"), message_id=sent.message_id)
    assert (again.duplicate, again.version) == (True, sent.version)
    assert (again.state, there.state("courier:@a")) == (sent.state, engine.state("courier:@a"))
    further = there.send("courier:@a", Do(note="further"))
    assert further.version == sent.version + 1
    last = max(rows(moved.store_url)[events.name], key=lambda row: int(row["position"]))
    assert str(last["message_id"]) == str(further.message_id)
    assert len(list(there.work(once=True))) == 1
    assert moved.world.heard == ["waits"]
    assert [timer.timer for timer in there.timers("courier:@a")] == ["later"]
    with pytest.raises(Erased):
        there.send("courier:@gone", Do(note="back"))


def test_an_export_under_writers_is_of_one_moment(open_engine: OpenEngine, new_store: NewStore) -> None:
    """Messages that were committed together are in an export together or not at all, whoever writes meanwhile."""
    reader, stop = open_engine(), threading.Event()
    reader.send("tally:@a", Add())

    def write(engine: Pachyderm, name: str) -> None:
        while not stop.is_set():
            engine.send_all([engine.request(f"tally:@{name}{side}", AddAll(amounts=(1, 2))) for side in "lr"])

    writers = [threading.Thread(target=write, args=(open_engine(), name)) for name in "xy"]
    for thread in writers:
        thread.start()
    try:
        exports = [exported(reader) for _ in range(5)]
    finally:
        stop.set()
        for thread in writers:
            thread.join(timeout=60)
    with Pachyderm(new_store("sqlite"), network="first") as target:
        target.import_lines(exports[0])
    for lines in exports:
        documents = [json.loads(line) for line in lines]
        versions = {each["entity"]["id"]: each["entity"]["version"] for each in documents if "entity" in each}
        logs: dict[str, list[int]] = {each: [] for each in versions}
        for each in documents:
            if "event" in each:
                logs[each["event"]["entity_id"]].append(each["event"]["version"])
        assert logs == {each: [*range(1, version + 1)] for each, version in versions.items()}
        for name in "xy":
            left, right = (str(reader.receiver(f"tally:@{name}{side}").id) for side in "lr")
            assert versions.get(left) == versions.get(right)


KEPT: dict[str, tuple[Any, Any, str]] = {
    "entity": (entities, entities.c.type == "porter", "the entity porter:"),
    "event": (events, events.c.entity_type == "porter", "the entity porter:"),
    "effect": (outbox, outbox.c.status == "parked", "the effect "),
    "cursor": (cursors, cursors.c.name == "some", "the cursor 'some'"),
    "fork": (forks, forks.c.entity_id.is_not(None), "the entity "),
}


@pytest.mark.parametrize("kind", KEPT)
def test_what_is_there_already_is_refused(office: Office, new_store: NewStore, stack: ExitStack, kind: str) -> None:
    """One entity, event, effect, cursor or fork that the store has already: it is named, and nothing is written."""
    lines = exported(furnish(office))
    kept, condition, told = KEPT[kind]
    moved = stack.enter_context(Office(new_store(own_database(office.store_url))))
    engine = moved.open()
    engine.import_lines(lines)
    for table in TABLES:
        execute(moved.store_url, delete(table).where(~condition) if table is kept else delete(table))
    before = rows(moved.store_url)
    assert sum(map(len, before.values())) >= 1
    with pytest.raises(Collision, match=told) as raised:
        engine.import_lines(lines)
    assert (raised.value.details["kind"], rows(moved.store_url)) == (kind, before)
    assert kind in json.loads(lines[raised.value.details["line"] - 1])
    assert engine.send("courier:new", Do(note="well")).version == 1


def test_a_message_id_of_another_entity_is_refused(office: Office, new_store: NewStore, stack: ExitStack) -> None:
    """A message id that the store has for another entity collides too, and is named."""
    sent = office.open().send("courier:@a", Do(note="n"))
    moved = stack.enter_context(Office(new_store(own_database(office.store_url))))
    moved.open().send("courier:@b", Do(note="n"), message_id=sent.message_id)
    with pytest.raises(Collision, match=f"the message {sent.message_id}"):
        moved.open().import_lines(exported(office.open()))
    assert len(rows(moved.store_url)[events.name]) == 1


def order(store_url: str, network: str) -> list[Any]:
    """Return the events, entities and cursors of a network in the order of their positions."""
    found = rows(store_url, network, (events, entities, cursors))
    of_events = sorted(found[events.name], key=lambda row: int(row["position"]))
    places = [row["position"] for row in of_events]
    heads = sorted(found[entities.name], key=lambda row: (row["position"], str(row["id"])))
    at = {row["name"]: sum(place <= row["position"] for place in places) for row in found[cursors.name]}
    return [[(str(row["entity_id"]), row["version"]) for row in of_events], [str(row["id"]) for row in heads], at]


def test_a_disjoint_import_keeps_every_order(office: Office, new_store: NewStore, stack: ExitStack) -> None:
    """Beside other entities and networks events get new positions in their order, entities and cursors with them."""
    engine = furnish(office)
    moved = stack.enter_context(Office(new_store(own_database(office.store_url))))
    for network in ("default", "beside"):
        moved.open(network=network).send("courier:@own", Do(note="own", orders=(Post(text="own"),)))
    moved.open().set_cursor("own", 1)
    moved.rows()  # what is done is marked so
    before = rows(moved.store_url), rows(moved.store_url, "beside")
    there = moved.open(network="third")
    imported = there.import_lines(exported(engine))
    assert (imported.network, imported.from_network, imported.positions_kept) == ("third", "default", False)
    assert order(moved.store_url, "third") == order(office.store_url, "default")
    assert (rows(moved.store_url), rows(moved.store_url, "beside")) == before
    for name in ("zero", "some", "end", "beside"):
        with engine.follow(cursor=name, wait=False) as here_log, there.follow(cursor=name, wait=False) as log:
            assert [(each.entity.id, each.version) for each in log] == [
                (each.entity.id, each.version) for each in here_log
            ]
    moved.open().import_lines(exported(engine))
    assert order(moved.store_url, "default")[0][1:] == order(office.store_url, "default")[0]
    assert [each.version for each in moved.open().history("courier:@own")] == [1]
    assert list(moved.open().verify(all_networks=True)) == []


def test_a_part_is_exported(office: Office, new_store: NewStore, stack: ExitStack) -> None:
    """Only a type's entities, or one, with their events, effects and forks, and no cursors; it can be imported."""
    engine = furnish(office)
    everything = [json.loads(line) for line in exported(engine)]
    porters = [json.loads(line) for line in exported(engine, type_name="porter")]
    assert porters[0]["filter"] == {"type": "porter", "entity": None}
    assert porters[1:-1] == [each for each in everything[1:-1] if "porter" in str(each) and "courier" not in str(each)]
    fork = engine.find("courier:@fork").entity.id
    one = [json.loads(line) for line in exported(engine, reference="courier:@fork")]
    assert one[0]["filter"] == {"type": None, "entity": str(fork)}
    assert (one[-1]["end"]["events"], one[-1]["end"]["forks"], one[-1]["end"]["cursors"]) == (2, 1, 0)
    for chosen in ({"type_name": "courier"}, {"reference": "courier:@b"}, {"type_name": "nobody"}):
        lines = exported(engine, **chosen)
        moved = stack.enter_context(Office(new_store("sqlite"))).open()
        assert moved.import_lines(lines).cursors == 0
        assert exported(moved)[1:-1] == lines[1:-1]
    with pytest.raises(NotFound):
        engine.export(reference="courier:@nobody")
    for refused in ({"type_name": "no type"}, {"type_name": "a", "reference": "b"}):
        with pytest.raises(UsageError):
            exported(engine, **refused)


@pytest.mark.postgres
def test_a_copy_is_an_export_and_an_import(office: Office, new_store: NewStore, stack: ExitStack) -> None:
    """Straight into a store on the other database, made for it; a second copy collides, one onto itself is refused."""
    engine = furnish(office)
    moved = stack.enter_context(Office(new_store(other_database(office.store_url))))
    told: list[tuple[int, int]] = []
    copied = engine.copy_to(moved.store_url, progress=lambda done, total: told.append((done, total)))
    assert (copied.network, copied.effects) == ("default", len(office.rows()))
    assert exported(moved.open()) == exported(engine)
    assert told[0][1] > copied.events
    with pytest.raises(Collision):
        engine.copy_to(moved.store_url)
    assert engine.copy_to(moved.store_url, network="second").network == "second"
    before = rows(office.store_url)
    url = make_url(office.store_url)
    with pytest.raises(UsageError, match="the store itself"):
        engine.copy_to(url.set(host="localhost" if url.host else None).render_as_string(hide_password=False))
    assert rows(office.store_url) == before


def test_a_store_that_is_not_there_cannot_be_exported(sqlite_url: str, new_store: NewStore) -> None:
    """There is nothing to be exported or copied, which is told, and neither store is made."""
    target = new_store("sqlite")
    with Pachyderm(sqlite_url) as engine:
        with pytest.raises(StoreError, match="no store"):
            exported(engine)
        with pytest.raises(StoreError, match="no store"):
            engine.copy_to(target)
    assert not Path(str(make_url(target).database)).exists()
