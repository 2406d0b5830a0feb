"""Verifying: a sound store has no findings, and whatever is wrong in one is found, by the name of the check."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Executable, and_, delete, insert, select, update

from pachyderm_cli import Pachyderm
from pachyderm_cli.domain.reference import named_id
from pachyderm_cli.engine import verifying
from pachyderm_cli.engine.verifying import Verified
from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.records import ERASED
from pachyderm_cli.store.schema import cursors, entities, events, forks, lookups, outbox, snapshots
from tests.support import courier, record, tally
from tests.support.courier import Do, Pass
from tests.support.raw import all_rows, connected, execute
from tests.support.record import Become, State
from tests.support.tally import Add, AddAll

NETWORK = "default"
MOMENT = "2026-01-31T10:00:00.000000Z"
NOBODY = str(UUID(int=1))
T, R, F = (str(named_id(NETWORK, *name)) for name in (("tally", "t"), ("record", "r"), ("tally", "f")))

of_t = events.c.entity_id == T
head_of_t = entities.c.id == T
head_of_f = entities.c.id == F
NO_RECEIVER = dict.fromkeys(("to_type", "to_id", "message", "on_rejected"))


def version(number: int) -> Any:
    """Return what picks an event of the tally's by its version."""
    return and_(of_t, events.c.version == number)


def opened(store_url: str, **options: Any) -> Pachyderm:
    """Return an engine for tallies, and for records, which are kept for lookup."""
    return Pachyderm(store_url, {"tally": tally, "record": record}, **options)


@pytest.fixture
def engine(store_url: str) -> Iterator[Pachyderm]:
    """Return an engine on a store with a row in every table that is verified."""
    with furnished(store_url) as engine:
        yield engine


@contextmanager
def furnished(store_url: str) -> Iterator[Pachyderm]:
    """Give an engine on such a store."""
    with opened(store_url) as engine:
        engine.send("tally:@t", AddAll(amounts=(1, 2, 3)))
        engine.send("tally:@t", Add())
        engine.snapshot("tally:@t")
        engine.send("record:@r", Become(state=State(count=1), forward="record:@s"), effects=False)
        engine.fork("tally:@t", to_version=2, to="tally:@f")
        row = {"network": NETWORK, "name": "mailer", "position": 7, "created_at": MOMENT, "updated_at": MOMENT}
        execute(store_url, insert(cursors).values(row))
        yield engine


def test_a_sound_store_has_no_findings(engine: Pachyderm, store_url: str) -> None:
    """Nothing is found, nothing is changed, and what was read is counted."""
    before = all_rows(store_url)
    read = []
    verification = engine.verify(progress=lambda done, total: read.append((done, total)))
    assert list(verification) == []
    assert verification.summary == Verified(
        networks=1, entities=3, events=7, snapshots=1, lookups=1, effects=1, forks=1, cursors=1, folded=3, compared=2
    )
    assert all_rows(store_url) == before


