"""Durable effects: written with their events or not at all, run right after the commit, and again until done."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from pachyderm_cli.domain.identifiers import effect_id
from pachyderm_cli.engine import relay
from pachyderm_cli.errors import EntityFailed, Rejected, VersionConflict
from pachyderm_cli.store.records import EffectStatus
from tests.support import courier
from tests.support.courier import Do, Post, Posted, Tell
from tests.support.office import LEASE, Office, raising
from tests.support.raw import row_counts


@pytest.fixture
def office(store_url: str) -> Iterator[Office]:
    """Return a store for couriers, on each database."""
    with Office(store_url) as opened:
        yield opened


def test_a_durable_effect_is_run_right_after_the_commit(office: Office) -> None:
    """It ran when the send answers, its attempt was counted, and the outbox says that it is done."""
    sent = office.open().send("courier:@a", Do(note="n", orders=(Post(text="hello"),)))
    assert office.world.heard == ["hello"]
    [result] = sent.effects
    assert (result.type, result.status, result.error, result.to) == ("Posted", EffectStatus.DONE, None, None)
    row = office.only()
    assert (row["id"], row["type"], row["data"]) == (str(result.id), "Posted", '{"text":"hello"}')
    assert (row["status"], row["attempts"], row["lease"], row["next_attempt_at"]) == ("done", 1, None, None)
    assert (row["version"], row["ordinal"], row["message_id"]) == (1, 0, str(sent.message_id))
    assert row["ended_at"] >= row["created_at"]


def test_it_is_committed_with_its_events_before_it_runs(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """When it runs, any other connection sees the events and the effect, with the attempt counted and leased."""
    seen = []

    def dispatch(effect: Posted, config: object) -> None:
        seen.append((row_counts(office.store_url)["events"], office.only()["attempts"], office.only()["lease"]))

    monkeypatch.setattr(Posted, "dispatch", dispatch)
    sent = office.open().send("courier:@a", Do(note="n", orders=(Post(text="hello"),)))
    assert seen == [(1, 1, str(sent.message_id))]


@pytest.mark.parametrize(
    ("message", "expect", "error"),
    [
        (Do(note="n", orders=(Post(text="t"),), answer="refuse"), None, Rejected),
        (Do(note="n", orders=(Post(text="t"),), answer="fail"), None, EntityFailed),
        (Do(note="n", orders=(Post(text="t"),)), 5, VersionConflict),
    ],
)
def test_what_did_not_commit_leaves_nothing_in_the_outbox(
    office: Office, message: Do, expect: int | None, error: type[Exception]
) -> None:
    """A message that is rejected, fails, or expects another version queues no effect and runs none."""
    engine = office.open()
    engine.send("courier:@a", Do(note="first"))
    with pytest.raises(error):
        engine.send("courier:@a", message, expect=expect)
    assert (office.rows(), office.world.heard) == ([], [])


def test_the_context_says_whose_effect_it_is_and_which_attempt(office: Office) -> None:
    """The id is the same at every attempt, and follows from the message; the attempts count from 1."""
    office.world.failing = {"t"}
    engine = office.open(network="there")
    message_id = uuid4()
    engine.send("courier:@a", Do(note="m"))
    sent = engine.send("courier:@a", Do(note="n", orders=(Tell(text="s"), Post(text="t"))), message_id=message_id)
    office.pass_time(3600, "there")
    list(engine.work(once=True))
    told, *posted = office.world.contexts
    assert [each.id for each in (told, *posted)] == [effect_id(message_id, at) for at in (0, 1, 1)]
    assert [each.attempt for each in (told, *posted)] == [1, 1, 2]
    assert {(each.entity, each.network, each.version) for each in (told, *posted)} == {(sent.entity, "there", 2)}


def test_one_that_failed_is_pending_and_says_why(office: Office) -> None:
    """The sender is told, the events stand, the others run, and the outbox keeps the error and when to try again."""
    office.world.failing = {"bad"}
    sent = office.open().send("courier:@a", Do(note="n", orders=(Post(text="bad"), Post(text="good"))))
    bad, good = sent.effects
    assert (bad.status, good.status) == (EffectStatus.PENDING, EffectStatus.DONE)
    assert bad.error is not None
    assert bad.error.startswith(f"RuntimeError: bad fails ({courier.__file__}:")
    assert sent.failed_effects == (bad,)
    row, _ = office.rows()
    assert (row["status"], row["attempts"], row["lease"], row["error"]) == ("pending", 1, None, bad.error)
    assert row["next_attempt_at"] > row["created_at"]


def test_a_worker_tries_it_again_when_its_time_has_come_and_not_before(office: Office) -> None:
    """Nothing is due until then; then it is run, and done."""
    office.world.failing = {"t"}
    engine = office.open()
    engine.send("courier:@a", Do(note="n", orders=(Post(text="t"),)))
    assert list(engine.work(once=True)) == []
    office.world.failing.clear()
    office.pass_time(2)
    [worked] = engine.work(once=True)
    assert (worked.result.status, worked.attempt, worked.entity) == ("done", 2, engine.find("courier:@a").entity)
    assert office.world.heard == ["t", "t"]
    assert (office.only()["status"], office.only()["error"]) == ("done", None)
    assert list(engine.work(once=True)) == []


def test_it_is_parked_after_its_last_attempt(office: Office) -> None:
    """With the last error and the fingerprint of the code; then no worker tries it any more."""
    office.world.failing = {"t"}
    engine = office.open()
    engine.send("courier:@a", Do(note="n", orders=(Post(text="t"),)))
    outcomes = []
    for _ in range(4):
        office.pass_time(7200)
        outcomes += [(each.attempt, str(each.result.status)) for each in engine.work(once=True)]
    assert outcomes == [(2, "pending"), (3, "parked")]
    assert office.world.heard == ["t"] * Posted.max_attempts
    row = office.only()
    assert (row["status"], row["attempts"], row["lease"], row["next_attempt_at"]) == ("parked", 3, None, None)
    assert row["error"].startswith("RuntimeError: t fails")
    assert row["fingerprint"] == engine.entity_type("courier").fingerprint


def test_it_waits_after_each_attempt_as_long_as_that_asks_for(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pause is chosen by the number of the attempt that failed, and kept by the database's clock."""
    asked: list[int] = []

    def pause_after(attempt: int) -> float:
        asked.append(attempt)
        return 1000.0 * attempt

    monkeypatch.setattr(relay, "pause_after", pause_after)
    office.world.failing = {"t"}
    engine = office.open()
    engine.send("courier:@a", Do(note="n", orders=(Post(text="t"),)))
    for seconds, attempts in ((900, 0), (101, 1), (1900, 0), (101, 1)):
        office.pass_time(seconds)
        assert len(list(engine.work(once=True))) == attempts
    assert asked == [1, 2]


