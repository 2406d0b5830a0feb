"""Looking into the outbox and putting a hand to it: listing, showing, trying again, giving up; and timers."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from pachyderm_cli import Pachyderm
from pachyderm_cli.errors import AmbiguousReference, InvalidReference, NotFound, UsageError
from pachyderm_cli.store.records import EffectStatus, StoredEffect
from tests.support import courier
from tests.support.courier import Do, Order, Pass, Post, Posted, Remind
from tests.support.office import Office, log


@pytest.fixture
def office(store_url: str) -> Iterator[Office]:
    """Return a store for couriers, on each database."""
    with Office(store_url) as opened:
        yield opened


def texts(engine: Pachyderm, status: EffectStatus | str | None = None) -> list[str]:
    """Return the data of the effects that are listed."""
    return [each.stored.data for each in engine.effects(status)]


def leave(engine: Pachyderm, *orders: Order, to: str = "courier:@a") -> list[UUID]:
    """Leave effects to workers; return their ids."""
    sent = engine.send(to, Do(note="n", orders=orders), effects=False)
    return [each.id for each in sent.effects]


def park(office: Office, engine: Pachyderm, *names: str) -> list[UUID]:
    """Leave effects that fail until they are parked; return their ids."""
    office.world.failing |= set(names)
    found = leave(engine, *(Post(text=text) for text in names))
    for _ in range(Posted.max_attempts):
        list(engine.work(once=True))
        office.pass_time(7200)
    return found


def test_what_is_not_ended_is_listed_the_next_to_be_tried_first(office: Office) -> None:
    """What is parked comes last; what is ended is listed if its status is asked for."""
    engine = office.open()
    park(office, engine, "parked")
    engine.send("courier:@a", Do(note="n", orders=(Post(text="done"),)))
    leave(engine, Remind(name="t", errand=Do(note="later"), after=3600))
    leave(engine, Post(text="now"))
    assert ["now" in texts(engine)[0], "later" in texts(engine)[1], "parked" in texts(engine)[2]] == [True] * 3
    assert texts(engine, "done") == texts(engine, EffectStatus.DONE) == ['{"text":"done"}']
    assert texts(engine, "parked") == ['{"text":"parked"}']
    assert texts(engine, "rejected") == []
    assert len(texts(engine, "pending")) == 2


@pytest.mark.parametrize("status", ["failed", "", "DONE", "open"])
def test_what_is_no_status_is_refused(office: Office, status: str) -> None:
    """An effect at most once that failed is not in the outbox."""
    with pytest.raises(UsageError, match="is no status of an effect"):
        list(office.open().effects(status))


def test_an_effect_is_found_by_its_id_or_the_beginning_of_it(office: Office) -> None:
    """Four digits at least; whatever its status. Of several, all are named."""
    engine = office.open()
    [sent] = engine.send("courier:@a", Do(note="n", orders=(Post(text="t"),))).effects
    for written in (sent.id, str(sent.id), str(sent.id).upper(), str(sent.id)[:8], sent.id.hex[:13]):
        found = engine.effect(written)
        assert (found.stored.id, found.stored.status, found.unreadable) == (sent.id, "done", None)
    leave(engine, Post(text="other"))
    for at, row in enumerate(office.rows()):
        office.change(row["id"], id=f"5d0fb0a7-62a4-4cf5-8d29-00000000000{at}")
    with pytest.raises(AmbiguousReference) as caught:
        engine.effect("5d0fb0a7")
    assert len(caught.value.details["candidates"]) == 2
    assert engine.effect("5d0fb0a7-62a4-4cf5-8d29-000000000001").stored.data == '{"text":"other"}'


def test_an_effect_that_is_not_there_is_not_found(office: Office) -> None:
    """In a store that is not there, in another network, or of a message; and what is no id is told so."""
    engine, there = office.open(), office.open(network="there")
    with pytest.raises(NotFound):
        engine.effect(uuid4())
    [identifier] = leave(engine, Post(text="t"))
    for wrong in (str(uuid4()), "00000000"):
        with pytest.raises(NotFound, match="there is no effect"):
            engine.effect(wrong)
    with pytest.raises(NotFound):
        there.effect(identifier)
    for wrong in ("", "abc", "courier:@a", "@a", "new", "no hex at all"):
        with pytest.raises(InvalidReference, match="is no effect's id"):
            engine.effect(wrong)


def test_a_parked_effect_that_is_tried_again_has_all_its_attempts(office: Office) -> None:
    """It is due at once; a worker runs it, and it is done or parked anew."""
    engine = office.open()
    [identifier] = park(office, engine, "t")
    assert engine.effect(identifier).stored.status == "parked"
    again = engine.retry_effect(str(identifier)[:10])
    assert (again.status, again.attempts, again.next_attempt_at is None) == ("pending", 0, False)
    assert str(again.error).startswith("RuntimeError: t fails")
    assert [(each.attempt, str(each.result.status)) for each in engine.work(once=True)] == [(1, "pending")]
    office.world.failing.clear()
    engine.retry_effect(identifier)
    assert [(each.attempt, str(each.result.status)) for each in engine.work(once=True)] == [(1, "done")]


def test_what_has_not_failed_cannot_be_tried_again(office: Office) -> None:
    """What is ended, what was not tried yet, and what is being tried; each is told apart."""
    engine = office.open()
    done, waiting, held = leave(
        engine, Post(text="t"), Remind(name="t", errand=Do(note="m"), after=3600), Post(text="u")
    )
    list(engine.work(once=True))
    office.change(
        str(held), status="pending", attempts=1, lease=str(uuid4()), next_attempt_at="2100-01-01T00:00:00.000000Z"
    )
    for identifier, said in ((done, "is done"), (waiting, "was not tried yet"), (held, "is being tried now")):
        with pytest.raises(UsageError, match=said):
            engine.retry_effect(identifier)


def test_all_that_is_parked_can_be_tried_again(office: Office) -> None:
    """And nothing else."""
    engine = office.open()
    parked = park(office, engine, "t", "u")
    leave(engine, Remind(name="t", errand=Do(note="m"), after=86400))
    office.world.failing.clear()
    again = list(engine.retry_effects())
    assert ({each.id for each in again}, {str(each.status) for each in again}) == (set(parked), {"pending"})
    assert list(engine.retry_effects()) == []
    assert sorted(each.result.id for each in engine.work(once=True)) == sorted(parked)


@pytest.mark.parametrize("kind", ["pending", "parked", "timer", "message"])
def test_whatever_is_not_ended_can_be_given_up(office: Office, kind: str) -> None:
    """It is kept, with the reason, and no worker tries it."""
    engine = office.open()
    identifier = {
        "pending": lambda: leave(engine, Post(text="t"))[0],
        "parked": lambda: park(office, engine, "t")[0],
        "timer": lambda: leave(engine, Remind(name="t", errand=Do(note="m"), after=0))[0],
        "message": lambda: leave(engine, Pass(to="courier:@b", errand=Do(note="m")))[0],
    }[kind]()
    heard = len(office.world.heard)
    given_up = engine.discard_effect(identifier, "not wanted any more")
    assert (given_up.status, given_up.error) == ("discarded", "not wanted any more")
    assert given_up.ended_at is not None
    assert list(engine.work(once=True)) == []
    assert (len(office.world.heard), len(list(engine.entities()))) == (heard, 1)
    with pytest.raises(UsageError, match="is discarded: there is nothing to discard"):
        engine.discard_effect(identifier, "again")
    with pytest.raises(UsageError, match="is discarded"):
        engine.retry_effect(identifier)


@pytest.mark.parametrize("why", ["", "  ", "\n"])
def test_giving_up_wants_a_reason(office: Office, why: str) -> None:
    """Who looks at it later is to know."""
    engine = office.open()
    [identifier] = leave(engine, Post(text="t"))
    with pytest.raises(UsageError, match="say why"):
        engine.discard_effect(identifier, why)
    assert office.only()["status"] == "pending"


def test_what_no_code_here_can_carry_out_is_listed_as_such(office: Office) -> None:
    """As long as it is not ended; it can be given up by hand all the same."""
    engine = office.open(modules={"courier": courier})
    [here, elsewhere] = leave(engine, Post(text="t"), Pass(to="porter:@b", errand=Do(note="m")))
    shown = {each.stored.id: each.unreadable for each in engine.effects()}
    assert shown[here] is None
    assert "there is no entity type 'porter'" in str(shown[elsewhere])
    engine.discard_effect(elsewhere, "there will be no porter")
    assert [each.unreadable for each in engine.effects("discarded")] == [None]


def test_timers_are_listed_for_all_or_for_one_entity(office: Office) -> None:
    """Those not ended, by when they are due; messages with a time are among them, without a name."""
    engine = office.open()
    leave(
        engine, Remind(name="t", errand=Do(note="m"), after=200), Pass(to="courier:@b", errand=Do(note="m"), after=50)
    )
    leave(engine, Remind(name="u", errand=Do(note="m"), after=100), Post(text="no timer"), to="courier:@b")
    assert [each.timer for each in engine.timers()] == ["", "u", "t"]
    assert [each.timer for each in engine.timers("courier:@a")] == ["", "t"]
    assert [each.timer for each in engine.timers("courier:@b")] == ["u"]
    with pytest.raises(NotFound):
        engine.timers("courier:@nobody")
    inspected = engine.inspect("courier:@b")
    assert ([each.type for each in inspected.effects], [each.timer for each in inspected.timers]) == (["Posted"], ["u"])


def test_a_timer_is_found_by_its_name(office: Office) -> None:
    """Of the entity's own; one that is not there is told with those that are."""
    engine = office.open()
    leave(
        engine, Remind(name="tick", errand=Do(note="m"), after=200), Pass(to="courier:@b", errand=Do(note="m"), after=9)
    )
    found = engine.timer("courier:@a", "tick")
    assert isinstance(found, StoredEffect)
    assert (found.timer, found.to) == ("tick", engine.find("courier:@a").entity)
    for name in ("tock", ""):
        with pytest.raises(NotFound, match="tick"):
            engine.timer("courier:@a", name)
    engine.discard_effect(found.id, "cancelled")
    with pytest.raises(NotFound):
        engine.timer("courier:@a", "tick")
    office.pass_time(300)
    list(engine.work(once=True))
    assert log(engine, "courier:@a") == ["n"]


def test_when_something_is_due_is_told(office: Office) -> None:
    """In seconds, none of them negative; None where nothing waits."""
    engine = office.open()
    assert engine.next_due() is None
    leave(engine, Remind(name="t", errand=Do(note="m"), after=3600))
    assert engine.next_due() == pytest.approx(3600, abs=60)
    leave(engine, Post(text="t"))
    assert engine.next_due() == 0