CORRUPTIONS: list[tuple[str, str, Executable]] = [
    ("version", "version 2 is missing", delete(events).where(version(2))),
    ("version", "version 1 is missing", delete(events).where(version(1))),
    ("head", "its events end at version 3", delete(events).where(version(4))),
    ("head", "its events end at version 4", update(entities).where(head_of_t).values(version=9)),
    ("head", "handled it last", update(entities).where(head_of_t).values(type="record")),
    ("head", "no such entity", delete(entities).where(head_of_t)),
    ("head", "has no events", delete(events).where(of_t)),
    ("position", "does not come after", update(events).where(version(1)).values(position=1000)),
    ("ordinal", "number 7 of the message", update(events).where(version(3)).values(ordinal=7)),
    ("ordinal", "number 1 is due", update(events).where(version(2)).values(ordinal=5)),
    ("json", "data of the event", update(events).where(version(2)).values(data='{"amount":')),
    ("json", "state of the snapshot", update(snapshots).values(state="{")),
    ("json", "the state of the lookup", update(lookups).values(state="nothing")),
    ("json", "data of the effect", update(outbox).values(data="")),
    ("json", "the on_rejected of the effect", update(outbox).values(on_rejected="{]")),
    ("fold", "takes no such event", update(events).where(version(2)).values(type="Multiplied")),
    ("fold", "no longer fits", update(events).where(version(2)).values(data='{"amount":"x"}')),
    ("fold", "newer code wrote it", update(events).where(version(2)).values(type_version=3)),
    ("snapshot", "differs from the snapshot", update(events).where(version(2)).values(data='{"amount":5}')),
    ("snapshot", "differs from the snapshot", update(snapshots).values(state='{"count":8,"kept":[]}')),
    ("snapshot", "the entity is at 4", update(snapshots).values(version=5)),
    ("snapshot", "no such entity", update(snapshots).values(entity_id=NOBODY)),
    ("lookup", "differs from the lookup", update(lookups).values(state='{"count":2}')),
    ("lookup", "the entity is at 1", update(lookups).values(version=0)),
    ("lookup", "no such entity", update(lookups).values(entity_id=NOBODY)),
    ("time", "recorded_at", update(events).where(version(2)).values(recorded_at="yesterday")),
    ("time", "created_at", update(entities).where(head_of_t).values(created_at="2026-01-31")),
    ("time", "taken_at", update(snapshots).values(taken_at="2026-13-31T10:00:00.000000Z")),
    ("time", "due_at", update(outbox).values(due_at="2026-01-31T10:00:00Z")),
    ("time", "forked_at", update(forks).values(forked_at="")),
    ("time", "updated_at", update(cursors).values(updated_at="now")),
    ("time", "due_at", update(outbox).values(due_at="2026-99-99T10:00:00.000000Z")),
    ("event", "entity_type", update(events).where(version(2)).values(entity_type="../x y")),
    ("event", "type_version", update(events).where(version(2)).values(type_version=0)),
    ("event", "position", update(events).where(version(4)).values(position=2**63 - 1)),
    ("json", "NaN is not JSON", update(events).where(version(2)).values(data='{"amount":NaN}')),
    ("json", "-Infinity is not JSON", update(snapshots).values(state='{"count":-Infinity,"kept":[]}')),
    ("head", "beyond the last event's", update(entities).where(head_of_t).values(position=9999)),
    ("head", "said to be created at", update(entities).where(head_of_t).values(created_at=MOMENT)),
    ("head", "said to be last written at", update(entities).where(head_of_t).values(updated_at=MOMENT)),
    ("head", "said to be created at", update(entities).where(head_of_f).values(created_at=MOMENT)),
    ("head", "said to be last written at", update(entities).where(head_of_f).values(updated_at=MOMENT)),
    ("outbox", "not said when it is to be tried", update(outbox).values(next_attempt_at=None)),
    ("outbox", "has no to_id", update(outbox).values(to_id=None)),
    ("outbox", "has no message", update(outbox).values(message=None)),
    ("outbox", "sends no message, and has on_rejected", update(outbox).values({**NO_RECEIVER, "on_rejected": "{}"})),
    ("outbox", "of a record is to be carried out by nope", update(outbox).values({**NO_RECEIVER, "handler": "nope"})),
    ("outbox", "to a record, and is to be carried out by nope", update(outbox).values(handler="nope")),
    ("outbox", "which is no message", update(outbox).values(on_rejected="null")),
    ("outbox", "attempts", update(outbox).values(attempts=-5)),
    ("outbox", "to_network", update(outbox).values(to_network="")),
    ("outbox", "'failed', which is no status", update(outbox).values(status="failed", ended_at=MOMENT)),
    ("fork", "and 2 were", update(forks).values(from_version=1)),
    ("fork", "copy of itself", update(forks).values(from_id=F)),
    ("fork", "from_type", update(forks).values(from_type="")),
    ("cursor", "not said until when", update(cursors).values(lease=NOBODY)),
    ("cursor", "nobody has it", update(cursors).values(lease_until=MOMENT)),
    ("outbox", "no such entity", update(outbox).values(entity_id=NOBODY)),
    ("outbox", "the entity is at 1", update(outbox).values(version=2)),
    ("outbox", "led to no event", update(outbox).values(message_id=NOBODY)),
    ("outbox", "'lost', which is no status", update(outbox).values(status="lost")),
    ("outbox", "ended never", update(outbox).values(status="done")),
    ("outbox", "ended at", update(outbox).values(ended_at=MOMENT)),
    ("outbox", "has claimed it", update(outbox).values(status="done", ended_at=MOMENT, lease=NOBODY)),
    ("fork", "is not there", update(forks).values(entity_id=NOBODY)),
    ("fork", "and 2 were", update(forks).values(from_version=3)),
    ("cursor", "the log ends at 7", update(cursors).values(position=8)),
]


