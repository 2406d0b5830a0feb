"""Erasing an entity: its data goes, its id stays taken, others go on, and followers are told."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, select

from pachyderm_cli import Pachyderm
from pachyderm_cli.domain.timestamps import now, to_text
from pachyderm_cli.errors import AmbiguousReference, Erased, NotFound, UsageError
from pachyderm_cli.store.lookups import keep_lookup
from pachyderm_cli.store.records import ERASED, NewSnapshot
from pachyderm_cli.store.schema import entities, events, lookups, metadata, outbox, snapshots
from pachyderm_cli.store.snapshots import keep_snapshot
from pachyderm_cli.store.store import Store
from tests.contracts.conftest import OpenEngine
from tests.support import record
from tests.support.courier import Do, Pass, Post, Remind
from tests.support.engines import tally_engine
from tests.support.office import Office, log
from tests.support.raw import connected
from tests.support.tally import Add, AddAll

WHY = "asked for it, ticket 1815 \U0001f418"
LIFE = "Ada Lovelace, 10 December 1815"


@pytest.fixture
def office(store_url: str) -> Iterator[Office]:
    """Return a store for couriers, on each database."""
    with Office(store_url) as opened:
        yield opened


def rows_with(store_url: str, text: str) -> list[str]:
    """Return the tables that hold rows with that text in some column."""
    with connected(store_url) as connection:
        return [
            name
            for name, table in metadata.tables.items()
            if any(text in str(value) for row in connection.execute(select(table)) for value in row)
        ]


def a_life(engine: Pachyderm) -> str:
    """Give a courier a history, effects of every kind and a timer, all with the secret in them; return its name."""
    me, other = "courier:@ada", "courier:@bob"
    orders = (
        Post(text=LIFE),
        Pass(to=other, errand=Do(note="from ada")),
        Remind(name="t", errand=Do(note=LIFE), after=3600),
    )
    engine.send(me, Do(note=LIFE, orders=orders))
    engine.send(other, Do(note="n", orders=(Pass(to=me, errand=Do(note=LIFE)),)))
    engine.snapshot(me)
    return me


def test_all_of_it_goes_and_one_row_stays(office: Office, store_url: str) -> None:
    """No table holds anything of it any more but the head and one row of the log, which say when, why and how far."""
    engine = office.open()
    me = a_life(engine)
    entity, version = engine.find(me).entity, engine.find(me).version
    assert set(rows_with(store_url, LIFE)) == {events.name, snapshots.name, outbox.name}
    erased = engine.erase(me, WHY)
    assert (erased.entity, erased.last_version, erased.events, erased.why) == (entity, version, version, WHY)
    assert rows_with(store_url, LIFE) == []
    with connected(store_url) as connection:
        [row] = connection.execute(select(events).where(events.c.entity_id == str(entity.id))).all()
        [head] = connection.execute(select(entities).where(entities.c.id == str(entity.id))).all()
        mine = (outbox.c.entity_id == str(entity.id)) | (outbox.c.to_id == str(entity.id))
        assert connection.execute(select(outbox.c.id).where(mine)).all() == []
    assert (row.version, row.type, row.entity_type, row.position) == (version + 1, ERASED, "courier", erased.position)
    assert json.loads(row.data) == {"last_version": version, "why": WHY}
    assert (head.type, head.version) == (ERASED, version + 1)
    assert log(engine, "courier:@bob") == ["from ada", "n"]


Asking = Callable[[Pachyderm, str], Any]


@pytest.mark.parametrize(
    "ask",
    [
        lambda engine, name: engine.send(name, Add()),
        lambda engine, name: engine.send(name, Add(), expect=0),
        lambda engine, name: engine.send(name, Add(), expect=1),
        lambda engine, name: engine.state(name),
        lambda engine, name: engine.inspect(name),
        lambda engine, name: list(engine.history(name)),
        lambda engine, name: engine.replay(name),
        lambda engine, name: engine.snapshot(name),
        lambda engine, name: engine.fork(name),
        lambda engine, name: engine.try_send(engine.request(name, Add())),
        lambda engine, name: engine.erase(name, WHY),
        lambda engine, name: engine.state(str(engine.receiver(name).id)),
        lambda engine, name: engine.state(str(engine.receiver(name).id)[:8]),
    ],
)
def test_whoever_asks_is_told(open_engine: OpenEngine, ask: Asking) -> None:
    """Its id is not reborn: every send and question says that it was erased, when and why, also where it is cached."""
    engine, other = open_engine(), open_engine()
    for each in (engine, other):
        each.send("tally:@a", Add())
    erased = engine.erase("tally:@a", WHY)
    for each in (engine, other, open_engine()):
        with pytest.raises(Erased) as told:
            ask(each, "tally:@a")
        assert told.value.details["why"] == WHY
        assert told.value.details["last_version"] == erased.last_version == 2
        assert "erased on 20" in told.value.message


def test_batches_are_told_too(engine: Pachyderm) -> None:
    """Of a batch, what was sent to it fails; the rest is written."""
    engine.send("tally:@a", Add())
    engine.erase("tally:@a", WHY)
    requests = [engine.request(name, Add()) for name in ("tally:@b", "tally:@a", "tally:@c")]
    outcomes = engine.send_all(requests, keep_going=True)
    assert [type(each).__name__ for each in outcomes] == ["Sent", "Erased", "Sent"]


def test_what_lists_entities_leaves_it_out(engine: Pachyderm) -> None:
    """It is neither listed, nor the one written to last, nor replayed with all the others."""
    kept = engine.send("tally:@b", Add()).entity
    engine.send("tally:@a", Add())
    engine.erase("tally:@a", WHY)
    assert [head.entity for head in engine.entities()] == [kept]
    assert engine.find().entity == kept
    assert [each.entity for each in engine.replay_all()] == [kept]


def test_what_is_not_there_cannot_be_erased(engine: Pachyderm) -> None:
    """An entity that nobody wrote to is not found, and a reason has to be given; nothing is written."""
    engine.send("tally:@a", Add())
    with pytest.raises(NotFound):
        engine.erase("tally:@nobody", WHY)
    for why in ("", "  ", "a\0b", "x" * 10_001):
        with pytest.raises(UsageError):
            engine.erase("tally:@a", why)
    assert engine.state("tally:@a").count == 1


def test_followers_are_told(open_engine: OpenEngine) -> None:
    """The erasure comes as an event of its own, after all that was there before; what went does not come any more."""
    engine = open_engine()
    engine.send("tally:@a", AddAll(amounts=(1, 2)))
    engine.send("tally:@b", Add())
    with engine.follow(cursor="c", wait=False) as before:
        assert [event.type for event in before] == ["Added"] * 3
        before.commit()
    erased = engine.erase("tally:@a", WHY)
    with engine.follow(cursor="c", wait=False) as after:
        [event] = list(after)
    assert (event.type, event.position, event.entity, event.version) == (ERASED, erased.position, erased.entity, 3)
    with engine.follow(after=0, wait=False) as whole:
        assert [(event.type, event.entity.id == erased.entity.id) for event in whole] == [
            ("Added", False),
            (ERASED, True),
        ]


def test_what_stays_of_it_is_followed_and_exported(engine: Pachyderm) -> None:
    """By its name, its whole id, or the beginning of that: there is nothing to be asked of it, and this is left."""
    sent = engine.send("tally:@a", Add())
    engine.erase(sent.entity, WHY)
    for reference in ("tally:@a", sent.entity, str(sent.entity), str(sent.entity.id), str(sent.entity.id)[:8]):
        with engine.follow(after=0, reference=reference, wait=False) as log_:
            assert [event.type for event in log_] == [ERASED]
        assert len([line for line in engine.export(reference=reference) if ERASED in line]) == 2


def test_positions_are_never_given_again(engine: Pachyderm) -> None:
    """Where the last events of the log are erased, what is written next comes after them all the same."""
    engine.send("tally:@a", AddAll(amounts=(1, 2, 3)))
    highest = [event.position for event in engine.history("tally:@a")][-1]
    erased = engine.erase("tally:@a", WHY)
    engine.send("tally:@b", Add())
    [event] = engine.history("tally:@b")
    assert event.position > erased.position > highest


def test_messages_on_their_way_to_it_are_rejected(office: Office) -> None:
    """So a sender gets back what it wanted for that case, and nothing waits for ever."""
    engine = office.open()
    engine.send("courier:@a", Do(note="there"))
    orders = (Pass(to="courier:@a", errand=Do(note="late"), refused=Do(note="undone"), after=60),)
    engine.send("courier:@b", Do(note="n", orders=orders))
    engine.erase("courier:@a", WHY)
    office.pass_time(100)
    [worked] = [each for each in engine.work(once=True) if each.result.status == "rejected"]
    assert WHY in str(worked.result.error)
    assert log(engine, "courier:@b") == ["n", "undone"]


def test_an_effect_that_is_under_way_ends_quietly(office: Office) -> None:
    """An entity erased while its effect is carried out: the effect has nothing to be marked on, and that is all."""
    engine = office.open()
    engine.send("courier:@a", Do(note="n", orders=(Post(text="letter"),)), effects=False)
    office.world.acts["letter"] = lambda: office.open().erase("courier:@a", WHY)
    office.pass_time(100)
    assert list(engine.work(once=True)) == []
    assert (office.rows(), office.world.heard) == ([], ["letter"])


def test_what_is_kept_for_lookup_goes(store_url: str) -> None:
    """`list --where` finds it no more."""
    with closing(Pachyderm(store_url, {"record": record})) as engine:
        engine.send("record:@a", record.Become(state=record.State(text=LIFE)))
        assert rows_with(store_url, LIFE) == [events.name, lookups.name]
        engine.erase("record:@a", WHY)
        assert list(engine.lookup("record").found) == []
        assert rows_with(store_url, LIFE) == []


def test_copies_are_named_and_stay(engine: Pachyderm, store_url: str) -> None:
    """A fork is an entity of its own, and is told of; so is a copy of a copy, also once that is erased."""
    engine.send("tally:@a", Add())
    copy = engine.fork("tally:@a").entity
    further = engine.fork(copy).entity
    assert engine.erase(copy, WHY).copies == (further,)
    assert engine.erase("tally:@a", WHY).copies == (further,)
    assert engine.state(further).count == 1
    assert list(engine.verify()) == []


def test_what_was_sent_to_it_says_nothing_any_more(office: Office, store_url: str) -> None:
    """Data on its way to it goes with it, and data that was brought to it from another network of the store."""
    here, there = office.open(), office.open(network="there")
    here.send("courier:@a", Do(note="there"))
    late = Pass(to="courier:@a", errand=Do(note=LIFE), refused=Do(note="undone"), after=60)
    here.send("courier:@b", Do(note="n", orders=(late,)))
    there.send("courier:@b", Do(note="n", orders=(Pass(to="courier:@a", errand=Do(note=LIFE)),)), effects=False)
    [brought] = [row["id"] for row in office.rows() if row["network"] == "there"]
    to = {"to_network": "default", "to_id": str(here.receiver("courier:@a").id)}
    office.change(brought, **to, status="done", ended_at=to_text(now()))
    assert rows_with(store_url, LIFE) == [outbox.name]
    here.erase("courier:@a", WHY)
    assert rows_with(store_url, LIFE) == []
    office.pass_time(100)
    assert "rejected" in [each.result.status for each in here.work(once=True)]
    assert log(here, "courier:@b") == ["n", "undone"]


def test_a_prefix_of_its_id_says_so_where_it_fits_several(engine: Pachyderm) -> None:
    """Among several entities that a prefix fits, the erased one is shown as such."""
    one, two = (f"tally:abcdabcd-0000-4000-8000-00000000000{digit}" for digit in "12")
    for each in (one, two):
        engine.send(each, Add())
    engine.erase(one, WHY)
    with pytest.raises(AmbiguousReference, match="erased"):
        engine.find("tally:abcd")


def test_a_snapshot_that_comes_too_late_is_not_kept(engine: Pachyderm, store: Store, store_url: str) -> None:
    """A process that folded it before the erasure, and keeps what came of it after that, leaves nothing behind."""
    engine.send("tally:@a", Add())
    taken = engine.snapshot("tally:@a")
    engine.erase("tally:@a", WHY)
    keep_snapshot(store, "default", taken)
    keep_lookup(store, "default", taken.entity, NewSnapshot(taken.version, taken.fingerprint, taken.state))
    with connected(store_url) as connection:
        for table in (snapshots, lookups):
            assert connection.execute(select(table)).all() == []


def test_it_races_with_writers(store_url: str) -> None:
    """Whoever writes at the same time is either before it, and erased too, or told so; nothing is written after it."""
    for number in range(8):
        name = f"tally:@{number}"
        with closing(tally_engine(store_url)) as engine:
            engine.send(name, Add())
            sent: list[int] = []

            def send(name: str = name, sent: list[int] = sent) -> None:
                with closing(tally_engine(store_url)) as other, suppress(Erased):
                    while True:
                        sent.append(other.send(name, Add()).version)

            writers = [threading.Thread(target=send) for _ in range(3)]
            for writer in writers:
                writer.start()
            while len(sent) < 5:
                pass
            erased = engine.erase(name, WHY)
            for writer in writers:
                writer.join(timeout=60)
            assert max(sent) == erased.last_version
            with connected(store_url) as connection:
                there = select(events.c.version).where(events.c.entity_id == str(erased.entity.id))
                assert list(connection.execute(there).scalars()) == [erased.last_version + 1]


@pytest.mark.parametrize("many", [False, True], ids=["little", "much"])
def test_its_bytes_are_gone_from_the_file(sqlite_url: str, tmp_path: Path, many: bool) -> None:  # noqa: FBT001 - how much
    """Neither SQLite's file nor the log beside it holds the secret any more, nor what its snapshots said before."""
    with Office(sqlite_url) as office:
        engine = office.open(snapshots_every=3)
        for number in range(200 if many else 4):
            orders = (Post(text=f"{LIFE} {number}"),) if number % 2 else ()
            engine.send("courier:@ada", Do(note=f"{LIFE} {number}" * 5, orders=orders))
            engine.send(f"courier:@{number % 7}", Do(note="other" * 50))
        assert LIFE.encode() in bytes_of(sqlite_url)
        engine.erase("courier:@ada", WHY)
        assert engine.scrub()
        assert LIFE.encode() not in bytes_of(sqlite_url)
        assert LIFE.encode() not in b"".join(each.read_bytes() for each in tmp_path.rglob("*") if each.is_file())


def bytes_of(sqlite_url: str) -> bytes:
    """Return all that the files of a store hold."""
    file = Path(str(make_url(sqlite_url).database))
    return b"".join(each.read_bytes() for each in file.parent.glob(f"{file.name}*"))