def test_an_effect_whose_sender_died_before_it_ran_is_run_by_a_worker(office: Office) -> None:
    """It belongs to the dead process until its lease has run out; its attempt was counted."""
    office.world.acts["t"] = raising(KeyboardInterrupt())
    engine, other = office.open(), office.open()
    with pytest.raises(KeyboardInterrupt):
        engine.send("courier:@a", Do(note="n", orders=(Post(text="t"), Post(text="u"), Tell(text="once"))))
    assert engine.find("courier:@a").version == 1
    office.world.acts.clear()
    assert list(other.work(once=True)) == []
    office.pass_time(LEASE + 1)
    assert sorted((each.attempt, each.result.status) for each in other.work(once=True)) == [(2, "done")] * 2
    assert sorted(office.world.heard) == ["t", "t", "u"]


def test_one_that_ends_every_process_is_parked(office: Office) -> None:
    """The attempts are counted before they are made, so that it is not begun for ever."""
    office.world.acts["t"] = raising(KeyboardInterrupt())
    engine = office.open()
    with pytest.raises(KeyboardInterrupt):
        engine.send("courier:@a", Do(note="n", orders=(Post(text="t"),)))
    for _ in range(Posted.max_attempts - 1):
        office.end_leases()
        with pytest.raises(KeyboardInterrupt):
            list(office.open().work(once=True))
    office.end_leases()
    [worked] = engine.work(once=True)
    assert (worked.result.status, worked.result.error) == ("parked", "the process ended while it was tried, 3 times")
    assert office.world.heard == ["t"] * 3


def test_without_effects_all_of_it_is_left_to_a_worker(office: Office) -> None:
    """What is run at most once is discarded; the rest is due at once, not attempted, and nobody's."""
    engine = office.open()
    sent = engine.send("courier:@a", Do(note="n", orders=(Tell(text="s"), Post(text="t"))), effects=False)
    assert [(each.type, each.status) for each in sent.effects] == [("Told", "discarded"), ("Posted", "pending")]
    assert office.world.heard == []
    assert (office.only()["attempts"], office.only()["lease"]) == (0, None)
    [worked] = engine.work(once=True)
    assert (worked.attempt, worked.result.id, office.world.heard) == (1, sent.effects[1].id, ["t"])