@pytest.mark.parametrize(("check", "told", "statement"), CORRUPTIONS, ids=[f"{c}: {t}" for c, t, _ in CORRUPTIONS])
def test_what_was_changed_by_hand_is_found(
    engine: Pachyderm, store_url: str, check: str, told: str, statement: Executable
) -> None:
    """Each change of a row that breaks a rule is a finding of the check that is for it."""
    execute(store_url, statement)
    verification = engine.verify()
    found = list(verification)
    assert any(each.check == check and told in each.problem for each in found), found
    assert verification.summary.findings == len(found)
    assert NETWORK in {each.network for each in found} <= {NETWORK, None}


@pytest.mark.parametrize(
    ("check", "statement"),
    [
        ("event", update(events).where(version(2)).values(message_id="hello")),
        ("event", update(events).where(of_t).values(caused_by="HELLO")),
        ("event", update(events).where(version(2)).values(version=1.5)),
        ("outbox", update(outbox).values(id="hello")),
        ("snapshot", update(snapshots).values(entity_id=T.upper())),
        ("cursor", update(cursors).values(lease="me", lease_until=MOMENT)),
    ],
)
def test_what_only_sqlite_would_take_is_found(sqlite_url: str, check: str, statement: Executable) -> None:
    """An id that is none, and a number that is none, are found; Postgres refuses them itself."""
    with furnished(sqlite_url) as engine:
        execute(sqlite_url, statement)
        assert any(each.check == check and "which is no " in each.problem for each in engine.verify())


@pytest.mark.parametrize(
    ("told", "data"),
    [
        ("not up to which version and why", "[]"),
        ("not up to which version and why", '{"last_version":3}'),
        ("not up to which version and why", '{"why":"asked","last_version":"3"}'),
        ("erased at version 77", '{"why":"asked","last_version":77}'),
    ],
)
def test_what_an_erasure_left_says_what_is_told_of_it(engine: Pachyderm, store_url: str, told: str, data: str) -> None:
    """The row that stays has to say up to which version the entity was erased, and why: whoever asks is told that."""
    engine.erase("tally:@t", "asked")
    execute(store_url, update(events).where(events.c.type == ERASED).values(data=data))
    [found] = engine.verify()
    assert (found.check, found.entity) == ("erased", (ERASED, T))
    assert told in found.problem


def test_numbers_that_are_none_are_found_without_code(engine: Pachyderm, store_url: str) -> None:
    """NaN in an event is found though nothing here could fold it; a number of ten thousand digits is JSON."""
    execute(store_url, update(events).where(version(1)).values(data='{"amount":%s}' % ("1" * 10_000)))
    execute(store_url, update(events).where(version(2)).values(data='{"amount":Infinity}'))
    with Pachyderm(store_url, {"record": record}) as other:
        assert [(each.check, each.version) for each in other.verify()] == [("json", 2)]


def test_an_effect_of_another_version_than_its_message_is_found(engine: Pachyderm, store_url: str) -> None:
    """An effect bears the version that the entity had after its message."""
    engine.send("record:@r", Become(state=State(count=2)))
    execute(store_url, update(outbox).values(version=2))
    [found] = engine.verify()
    assert (found.check, "its message led to version 1" in found.problem) == ("outbox", True)


