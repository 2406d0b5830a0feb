"""One send: what it answers, what it writes, and that it writes nothing where it raises."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from pachyderm_cli import Message, Pachyderm, PachydermError, Reference, Rejected
from pachyderm_cli.errors import (
    EntityFailed,
    InvalidMessage,
    InvalidReference,
    NotFound,
    UnknownEntityType,
    UnknownMessage,
    UsageError,
    VersionConflict,
)
from tests.contracts.conftest import OpenEngine
from tests.support import tally
from tests.support.clocks import START, STEP
from tests.support.raw import all_rows, row_counts
from tests.support.tally import Add, AddAll, Ask, Keep, Note, Refuse, Spoil

NOTHING = {"entities": 0, "events": 0, "snapshots": 0}


class Stranger(Message):
    """A message that no entity takes."""


def test_a_send_answers_with_version_state_and_events(engine: Pachyderm) -> None:
    """What comes back is the entity after the message, and the events that it led to."""
    sent = engine.send("tally:@a", AddAll(amounts=(2, 3)))
    assert sent.version == 2
    assert sent.state == tally.State(count=5)
    assert sent.state_json == '{"count":5,"kept":[]}'
    assert [(event.version, event.type, event.data) for event in sent.events] == [
        (1, "Added", '{"amount":2}'),
        (2, "Added", '{"amount":3}'),
    ]
    assert sent.network == "default"
    assert sent.entity.type == "tally"
    assert not sent.duplicate


def test_versions_have_no_gap(engine: Pachyderm) -> None:
    """An entity's versions are 1..n, whatever mixture of messages led to them."""
    for message in (Add(), AddAll(amounts=(1, 2, 3)), Ask(), Keep(value="x"), AddAll(amounts=()), Add()):
        engine.send("tally:@a", message)
    with pytest.raises(Rejected):
        engine.send("tally:@a", Refuse())
    engine.send("tally:@a", Add())
    assert [event.version for event in engine.history("tally:@a")] == [1, 2, 3, 4, 5, 6, 7]


def test_a_message_may_be_sent_by_name(engine: Pachyderm) -> None:
    """A name in any usual spelling, with a mapping or with JSON text, is the message of that class."""
    engine.send("tally:@a", "add-all", {"amounts": [1, 2]})
    engine.send("tally:@a", "AddAll", '{"amounts": [3]}')
    engine.send("tally:@a", "add")
    assert engine.state("tally:@a") == tally.State(count=7)


def test_a_message_and_data_exclude_one_another(engine: Pachyderm, store_url: str) -> None:
    """Data beside a message that has its own is a usage error, and nothing is written."""
    with pytest.raises(UsageError, match="data goes with the name"):
        engine.send("tally:@a", Add(), {"amount": 2})
    assert row_counts(store_url) == NOTHING


@pytest.mark.parametrize(
    ("reference", "message", "data", "error"),
    [
        ("nonsense", "add", {}, InvalidReference),
        ("tally:zz", "add", {}, InvalidReference),
        ("tallly:@a", "add", {}, UnknownEntityType),
        ("tally:@a", "subtract", {}, UnknownMessage),
        ("tally:@a", Stranger(), None, UnknownMessage),
        ("tally:@a", "add", {"amount": "many"}, InvalidMessage),
        ("tally:@a", "add", {"amuont": 1}, InvalidMessage),
        ("tally:@a", "add", "{", InvalidMessage),
        ("tally:@a", "add", "[]", InvalidMessage),
        ("tally:@a", "keep", {"value": "\ud800"}, InvalidMessage),
        ("tally:abcd", "add", {}, NotFound),
        ("7b1f8f0e-5a54-4c37-9d0e-6f1f9f3a2c11", "add", {}, NotFound),
    ],
)
def test_bad_input_is_refused_and_nothing_written(
    engine: Pachyderm,
    store_url: str,
    reference: str,
    message: Message | str,
    data: dict[str, Any] | str | None,
    error: type[PachydermError],
) -> None:
    """Whatever is wrong with reference, message or data has its own error, and leaves the store empty."""
    with pytest.raises(error):
        engine.send(reference, message, data)
    assert row_counts(store_url) == NOTHING


def test_new_is_another_entity_every_time(engine: Pachyderm) -> None:
    """`TYPE:new` makes a fresh entity with each send."""
    first, second = engine.send("tally:new", Add()), engine.send("tally:new", Add())
    assert first.entity != second.entity
    assert first.entity.id.version == second.entity.id.version == 4
    assert (first.version, second.version) == (1, 1)


def test_a_rejection_writes_nothing(engine: Pachyderm, store_url: str) -> None:
    """A message that `handle` rejects, even after an event, raises the reason and leaves every row as it was."""
    engine.send("tally:@a", Add())
    before = all_rows(store_url)
    with pytest.raises(Rejected) as caught:
        engine.send("tally:@a", Refuse(reason="closed on Mondays"))
    assert caught.value.reason == "closed on Mondays"
    assert all_rows(store_url) == before