def test_the_worker_s_engine_has_its_own_configuration(office: Office) -> None:
    """What one send added is that send's; a later attempt is made with the worker's configuration."""
    mine, given = Office(office.store_url).world, Office(office.store_url).world
    given.failing = {"t"}
    engine = office.open(config={"world": mine})
    engine.send("courier:@a", Do(note="n", orders=(Post(text="t"),)), config={"world": given})
    office.pass_time(2)
    list(engine.work(once=True))
    assert (given.heard, mine.heard) == (["t"], ["t"])


def test_a_repeated_message_runs_nothing_and_tells_what_became_of_the_effects(office: Office) -> None:
    """The first outcome comes back, with the effects in the outbox as they are by now."""
    office.world.failing = {"bad"}
    engine, message_id = office.open(), uuid4()
    message = Do(note="n", orders=(Tell(text="s"), Post(text="bad"), Post(text="good")))
    first = engine.send("courier:@a", message, message_id=message_id)
    heard = [*office.world.heard]
    for other in (engine, office.open()):
        again = other.send("courier:@a", message, message_id=message_id)
        assert (again.duplicate, again.version) == (True, 1)
        assert [(each.id, each.status) for each in again.effects] == [
            (first.effects[1].id, EffectStatus.PENDING),
            (first.effects[2].id, EffectStatus.DONE),
        ]
    assert office.world.heard == heard
    office.world.failing.clear()
    office.pass_time(2)
    list(engine.work(once=True))
    again = engine.send("courier:@a", message, message_id=message_id)
    assert [each.status for each in again.effects] == [EffectStatus.DONE] * 2
    assert len(office.rows()) == 2


def test_networks_do_not_see_one_another_s_effects(office: Office) -> None:
    """A worker carries out those of its own network alone, and no other lists them."""
    here, there = office.open(network="here"), office.open(network="there")
    message_id = uuid4()
    for engine in (here, there):
        engine.send("courier:@a", Do(note="n", orders=(Post(text="t"),)), message_id=message_id, effects=False)
    [worked] = here.work(once=True)
    assert [each.stored.id for each in there.effects()] == [worked.result.id]
    assert list(here.effects()) == []
    assert [each.result.id for each in there.work(once=True)] == [effect_id(message_id, 0)]


def test_effects_of_a_version_with_a_snapshot_are_kept_too(office: Office) -> None:
    """Events, snapshot and effects are one commit."""
    engine = office.open(snapshots_every=1)
    sent = engine.send("courier:@a", Do(note="n", orders=(Post(text="t"),)))
    assert [each.status for each in sent.effects] == [EffectStatus.DONE]
    assert row_counts(office.store_url) == {"entities": 1, "events": 1, "snapshots": 1}
    assert office.statuses() == [("Posted", "done")]


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "one\ntwo"])
def test_whatever_an_error_says_it_can_be_kept(office: Office, text: str) -> None:
    """A null character or a lone surrogate in an error's text does not hinder what is to be written of it."""
    office.world.acts["t"] = raising(RuntimeError(text))
    engine = office.open()
    engine.send("courier:@a", Do(note="n", orders=(Post(text="t"),)))
    row = office.only()
    assert (row["status"], row["attempts"], row["lease"]) == ("pending", 1, None)
    assert row["error"].startswith("RuntimeError: ")
    assert "\n" not in row["error"]


def test_an_error_that_cannot_say_anything_is_kept_by_its_kind(office: Office) -> None:
    """An exception whose own text fails is one effect's failure, and neither the sender's nor the worker's."""

    class MuteError(Exception):
        def __str__(self) -> str:
            raise ValueError("no text")

    office.world.acts = dict.fromkeys("st", raising(MuteError()))
    engine = office.open()
    sent = engine.send("courier:@a", Do(note="n", orders=(Tell(text="s"), Post(text="t"))))
    assert [str(each.error).partition(" ")[0] for each in sent.effects] == ["MuteError"] * 2
    office.pass_time(2)
    assert [each.result.status for each in engine.work(once=True)] == ["pending"]


def test_many_effects_of_one_message_run_in_order(office: Office) -> None:
    """Those at most once and those at least once, as `handle` named them."""
    orders = tuple((Post if at % 3 else Tell)(text=str(at)) for at in range(30))
    sent = office.open().send("courier:@a", Do(note="n", orders=orders))
    assert office.world.heard == [str(at) for at in range(30)]
    assert {each.status for each in sent.effects} == {EffectStatus.DONE}
    assert len({each.id for each in sent.effects}) == 30
    assert all(isinstance(each.id, UUID) for each in sent.effects)