def test_a_message_that_two_entities_have_is_found(engine: Pachyderm, store_url: str) -> None:
    """A message id that led to events of two entities is found at the second of them."""
    mine = select(events.c.message_id).where(version(4)).scalar_subquery()
    execute(store_url, update(events).where(events.c.entity_id == R).values(message_id=mine, ordinal=1))
    [found] = [each for each in engine.verify() if each.check == "message"]
    assert (found.entity, found.version) == (("record", R), 1)


def erase(store_url: str, *, whole: bool = True) -> None:
    """Leave of the tally what an erasure leaves, or forget the snapshot where that is not to be the `whole` of it."""
    with connected(store_url) as connection:
        connection.execute(delete(events).where(of_t, events.c.version < 4))
        moment = {"created_at": MOMENT, "updated_at": MOMENT}
        tombstone = {
            "recorded_at": MOMENT,
            "ordinal": 0,
            "type": ERASED,
            "data": '{"last_version":3,"why":"asked"}',
            "message_id": str(uuid4()),
            "message": ERASED,
        }
        connection.execute(update(events).where(of_t).values(tombstone))
        connection.execute(update(entities).where(head_of_t).values(type=ERASED, **moment))
        if whole:
            connection.execute(delete(snapshots))


def test_an_erased_entity_is_sound(engine: Pachyderm, store_url: str) -> None:
    """The one row that an erasure leaves, at the head's version, is a whole history."""
    erase(store_url)
    assert list(engine.verify()) == []


def test_what_the_engine_erases_is_sound(engine: Pachyderm) -> None:
    """After `erase` nothing is found, neither of what was erased nor of the copy that was made of it."""
    engine.erase("tally:@t", "asked to")
    engine.erase("record:@r", "asked to")
    verification = engine.verify()
    assert list(verification) == []
    assert (verification.summary.entities, verification.summary.events) == (3, 4)


def test_what_comes_back_of_a_rejection_is_sound(store_url: str) -> None:
    """A message that led to no event, since it was rejected, may still have sent something back."""
    back = Do(note="back")
    order = Pass(to="courier:@b", errand=Do(note="refused", answer="refuse"), refused=back)
    with Pachyderm(store_url, {"courier": courier}) as engine:
        sent = engine.send("courier:@a", Do(note="first", orders=(order,)))
        assert [each.status for each in sent.effects] == ["rejected"]
        assert engine.inspect("courier:@a").version == 2
        verification = engine.verify()
        assert list(verification) == []
        assert verification.summary.effects == 2


@pytest.mark.parametrize(
    ("told", "statement"),
    [
        ("head says that the entity was erased", update(events).where(of_t).values(type="Added")),
        ("its head says not so", update(entities).where(head_of_t).values(type="tally")),
        ("not the only row", update(events).where(events.c.entity_id == F).values(entity_id=T)),
    ],
)
def test_an_erasure_that_is_not_whole_is_found(
    engine: Pachyderm, store_url: str, told: str, statement: Executable
) -> None:
    """Where head and events do not agree that the entity was erased, that is found."""
    erase(store_url)
    execute(store_url, statement)
    assert any(each.check == "erased" and told in each.problem for each in engine.verify())


def test_what_an_erasure_forgot_is_found(engine: Pachyderm, store_url: str) -> None:
    """Snapshots, kept states and effects of an erased entity are found; so is a tombstone that is no JSON."""
    erase(store_url, whole=False)
    execute(store_url, update(lookups).values(entity_id=T))
    execute(store_url, update(outbox).values(entity_id=T))
    execute(store_url, update(events).where(of_t).values(data="gone"))
    left = [each.problem for each in engine.verify() if each.check == "erased"]
    assert len(left) == 3
    assert all("this is left of it" in problem for problem in left)
    assert [each.entity for each in engine.verify() if each.check == "json"] == [(ERASED, T)]


