"""A message that its receiver rejects: an outcome, recorded and not tried again, and what comes back to the sender."""

from collections.abc import Iterator
from typing import Any

import pytest

from pachyderm_cli import Rejected
from pachyderm_cli.domain.identifiers import back_id
from pachyderm_cli.engine.draining import Drain
from pachyderm_cli.store import outbox
from tests.support import courier
from tests.support.courier import Do, Order, Pass, Post, Remind, Tell
from tests.support.office import Office, log, raising


@pytest.fixture
def office(store_url: str) -> Iterator[Office]:
    """Return a store for couriers, on each database."""
    with Office(store_url) as opened:
        yield opened


NO = Do(note="not mine", answer="refuse")
BACK = Do(note="back again")


def passing(refused: Do | None = BACK, to: str = "courier:@b", after: float | None = None) -> Do:
    """Return an errand to send what will be rejected."""
    return Do(note="pass", orders=(Pass(to=to, errand=NO, refused=refused, after=after),))


def there_and_back(office: Office) -> list[dict[str, Any]]:
    """Return the rows of the message that was to be rejected and, if it is there, of what goes back."""
    return sorted(office.rows(), key=lambda row: row["on_rejected"] is None)


def test_it_is_recorded_and_not_tried_again(office: Office) -> None:
    """With the reason, for the sender and in the outbox; no effect has failed, and the receiver has no event."""
    engine = office.open()
    sent = engine.send("courier:@a", passing(refused=None))
    [result] = sent.effects
    assert (result.status, result.error, result.has_failed) == ("rejected", "not mine", False)
    sent.require_effects()
    row = office.only()
    assert (row["status"], row["error"], row["attempts"], row["next_attempt_at"]) == ("rejected", "not mine", 1, None)
    office.end_leases()
    assert list(engine.work(once=True)) == []
    assert [head.entity for head in engine.entities()] == [sent.entity]


@pytest.mark.parametrize("by", ["send", "worker"])
def test_what_is_to_come_back_comes_back(office: Office, by: str) -> None:
    """To the sender, caused by the message that was rejected, which in turn names the one that sent it."""
    engine = office.open()
    sent = engine.send("courier:@a", passing(), effects=by == "send")
    if by == "worker":
        assert [str(each.result.status) for each in engine.work(once=True)] == ["rejected", "done"]
    assert log(engine, "courier:@a") == ["pass", "back again"]
    _, back = engine.history("courier:@a")
    rejected, returned = there_and_back(office)
    assert (str(back.caused_by), back.message_id) == (rejected["id"], back_id(sent.effects[0].id))
    assert (returned["id"], returned["message_id"]) == (str(back.message_id), rejected["id"])
    assert (returned["entity_id"], returned["to_id"]) == (str(sent.entity.id), str(sent.entity.id))
    assert (returned["status"], returned["attempts"]) == ("done", 1)


def test_what_comes_back_may_lead_to_more(office: Office) -> None:
    """Its effects run, and its messages are delivered, before the send answers."""
    orders: tuple[Order, ...] = (Tell(text="t"), Post(text="p"), Pass(to="courier:@c", errand=Do(note="then")))
    engine = office.open()
    engine.send("courier:@a", passing(Do(note="back", orders=orders)))
    assert (log(engine, "courier:@a"), log(engine, "courier:@c")) == (["pass", "back"], ["then"])
    assert office.world.heard == ["t", "p"]


def test_what_comes_back_may_be_rejected_too(office: Office) -> None:
    """That is recorded, and nothing more comes of it."""
    engine = office.open()
    engine.send("courier:@a", passing(Do(note="neither", answer="refuse")))
    assert [(row["status"], row["error"]) for row in there_and_back(office)] == [
        ("rejected", "not mine"),
        ("rejected", "neither"),
    ]
    assert list(engine.work(once=True)) == []


def test_what_comes_back_counts_as_a_delivery(office: Office) -> None:
    """Where the bound is reached it is left to a worker, as any other message."""
    engine = office.open(deliveries=1)
    assert engine.send("courier:@a", passing()).left == 1
    assert log(engine, "courier:@a") == ["pass"]
    assert [row["status"] for row in there_and_back(office)] == ["rejected", "pending"]
    assert [each.attempt for each in engine.work(once=True)] == [1]
    assert log(engine, "courier:@a") == ["pass", "back again"]