def test_an_update_that_fails_writes_nothing(engine: Pachyderm, store_url: str) -> None:
    """Events are folded before they are committed: one that cannot be folded takes the others with it."""
    engine.send("tally:@a", Add())
    before = all_rows(store_url)
    with pytest.raises(EntityFailed, match=r"update\(Spoilt\) at version 3 failed") as caught:
        engine.send("tally:@a", Spoil())
    assert caught.value.details["file"] == tally.__file__
    assert all_rows(store_url) == before


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (math.nan, "Kept.value"),
        ([1, {"deep": [math.inf]}], "Kept.value[1].deep[0]"),
        ({"a": {1: "int key"}}, "Kept.value.a[1]"),
        ([0, (1, 2)], "Kept.value[1]"),
        ({3}, "Kept.value"),
    ],
)
def test_an_event_that_json_would_change_is_refused(
    engine: Pachyderm, store_url: str, value: object, path: str
) -> None:
    """A value that would not come back the same names its path, and nothing is written."""
    with pytest.raises(EntityFailed) as caught:
        engine.send("tally:@a", Keep(value=value))
    assert f"cannot be stored: {path} " in caught.value.message
    assert row_counts(store_url) == NOTHING


@pytest.mark.parametrize("value", ["\0 and \U0001f418", -0.0, 2**100, 1.5e-323, None, {"b": 1, "a": [True, 1, 1.0]}])
def test_what_json_keeps_is_kept_exactly(open_engine: OpenEngine, value: object) -> None:
    """U+0000, the sign of zero, big integers and the order of keys survive both databases."""
    open_engine().send("tally:@a", Keep(value=value))
    kept = open_engine().state("tally:@a").kept[0]
    assert repr(kept) == repr(value)


def test_a_message_that_leads_to_nothing_writes_nothing(engine: Pachyderm, store_url: str) -> None:
    """No events and no effects is a fine answer, and no entity comes of it."""
    sent = engine.send("tally:@a", Ask())
    assert (sent.version, sent.state, sent.events, sent.effects) == (0, tally.State(), (), ())
    assert row_counts(store_url) == NOTHING


def test_expect_is_the_version_the_message_is_handled_at(engine: Pachyderm) -> None:
    """With the version that the entity is at, 0 for a new one, the message is handled."""
    engine.send("tally:@a", Add(), expect=0)
    assert engine.send("tally:@a", Add(), expect=1).version == 2


@pytest.mark.parametrize("expect", [0, 1, 3, 7])
def test_another_version_than_expected_is_a_conflict(engine: Pachyderm, store_url: str, expect: int) -> None:
    """At any other version nothing is decided or written, and the error says which it is."""
    engine.send("tally:@a", AddAll(amounts=(1, 1)))
    before = all_rows(store_url)
    with pytest.raises(VersionConflict) as caught:
        engine.send("tally:@a", Add(), expect=expect)
    assert caught.value.details["version"] == 2
    assert caught.value.details["expected"] == expect
    assert all_rows(store_url) == before


def test_a_version_expected_of_an_empty_stream_is_a_conflict(engine: Pachyderm, store_url: str) -> None:
    """Expecting version 7 of an entity that is not there writes no event 8."""
    with pytest.raises(VersionConflict):
        engine.send("tally:@a", Add(), expect=7)
    assert row_counts(store_url) == NOTHING


def test_the_context_says_what_is_recorded(engine: Pachyderm) -> None:
    """`handle` sees the time, the message's id, the entity and the version that go with the event."""
    engine.send("tally:@a", AddAll(amounts=(1, 1)))
    message_id = uuid4()
    sent = engine.send("tally:@a", Note(), message_id=message_id)
    assert sent.message_id == message_id
    assert sent.state.kept == ([str(START + STEP), str(message_id), str(sent.entity), 2],)
    assert list(engine.history("tally:@a"))[-1].recorded_at == START + STEP


def test_an_event_records_where_it_came_from(engine: Pachyderm) -> None:
    """The message's name and id, the handling type, the cause and the time stand beside each event."""
    message_id, cause = uuid4(), uuid4()
    engine.send("tally:@a", AddAll(amounts=(1, 2)), message_id=message_id, caused_by=cause)
    first, second = engine.history("tally:@a")
    for recorded in (first, second):
        assert (recorded.message, recorded.message_id, recorded.caused_by) == ("AddAll", message_id, cause)
        assert recorded.entity.type == "tally"
        assert recorded.recorded_at == START
    assert second.position > first.position


def test_a_time_of_another_zone_is_recorded_in_utc(open_engine: OpenEngine) -> None:
    """The clock's moment is kept, whatever its offset."""
    moment = datetime(2026, 3, 29, 1, 30, 0, 5, tzinfo=UTC)
    zone = (moment + timedelta(0)).astimezone().tzinfo
    engine = open_engine(clock=lambda: moment.astimezone(zone))
    engine.send("tally:@a", Add())
    recorded = next(engine.history("tally:@a"))
    assert recorded.recorded_at == moment
    assert recorded.recorded_at.utcoffset() == timedelta(0)


def test_a_reference_may_be_a_value(engine: Pachyderm) -> None:
    """A Reference stands for the same entity as its text."""
    reference = Reference("tally", UUID("9d5c1f4e-3f3b-4f0a-8f0e-2b8f5f3a1c11"))
    engine.send(reference, Add())
    engine.send(str(reference), Add())
    engine.send("9d5c", Add())
    assert engine.state(reference) == tally.State(count=3)


def test_what_one_engine_wrote_another_reads(open_engine: OpenEngine) -> None:
    """Nothing of an entity lives in the engine: a second one, and the first reopened, see all of it."""
    first = open_engine()
    first.send("tally:@a", Add(amount=4))
    assert open_engine().state("tally:@a") == tally.State(count=4)
    first.close()
    assert first.state("tally:@a") == tally.State(count=4)