def test_other_codes_snapshots_are_skipped(engine: Pachyderm, store_url: str) -> None:
    """What code of another fingerprint kept is not held against the fold, and is counted."""
    execute(store_url, update(snapshots).values(fingerprint="other", state='{"count":8}'))
    execute(store_url, update(lookups).values(fingerprint="other", state='{"count":8}'))
    verification = engine.verify()
    assert list(verification) == []
    assert (verification.summary.compared, verification.summary.skipped) == (0, 2)


def test_types_without_code_are_verified_but_for_the_fold(engine: Pachyderm, store_url: str) -> None:
    """Without an entity's module its rows are verified all the same, and the summary says what was not folded."""
    execute(store_url, update(events).where(version(2)).values(data='{"amount":5}'))
    with Pachyderm(store_url, {"record": record}) as other:
        verification = other.verify()
        assert list(verification) == []
        assert (list(verification.summary.not_loaded), verification.summary.folded) == (["tally"], 1)
        execute(store_url, delete(events).where(version(1)))
        assert {each.check for each in other.verify()} == {"version"}


def test_one_type_is_verified_alone(engine: Pachyderm, store_url: str) -> None:
    """Of one type only its entities are read, and what belongs to them."""
    execute(store_url, update(events).where(version(2)).values(data="{"))
    execute(store_url, update(outbox).values(version=2))
    assert {each.check for each in engine.verify("tally")} == {"json"}
    verification = engine.verify("record")
    assert {each.check for each in verification} == {"outbox"}
    assert (verification.summary.entities, verification.summary.events, verification.summary.cursors) == (1, 1, 0)


def test_other_networks_are_verified_when_asked(engine: Pachyderm, store_url: str) -> None:
    """A finding in another network is one of all networks, and none of this one."""
    with opened(store_url, network="other") as other:
        other.send("tally:@t", Add())
    execute(store_url, update(entities).where(entities.c.network == "other").values(version=2))
    assert list(engine.verify()) == []
    verification = engine.verify(all_networks=True)
    assert [(each.network, each.check) for each in verification] == [("other", "head")]
    assert verification.summary.networks == 2


def test_what_is_committed_meanwhile_is_no_finding(
    engine: Pachyderm, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All is read as it was at one moment, whatever is sent while it is read."""
    monkeypatch.setattr(verifying, "PAGE", 1)
    with opened(store_url) as writer:

        def write(_done: int, _total: int) -> None:
            writer.send("tally:@t", Add())
            writer.send("record:@r", Become(state=State(count=2)))
            writer.snapshot("tally:@t")

        verification = engine.verify(progress=write)
        assert list(verification) == []
        assert verification.summary.events == 7
        assert writer.inspect("tally:@t").version == 4 + 7
    assert list(engine.verify()) == []


def test_many_findings_of_one_entity_are_counted(engine: Pachyderm, store_url: str) -> None:
    """Of an entity that is wrong throughout, a hundred findings are told, and how many more there are."""
    engine.send("tally:@long", AddAll(amounts=tuple(range(150))))
    execute(store_url, update(events).where(events.c.version > 20).values(recorded_at=""))
    found = list(engine.verify())
    assert [each.check for each in found] == ["time"] * 100 + ["more"]
    assert found[-1].problem.startswith("30 more")


def test_a_long_history_is_folded_in_pages(engine: Pachyderm, store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever pages end, snapshots are held against the state at their version."""
    monkeypatch.setattr(verifying, "PAGE", 2)
    engine.send("tally:@t", Add())
    engine.snapshot("tally:@t")
    verification = engine.verify()
    assert list(verification) == []
    assert verification.summary.compared == 3
    execute(store_url, update(events).where(version(1)).values(data='{"amount":7}'))
    assert [(each.check, each.version) for each in engine.verify()] == [("snapshot", 4), ("snapshot", 5)]


def test_a_store_that_is_not_there_cannot_be_verified(store_url: str) -> None:
    """A store that nobody made is an error, and none is made."""
    with opened(store_url) as engine:
        for _ in range(2):
            with pytest.raises(StoreError, match="there is no store"):
                list(engine.verify())