def test_a_process_that_ends_after_the_rejection_leaves_the_way_back_to_a_worker(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rejection and what comes back are one commit."""
    engine = office.open()
    carry_out = Drain._carry_out

    def dying(drain: Drain, waiting: object, *arguments: object) -> object:
        if there_and_back(office)[0]["status"] == "rejected":
            raise KeyboardInterrupt
        return carry_out(drain, waiting, *arguments)  # type: ignore[arg-type]  # as they came

    with monkeypatch.context() as patched:
        patched.setattr(Drain, "_carry_out", dying)
        with pytest.raises(KeyboardInterrupt):
            engine.send("courier:@a", passing())
    assert log(engine, "courier:@a") == ["pass"]
    office.end_leases()
    assert [each.attempt for each in engine.work(once=True)] == [2]
    assert log(engine, "courier:@a") == ["pass", "back again"]


def test_a_process_that_ends_before_the_rejection_is_written_leaves_all_of_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker asks the receiver again."""
    engine = office.open()
    with monkeypatch.context() as patched:
        patched.setattr(outbox, "reject", raising(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            engine.send("courier:@a", passing())
    assert len(office.rows()) == 1
    office.end_leases()
    assert [str(each.result.status) for each in engine.work(once=True)] == ["rejected", "done"]
    assert log(engine, "courier:@a") == ["pass", "back again"]


def test_who_has_lost_the_lease_rejects_nothing(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The receiver rejected it for a slow process and took it from a quick one: one outcome counts."""
    slow, quick = office.open(), office.open()
    answers = courier.answers

    def overtaken(message: Do, log: tuple[str, ...]) -> object:
        if message.note != "once" or log == ("open",):
            return answers(message, log)
        if office.only()["attempts"] == 1:
            quick.send("courier:@b", Do(note="open"))
            office.end_leases()
            list(quick.work(once=True))
        raise Rejected("closed")

    monkeypatch.setattr(courier, "answers", overtaken)
    order = Pass(to="courier:@b", errand=Do(note="once"), refused=BACK)
    [result] = slow.send("courier:@a", Do(note="pass", orders=(order,))).effects
    assert (result.status, office.statuses()) == ("done", [("Send", "done")])
    assert (log(slow, "courier:@a"), log(slow, "courier:@b")) == (["pass"], ["open", "once"])


def test_a_message_with_a_time_that_is_rejected_comes_back_then(office: Office) -> None:
    """As one without."""
    engine = office.open()
    engine.send("courier:@a", passing(after=60))
    assert log(engine, "courier:@a") == ["pass"]
    office.pass_time(61)
    list(engine.work(once=True))
    assert log(engine, "courier:@a") == ["pass", "back again"]


def test_a_rejected_message_has_timers_before_it_all_the_same(office: Office) -> None:
    """The receiver's overdue timers stand, and what they set off is carried out."""
    engine = office.open()
    reminder = Remind(name="t", errand=Do(note="rung", orders=(Tell(text="t"),)), after=0)
    engine.send("courier:@b", Do(note="set", orders=(reminder,)))
    engine.send("courier:@a", passing())
    assert (log(engine, "courier:@b"), log(engine, "courier:@a")) == (["set", "rung"], ["pass", "back again"])
    assert office.world.heard == ["t"]


@pytest.mark.parametrize("reason", ["", "a\0b", "\ud800", "two\nlines", 5, None])
def test_whatever_the_reason_is_it_is_a_rejection(
    office: Office, monkeypatch: pytest.MonkeyPatch, reason: object
) -> None:
    """What a database cannot keep of it does not hold up what comes back."""
    answers = courier.answers

    def refuse(message: Do, log: tuple[str, ...]) -> object:
        if message.answer == "refuse":
            raise Rejected(reason)  # type: ignore[arg-type]  # user code may do so
        return answers(message, log)

    monkeypatch.setattr(courier, "answers", refuse)
    engine = office.open()
    [result] = engine.send("courier:@a", passing()).effects
    assert result.status == "rejected"
    assert log(engine, "courier:@a") == ["pass", "back again"]
    assert there_and_back(office)[0]["status"] == "rejected"


@pytest.mark.parametrize("note", ['", "data": {"x', "\U0001f418'", "\\", "}{"])
def test_what_comes_back_is_what_was_to_come_back(office: Office, note: str) -> None:
    """To the character, whatever is in it."""
    engine = office.open()
    engine.send("courier:@a", passing(Do(note=note)))
    assert log(engine, "courier:@a") == ["pass", note]
